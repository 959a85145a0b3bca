package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

const (
	tourFile  = "docs/tour.md"
	tourLimit = 3 * time.Minute // it takes less than one
	tourBuild = `go build -o "$tour/holdfast" ./cmd/holdfast`
)

var (
	fencedBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	tourPort    = regexp.MustCompile(`\]=\d+`)
	portNumber  = regexp.MustCompile(`:\d{4,5}\b`)
	homeNode    = regexp.MustCompile(`"node":"(n\d)"`)
)

// TestTour does what docs/tour.md says, all of it in one bash, and compares what
// is shown. The first block holds the settings: it gets free ports, and the command
// that the tests have built.
func TestTour(t *testing.T) {
	steps := tourSteps(t, content(t, filepath.Join(checkout, tourFile)))
	steps[0].commands = tourSettings(t, steps[0].commands)
	out := walkTour(t, steps)
	inTour := nodesAsIn(steps, out)
	for i, s := range steps {
		got, rest, over := strings.Cut(out, endOfStep(i))
		if !over {
			t.Fatalf("%s:%d: the tour ends in\n%s\nwith\n%s", tourFile, s.line, s.commands, got)
		}
		if got = inTour(got); !shows(s.shows, got) {
			t.Errorf("%s:%d: the commands\n%s\nshow\n%s\nwant\n%s", tourFile, s.line, s.commands, got, s.shows)
		}
		out = rest
	}
	if out != "" {
		t.Errorf("%s leaves processes behind: %s", tourFile, out)
	}
}

// A tourStep is a block of commands in the tour, and the block behind it of what they
// show, "" if there is none.
type tourStep struct {
	line            int
	commands, shows string
}

func tourSteps(t *testing.T, text string) (steps []tourStep) {
	t.Helper()
	for _, at := range fencedBlock.FindAllStringSubmatchIndex(text, -1) {
		line := 1 + strings.Count(text[:at[0]], "\n")
		switch kind, block := text[at[2]:at[3]], text[at[4]:at[5]]; {
		case kind == "sh":
			steps = append(steps, tourStep{line: line, commands: block})
		case kind == "text" && len(steps) > 0 && steps[len(steps)-1].shows == "":
			steps[len(steps)-1].shows = block
		default:
			t.Fatalf("%s:%d: a block of kind %q belongs to no commands", tourFile, line, kind)
		}
	}
	if len(steps) < 15 {
		t.Fatalf("%s has %d blocks of commands, want at least 15: are they found?", tourFile, len(steps))
	}
	return steps
}

// tourSettings puts free ports and the command that the tests have built into
// the first block.
func tourSettings(t *testing.T, block string) string {
	t.Helper()
	if ports := len(tourPort.FindAllString(block, -1)); ports != 4 || strings.Count(block, tourBuild) != 1 {
		t.Fatalf("%s: the first block has %d ports, want 4, and this line once: %s", tourFile, ports, tourBuild)
	}
	block = strings.Replace(block, tourBuild, fmt.Sprintf(`ln -s %q "$tour/holdfast"`, commandPath(t)), 1)
	return tourPort.ReplaceAllStringFunc(block, func(string) string {
		return fmt.Sprintf("]=%d", servers.FreePort(t))
	})
}

// walkTour runs the steps and returns what they show, each with endOfStep behind it,
// and then the ids of the processes that still run.
func walkTour(t *testing.T, steps []tourStep) string {
	t.Helper()
	dir := t.TempDir()
	shown := filepath.Join(dir, "shown")
	script := &strings.Builder{}
	fmt.Fprintf(script, "export TMPDIR=%q PATH=$PATH:/usr/sbin\nexec >%q\n", dir, shown)
	for i, s := range steps {
		if i > 0 && portNumber.MatchString(s.commands) {
			t.Fatalf("%s:%d: a port outside of the first block", tourFile, s.line)
		}
		fmt.Fprintf(script, "%s\nprintf %q\n", s.commands, endOfStep(i))
	}
	script.WriteString("jobs -pr\n")
	bash := servers.StartBash(t, script.String(), "memcached", "curl")
	for began := time.Now(); bash.Running(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > tourLimit {
			t.Errorf("the tour is not over after %v", tourLimit)
			bash.Kill()
		}
	}
	out, err := os.ReadFile(shown)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func endOfStep(i int) string { return fmt.Sprintf("= end of step %d\n", i) }

// nodesAsIn returns what exchanges n1 and n2 in an output if the session of the tour
// is at home on the other one than in the text.
func nodesAsIn(steps []tourStep, out string) func(string) string {
	var text strings.Builder
	for _, s := range steps {
		text.WriteString(s.shows)
	}
	want, got := homeNode.FindString(text.String()), homeNode.FindString(out)
	if want == got || got == "" {
		return func(s string) string { return s }
	}
	return strings.NewReplacer("n1", "n2", "n2", "n1").Replace
}

// shows reports whether got is what the tour says. In that … stands for anything
// within a line, and alone on a line for any number of lines. Spaces that align
// columns do not count.
func shows(want, got string) bool {
	pattern := regexp.QuoteMeta(aligned(want))
	pattern = regexp.MustCompile(`(?m)^…\n`).ReplaceAllLiteralString(pattern, `(?:.*\n)*`)
	pattern = strings.ReplaceAll(pattern, "…", ".*")
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(aligned(got))
}

func aligned(text string) string {
	return regexp.MustCompile(`(?m)^ +`).ReplaceAllString(regexp.MustCompile(` +`).ReplaceAllString(text, " "), "")
}

func TestShows(t *testing.T) {
	for _, c := range []struct {
		want, got string
		is        bool
	}{
		{"", "", true},
		{"", "curl: (7)\n", false},
		{"204\n", "204\n", true},
		{"204\n", "", false},
		{"204\n", "204\n204\n", false},
		{"{\"id\":\"…\",\"n\":1}\n", "{\"id\":\"a1\",\"n\":1}\n", true},
		{"{\"id\":\"…\",\"n\":1}\n", "{\"id\":\"a1\",\"n\":2}\n", false},
		{"a…\n", "a\nb\n", false},
		{"…\nlost 0\n…\n", "x\ny\n  lost   0\nz\n", true},
		{"…\nlost 0\n…\n", "x\n  lost  10\nz\n", false},
		{"1.5\n", "1x5\n", false},
	} {
		if got := shows(c.want, c.got); got != c.is {
			t.Errorf("shows(%q, %q) is %v, want %v", c.want, c.got, got, c.is)
		}
	}
}
