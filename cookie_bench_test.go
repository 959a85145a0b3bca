package holdfast

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// someToken has everything that a token can have.
func someToken(m *macs) token {
	return token{id: someID, mac: m.sign(someID), node: "n1", route: "app1"}
}

// carrier is a cookie as most apps have it, with the MAC of a key ring or without.
func carrier(tb testing.TB, keys ...[]byte) (*cookieTransport, *http.Request) {
	tb.Helper()
	t := &cookieTransport{cookie: http.Cookie{Name: "id", Path: "/", HttpOnly: true, Secure: true}, macs: newTestMACs(tb, false, keys...)}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", "theme=dark; id="+someToken(t.macs).value()+"; lang=en")
	return t, r
}

func cookieWork(tb testing.TB, keys ...[]byte) (present, grant func()) {
	tb.Helper()
	t, r := carrier(tb, keys...)
	tok, room := someToken(t.macs), make([]token, 0, maxPresented)
	if got := t.presented(room, r); len(got) != 1 || got[0] != tok {
		tb.Fatalf("presented is %+v, want %+v", got, tok)
	}
	h := http.Header{}
	return func() { t.presented(room, r) }, func() {
		clear(h)
		t.grant(h, tok, time.Hour)
	}
}

func BenchmarkToken(b *testing.B) {
	tok := someToken(newTestMACs(b, false, ringKey(1)))
	value := tok.value()
	benchWork(b, "parse", func() { parseToken(value) })
	benchWork(b, "write", func() { _ = tok.value() })
}

func BenchmarkCookie(b *testing.B) {
	for _, ring := range []struct {
		name string
		keys [][]byte
	}{{"plain", nil}, {"ring of two", [][]byte{ringKey(2), ringKey(1)}}} {
		present, grant := cookieWork(b, ring.keys...)
		benchWork(b, ring.name+"/read", present)
		benchWork(b, ring.name+"/set", grant)
	}
}
