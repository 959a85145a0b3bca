package holdfast_test

import (
	"net/http"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// With a lock, and after Refresh, a session that is in this server's memory is not
// lost with the nodes' memory.
func TestAReadPastMemoryDoesNotEndASessionThatTheNodesHaveLost(t *testing.T) {
	for name, row := range map[string]struct {
		locking holdfast.Locking
		use     func(*holdfast.Session) error
	}{
		"without":  {use: func(*holdfast.Session) error { return nil }},
		"lock all": {holdfast.Locking{Mode: holdfast.LockAll}, func(*holdfast.Session) error { return nil }},
		"Lock":     {use: (*holdfast.Session).Lock},
		"Refresh":  {use: (*holdfast.Session).Refresh},
	} {
		t.Run(name, func(t *testing.T) {
			node := faultstore.New()
			m := newManager(t, node.Client("app1"), &holdfast.Options{Sticky: true, Route: "app1", Locking: row.locking})
			v := visit(m, func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
				if r.URL.Path == "/add" {
					_ = increment(s)
				} else if err := row.use(s); err != nil {
					t.Log(err)
				}
				show(w, r, s)
			})
			wantBody(t, v.get("/add"), "1|||")
			wantBody(t, v.get("/"), "1|||")
			node.Empty()
			wantBody(t, v.get("/"), "1|||")
		})
	}
}
