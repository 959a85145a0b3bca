package holdfast

// A token is what a browser presents and gets: the id, then hints.
//
//	<id>[~<mac>][-<node>][.<route>]
//
// id is 26 of [A-Za-z0-9], mac is 16 of the same characters, node is 1 to 32 of
// [A-Za-z0-9_], route is 1 to 64 of [A-Za-z0-9_-]. Balancers append things, so
// whatever follows id and mac is at most a wrong hint.
type token struct {
	id    ID
	mac   string // of id, as it was presented: any length; "": none
	node  string // where its home copy lies
	route string // which app server had it last

	outdated bool // mac is not the one that a new token would get
}

const (
	idSize       = 26
	maxNodeSize  = 32
	maxRouteSize = 64
)

// parseToken reads value and reports whether it begins with a well-formed id.
func parseToken(value string) (token, bool) {
	id, rest := span(value, isAlphanumeric)
	if len(id) != idSize {
		return token{}, false
	}
	t := token{id: ID(id)}
	t.mac, rest = hint(rest, '~', isAlphanumeric, len(rest))
	t.node, rest = hint(rest, '-', isNodeChar, maxNodeSize)
	t.route, _ = hint(rest, '.', isRouteChar, maxRouteSize)
	return t, true
}

// hint splits the part that mark begins off the front of s.
func hint(s string, mark byte, ok func(byte) bool, limit int) (part, rest string) {
	if s == "" || s[0] != mark {
		return "", s
	}
	part, rest = span(s[1:], ok)
	if len(part) > limit {
		return "", rest
	}
	return part, rest
}

// span splits s after its longest beginning of ok characters.
func span(s string, ok func(byte) bool) (beginning, rest string) {
	i := 0
	for i < len(s) && ok(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isNodeChar(c byte) bool  { return isAlphanumeric(c) || c == '_' }
func isRouteChar(c byte) bool { return isNodeChar(c) || c == '-' }

// value returns the token as the browser gets it.
func (t token) value() string {
	var room [idSize + 1 + macSize + 1 + maxNodeSize + 1 + maxRouteSize]byte // on the stack
	s := append(room[:0], t.id...)
	for _, part := range [...]struct{ mark, text string }{{"~", t.mac}, {"-", t.node}, {".", t.route}} {
		if part.text != "" {
			s = append(append(s, part.mark...), part.text...)
		}
	}
	return string(s)
}

// isName reports whether s is 1 to limit of ok characters.
func isName(s string, ok func(byte) bool, limit int) bool {
	name, rest := span(s, ok)
	return rest == "" && name != "" && len(name) <= limit
}
