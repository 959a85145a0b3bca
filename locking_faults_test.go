package holdfast_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// Four browsers of one session add on two servers, as only a lock allows, while one
// node after the other fails in every way: what was acknowledged is stored, and what
// was refused with 409 is not.
func TestLocksLoseNothingWhateverFails(t *testing.T) {
	for _, opts := range []holdfast.Options{
		{Locking: holdfast.Locking{Mode: holdfast.LockAll}},
		{Locking: holdfast.Locking{Mode: holdfast.LockAuto}},
	} {
		for what, f := range map[string]struct {
			fault, mend func(s *holdfasttest.Site, node string)
		}{
			"killed":  {(*holdfasttest.Site).KillNode, (*holdfasttest.Site).ReviveNode},
			"frozen":  {(*holdfasttest.Site).FreezeNode, (*holdfasttest.Site).ThawNode},
			"emptied": {(*holdfasttest.Site).EmptyNode, func(*holdfasttest.Site, string) {}},
			"cut": {
				func(s *holdfasttest.Site, node string) { s.Cut("app1", node) },
				func(s *holdfasttest.Site, node string) { s.Mend("app1", node) },
			},
		} {
			t.Run(fmt.Sprint(opts.Locking.Mode, ", ", what), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := startAdders(t, opts)
					for _, node := range []string{"n1", "n2", "n3"} {
						time.Sleep(time.Second)
						f.fault(a.site, node)
						time.Sleep(5 * time.Second)
						f.mend(a.site, node)
						time.Sleep(20 * time.Second) // until it is repaired
					}
					a.finish()
				})
			})
		}
	}
}

// Adders add to the number in one session, and count what they are told.
type adders struct {
	t       *testing.T
	site    *holdfasttest.Site
	browser *holdfasttest.SiteClient

	added, refused, unknown atomic.Int64

	done chan struct{}
	all  sync.WaitGroup
}

func startAdders(t *testing.T, opts holdfast.Options) *adders {
	a := &adders{t: t, site: holdfasttest.Cluster(t, 2, 3), done: make(chan struct{})}
	a.site.Options = &opts
	mux := http.NewServeMux()
	mux.Handle("/begin", page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { numberKey.Set(s, 0) }))
	mux.Handle("/add", page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		n, _ := numberKey.Get(s)
		time.Sleep(100 * time.Millisecond)
		numberKey.Set(s, n+1)
	}))
	mux.Handle("/number", page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		n, _ := numberKey.Get(s)
		fmt.Fprint(w, n)
	}))
	a.site.Handle(mux)
	a.browser = a.site.Client()
	wantStatus(t, a.browser.Get("/begin"), http.StatusOK)
	for i := range 4 {
		a.all.Go(func() { a.add(a.browser.On(fmt.Sprint("app", 1+i%2))) })
	}
	return a
}

func (a *adders) add(browser *holdfasttest.Client) {
	for {
		select {
		case <-a.done:
			return
		default:
		}
		switch w := browser.Get("/add"); w.Code {
		case http.StatusOK:
			a.added.Add(1)
		case http.StatusConflict:
			a.refused.Add(1)
		case http.StatusServiceUnavailable:
			a.unknown.Add(1)
			time.Sleep(time.Second) // as it says
		default:
			a.t.Errorf("status %d", w.Code)
		}
	}
}

func (a *adders) finish() {
	close(a.done)
	a.all.Wait()
	added, unknown := int(a.added.Load()), int(a.unknown.Load())
	a.t.Logf("%d added, %d refused, %d unknown", added, a.refused.Load(), unknown)
	var n int
	fmt.Sscan(a.browser.Get("/number").Body.String(), &n)
	if n < added || n > added+unknown {
		a.t.Errorf("the number is %d, want %d to %d", n, added, added+unknown)
	}
	if added < 300 {
		a.t.Errorf("only %d were added", added)
	}
}
