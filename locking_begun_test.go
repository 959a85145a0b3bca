package holdfast_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

// A request that begins a session, sends its header and goes on: the browser may come
// with that cookie meanwhile. Neither may lose the other's update where all lock.
func TestRequestThatBeganItsSessionLosesNothing(t *testing.T) {
	for _, mode := range []holdfast.LockMode{holdfast.LockAll, holdfast.LockAuto} {
		inLockPair(t, holdfast.Options{Locking: holdfast.Locking{Mode: mode}}, func(p *lockPair) {
			w := httptest.NewRecorder()
			first := p.managers[0].Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
				addOne(s) // 0 -> 1
				w.(http.Flusher).Flush()
				next := &visitor{}
				next.keep(&http.Response{Header: w.Header()})
				n, _ := numberKey.Get(s)
				wantStatus(t, next.session(p.managers[1], addOne).get("/second"), http.StatusOK) // 1 -> 2, acknowledged
				numberKey.Set(s, n+1)
				s.Commit()
				s.Err()
			}))
			first.ServeHTTP(w, httptest.NewRequest("GET", "/first", nil))
			v := &visitor{}
			v.keep(w.Result())
			last := ""
			v.session(p.managers[1], func(s *holdfast.Session) {
				n, _ := numberKey.Get(s)
				if last = "kept"; n != 2 {
					last = "lost"
				}
				if n == 2 && p.locks(0).Fenced == 0 {
					t.Errorf("%v: two made 2 of 1, and both were acknowledged", mode)
				}
			}).get("/")
			if last != "kept" {
				t.Errorf("%v: %q", mode, last)
			}
		})
	}
}
