package holdfast_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// FuzzCookieHeader sends any Cookie header, in which "$" stands for the cookie of a
// session without its hints and "%" for its id alone. Nobody but who has id and MAC
// gets the session; who has it gets it, whatever comes behind; nobody else's id is adopted.
func FuzzCookieHeader(f *testing.F) {
	for _, header := range []string{
		"$", "$; $", "a=1; $;b", `$-n9.app9`, "$!balancer", "$~AAAAAAAAAAAAAAAA", "%", "%-n1.app1", "%~AAAAAAAAAAAAAAAA-n1", " ;;= ; $",
		invented, invented + "~AAAAAAAAAAAAAAAA-n1; $", strings.Repeat(invented+"; ", 70) + "$", `__Host-session="%"`, "__Host-session=\x00\xff%2Dn1",
	} {
		f.Add(header)
	}
	var sites []fuzzedSite
	for _, o := range []*holdfast.Options{ring(ringKey(1)), {Keys: [][]byte{ringKey(1), ringKey(2)}, Sticky: true, Route: "app1"}} {
		o.OperationTimeout = time.Minute // fuzzing leaves a machine little time
		m := newManager(f, nil, o)
		sites = append(sites, fuzzedSite{m, beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "kept") })})
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, site := range sites {
			site.try(t, header)
		}
	})
}

// A fuzzedSite has one session, of a browser that has cookie.
type fuzzedSite struct {
	m      *holdfast.Manager
	cookie string
}

func (s fuzzedSite) try(t *testing.T, header string) {
	t.Helper()
	const name, idSize, macSize = "__Host-session=", 26, 16
	genuine := s.cookie[:len(name)+idSize+len("~")+macSize] // without hints
	id := genuine[len(name):][:idSize]
	header = strings.NewReplacer("$", genuine, "%", id).Replace(header)
	if body := s.answer(t, header, id); body != "false:" && (body != "true:kept" || !strings.Contains(header, genuine)) {
		t.Errorf("%q is answered %q, with the session of %q", header, body, genuine)
	}
	if body := s.answer(t, s.cookie+"; "+header, id); body != "true:kept" {
		t.Errorf("%q behind the session's cookie is answered %q", header, body)
	}
}

// answer tells whether a request finds a session, and what is in it.
func (s fuzzedSite) answer(t *testing.T, header, id string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", header)
	w := httptest.NewRecorder()
	s.m.Handler(page(func(w http.ResponseWriter, _ *http.Request, q *holdfast.Session) {
		text, _ := textKey.Get(q)
		fmt.Fprintf(w, "%t:%s", q.Exists(), text)
		for _, e := range q.Explain() {
			if strings.Contains(e.Reason, id) {
				t.Errorf("the explanation of %q shows the id: %s", header, e.Reason)
			}
		}
	})).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%q: status %d", header, w.Code)
	}
	return w.Body.String()
}
