package holdfast

import (
	"iter"
	"net/http"
	"strings"
	"time"
)

// A transport carries tokens between browser and server.
type transport interface {
	// presented appends the genuine tokens of a request to found, which is empty: most
	// likely first, each id once.
	presented(found []token, r *http.Request) []token
	// grant puts t, with a new MAC, into a response header; lasting is how long the
	// browser keeps it over its own restart (zero: it does not).
	grant(h http.Header, t token, lasting time.Duration)
	// ignored says why what a request sent is not among looked, its presented tokens.
	ignored(r *http.Request, looked []token) (reasons []string)
	// revoke makes the browser forget its token.
	revoke(h http.Header)
}

// A cookieTransport carries tokens in a cookie.
type cookieTransport struct {
	cookie http.Cookie
	macs   *macs
}

// Browsers send several cookies of one name when paths or domains overlap, and a
// stranger may add some.
const (
	maxPresented = 4  // are looked for
	maxExamined  = 64 // are worth the computation of a MAC
)

func (t *cookieTransport) presented(found []token, r *http.Request) []token {
	examined := 0
	for tok := range t.sent(r) {
		if contains(found, tok.id) {
			continue
		}
		if len(found) == maxPresented || examined == maxExamined {
			break
		}
		examined++
		genuine, outdated := t.macs.verify(tok)
		if genuine {
			tok.outdated = outdated
			found = append(found, tok)
		}
	}
	return found
}

// sent goes over the well-formed tokens of a request.
func (t *cookieTransport) sent(r *http.Request) iter.Seq[token] {
	return func(yield func(token) bool) {
		for _, line := range r.Header["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
				if name != t.cookie.Name {
					continue
				}
				if tok, ok := parseToken(strings.Trim(value, `"`)); ok && !yield(tok) {
					return
				}
			}
		}
	}
}

func contains(tokens []token, id ID) bool {
	for _, t := range tokens {
		if t.id == id {
			return true
		}
	}
	return false
}

func (t *cookieTransport) grant(h http.Header, tok token, lasting time.Duration) {
	tok.mac = t.macs.sign(tok.id)
	c := t.cookie
	c.Value = tok.value()
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
