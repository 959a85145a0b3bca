package holdfast

import (
	"net/http"
	"strings"
	"time"
)

// A transport carries tokens between browser and server.
type transport interface {
	// presented returns the tokens of a request, most likely first, each id once.
	presented(r *http.Request) []token
	// grant puts value into a response header; lasting is how long the browser
	// keeps it over its own restart (zero: it does not).
	grant(h http.Header, value string, lasting time.Duration)
	// revoke makes the browser forget its token.
	revoke(h http.Header)
}

// A cookieTransport carries tokens in a cookie.
type cookieTransport struct{ cookie http.Cookie }

// maxPresented bounds the cookies of one name that are looked at: browsers send
// several when paths or domains overlap, and a stranger may add some.
const maxPresented = 4

func (t *cookieTransport) presented(r *http.Request) []token {
	var found []token
	for _, line := range r.Header["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if name != t.cookie.Name {
				continue
			}
			tok, ok := parseToken(strings.Trim(value, `"`))
			if ok && len(found) < maxPresented && !contains(found, tok.id) {
				found = append(found, tok)
			}
		}
	}
	return found
}

func contains(tokens []token, id ID) bool {
	for _, t := range tokens {
		if t.id == id {
			return true
		}
	}
	return false
}

func (t *cookieTransport) grant(h http.Header, value string, lasting time.Duration) {
	c := t.cookie
	c.Value = value
	c.MaxAge = int(lasting / time.Second)
	t.put(h, &c)
}

func (t *cookieTransport) revoke(h http.Header) {
	c := t.cookie
	c.MaxAge = -1
	t.put(h, &c)
}

// put replaces what an earlier call put into the same response: a browser that
// gets two cookies of one name may keep either.
func (t *cookieTransport) put(h http.Header, c *http.Cookie) {
	kept := h["Set-Cookie"][:0]
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, c.Name+"=") {
			kept = append(kept, line)
		}
	}
	h["Set-Cookie"] = append(kept, c.String())
}
