package tomcat

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A RequestPattern matches requests as memcached-session-manager does: the whole
// of "METHOD URI?query", with a pattern of java.util.regex.
type RequestPattern struct {
	regexp *regexp.Regexp
	Doubts []string // what its author probably did not mean
}

// NewRequestPattern compiles java.
func NewRequestPattern(java string) (*RequestPattern, error) {
	re, err := CompilePattern(java)
	if err != nil {
		return nil, err
	}
	return &RequestPattern{re, doubts(java, re)}, nil
}

// Match reports whether the pattern matches the whole of RequestID(r).
func (p *RequestPattern) Match(r *http.Request) bool { return p.regexp.MatchString(RequestID(r)) }

// RequestID is "METHOD URI?query" with the URI as the client wrote it; without the
// query if the method is POST.
func RequestID(r *http.Request) string {
	uri, query, asked := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(uri, "/") { // a client's request, or one with the host in its first line
		uri, query, asked = r.URL.EscapedPath(), r.URL.RawQuery, r.URL.RawQuery != ""
	}
	id := r.Method + " " + uri
	if asked && r.Method != http.MethodPost {
		id += "?" + query
	}
	return id
}

// doubts are what is probably wrong with a pattern for requests.
func doubts(java string, re *regexp.Regexp) []string {
	var found []string
	if split := splitExtensions(java); split != java {
		found = append(found, fmt.Sprintf("%s matches hardly any request: the | between the endings got lost; write %s", java, split))
	}
	switch {
	case !canMatchRequest(re):
		found = append(found, fmt.Sprintf(`%s can never match: what is compared is the whole of "METHOD URI?query", such as "GET /a/b?c=d"%s`, java, proposal(java)))
	case losesQueries(re):
		found = append(found, fmt.Sprintf(`%s does not match a URI with a query, such as "GET /a.png?v=1"%s`, java, queryProposal(java)))
	}
	return found
}

// proposal is a pattern near java that can match, as the end of a sentence.
func proposal(java string) string {
	core := strings.TrimPrefix(java, "^")
	for _, form := range []string{"[A-Z]+ (%s)", ".*(%s)", ".*(%s).*"} {
		candidate := fmt.Sprintf(form, core)
		if re, err := CompilePattern(candidate); err == nil && canMatchRequest(re) {
			return "; write " + candidate
		}
	}
	return ""
}

// queryProposal is a pattern that matches with queries too, as the end of a sentence.
func queryProposal(java string) string {
	core := strings.TrimSuffix(java, "$")
	for _, form := range []string{"%s", "(%s)"} {
		candidate := fmt.Sprintf(form, core) + `(\?.*)?`
		if re, err := CompilePattern(candidate); err == nil && !losesQueries(re) {
			return "; if that is meant too, write " + candidate
		}
	}
	return ""
}

// losesQueries reports whether the pattern matches a static file, but only as
// long as nothing asks for a version of it.
func losesQueries(re *regexp.Regexp) bool {
	return slices.ContainsFunc(extensions, func(extension string) bool {
		id := "GET /a." + extension
		return re.MatchString(id) && !re.MatchString(id+"?v=1")
	})
}

var (
	extensions   = strings.Fields("woff2 jpeg html woff webp ico png gif jpg css svg ttf eot htm txt xml bmp map js")
	afterDot     = regexp.MustCompile(`(\\\.|\[\.\])(\(\??:?)?([a-z0-9]+)(\))?`)
	oneExtension = regexp.MustCompile(`^(?:` + strings.Join(extensions, "|") + `)`)
)

// splitExtensions writes the | between endings of file names that stand together
// without, as in \.(icopng)$, a mistake that has been copied many times.
func splitExtensions(java string) string {
	return afterDot.ReplaceAllStringFunc(java, func(match string) string {
		groups := afterDot.FindStringSubmatch(match)
		parts := extensionsOf(groups[3])
		if len(parts) < 2 {
			return match
		}
		open, end := groups[2], groups[4]
		if open == "" {
			open, end = "(", ")"+end
		}
		return groups[1] + open + strings.Join(parts, "|") + end
	})
}

// extensionsOf takes run apart, nil if it is not made of known extensions.
func extensionsOf(run string) []string {
	var parts []string
	for run != "" {
		part := oneExtension.FindString(run)
		if part == "" {
			return nil
		}
		parts, run = append(parts, part), run[len(part):]
	}
	return parts
}
