package main

import (
	"regexp"
	"slices"
	"strings"
)

// A rule is a name for stacks with a function that matches. Of several the one counts
// whose function is the innermost.
type rule struct {
	name     string
	function *regexp.Regexp
}

func rules(pairs ...string) (list []rule) {
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, rule{pair[0], regexp.MustCompile(pair[1])})
	}
	return list
}

const (
	modulePath = "github.com/holdfast-sessions/holdfast"

	ofRoot   = `^github\.com/holdfast-sessions/holdfast\.`
	ofModule = `^github\.com/holdfast-sessions/holdfast/`
)

// stations tell where a stack belongs.
type stations struct {
	phases, layers, outside []rule
	ours                    *regexp.Regexp
}

func newStations() *stations {
	return &stations{phases: phases(), layers: layers(), outside: outside(), ours: regexp.MustCompile(ofRoot + "|" + ofModule)}
}

func (s *stations) of(stack []string) string {
	if phase := innermost(stack, s.phases); phase != "" {
		return strings.TrimSuffix(phase+": "+innermost(stack, s.layers), ": ")
	}
	for _, r := range s.outside {
		if slices.ContainsFunc(stack, r.function.MatchString) {
			return r.name
		}
	}
	return ""
}

// phases are what a request does one after the other. An outer call is listed with what
// it does itself.
func phases() []rule {
	return rules(
		"load", ofRoot+`\(\*Session\)\.(load|fetch|presented|found)|`+ofModule+`placement\.\(\*(Cluster|op)\)\.(Load|load|find|read|get|getFrom|viewOf)\b`,
		"commit", ofRoot+`(\(\*Session\)\.(commit|run\b|store|nextCommit|newCommit)|\(\*commit\))|`+ofModule+`placement\.\(\*(Cluster|op)\)\.(Commit|commit|settle\w*|write|put|putTo|confirmed)\b`,
		"header", ofRoot+`\(\*?(response|transport|cookie\w*)\)|`+ofRoot+`\(\*Session\)\.(tell|grant|prolong)`,
		"handler", ofRoot+`\(?\*?Key\b|`+ofRoot+`(\(\*Session\)\.(add|edit|change|update|redraft)|\(\*draft\)|From\b)`,
		"middleware", ofRoot+`\(\*Manager\)\.(serve|Handler|learn|extendUnused)`,
	)
}

// layers are what the work is.
func layers() []rule {
	return rules(
		"system calls", `^(syscall|internal/poll|internal/runtime/syscall\S*)\.`,
		"contexts, deadlines", `^context\.|^time\.(AfterFunc|NewTimer|newTimer|stopTimer|resetTimer|\(\*Timer\))|`+ofModule+`deadline\.`,
		"encode", ofModule+`record\.\(\*(Codec|Record)\)\.(Append|append\w*)`,
		"parse", ofModule+`record\.(\(\*Codec\)\.(Parse|parse\w*)|\(\*?(decoder|shared)\))`,
		"clone", ofModule+`record\.\(\*Record\)\.(Clone|Take|Rebased)`,
		"record, other", ofModule+`record\.`,
		"client", ofModule+`store/memcachedstore\.`,
		"protocol", ofModule+`(placement|turns)`,
		"session", ofRoot,
	)
}

// outside are the stacks that no request's own work leads to.
func outside() []rule {
	return rules(
		"client's own goroutines", ofModule+`store/memcachedstore\.\(\*conn\)\.(reader|writer|watcher)`,
		"bare handler", `^main\.|`+ofModule+`integration/`,
		"collector", `^runtime\.(gcBgMarkWorker|bgsweep|bgscavenge|gcStart|gcAssist\w*)`,
		"scheduler", `.`,
	)
}

func innermost(stack []string, list []rule) string {
	for _, function := range stack {
		for _, r := range list {
			if r.function.MatchString(function) {
				return r.name
			}
		}
	}
	return ""
}
