package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// startLoad starts a load on an app whose handler spoil may change.
func startLoad(t *testing.T, spoil func(http.Handler) http.Handler) *load {
	t.Helper()
	m, err := holdfast.New(nil, rig.NonSticky().Options("", 0))
	if err != nil {
		t.Fatal(err)
	}
	app := httptest.NewServer(http.StripPrefix(loadPath, spoil(ledger.Handler(m))))
	l := newLoad(app.URL)
	t.Cleanup(func() {
		l.stop()
		app.Close()
		if err := m.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// counting closes the channel at the n-th request that counts.
func counting(n int64, counts func(*http.Request) bool, reached chan struct{}) func(http.Handler) http.Handler {
	var count atomic.Int64
	return func(app http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			app.ServeHTTP(w, r)
			if counts(r) && count.Add(1) == n {
				close(reached)
			}
		})
	}
}

func anyRequest(*http.Request) bool { return true }

func TestLoadFindsNothingWrongWithAnAppThatKeepsItsPromises(t *testing.T) {
	reached := make(chan struct{})
	l := startLoad(t, counting(150, anyRequest, reached))
	l.start()
	l.start() // the one that runs goes on
	<-reached
	if !l.isOn() {
		t.Error("it is not said to run")
	}
	l.stop()
	l.stop()
	got := l.figures()
	if got.On || got.Requests < 150 || got.Refused+uint64(got.Lost)+uint64(got.LostUpdates+got.Doubled+got.UnsentLost) > 0 {
		t.Errorf("got %+v, want 150 requests or more and nothing else", got)
	}
}

// The control: an app that breaks its promises is found out.
func TestLoadFindsBrokenPromises(t *testing.T) {
	for name, c := range map[string]struct {
		answer string // to all reads
		status int
		found  func(loadFigures) bool
	}{
		"sessions are gone":     {`{"outcome":"gone"}`, http.StatusNotFound, func(f loadFigures) bool { return f.Lost > 0 }},
		"updates are gone":      {`{"outcome":"done"}`, http.StatusOK, func(f loadFigures) bool { return f.LostUpdates > 0 && f.Lost == 0 }},
		"they happen too often": {`{"outcome":"done","count":1000}`, http.StatusOK, func(f loadFigures) bool { return f.Doubled > 0 }},
		"nobody answers":        {`no JSON`, http.StatusBadGateway, func(f loadFigures) bool { return f.Refused > 0 && f.Lost == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			reached := make(chan struct{})
			isRead := func(r *http.Request) bool { return r.URL.Path == "/read" }
			count := counting(60, isRead, reached)
			l := startLoad(t, func(app http.Handler) http.Handler {
				return count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !isRead(r) {
						app.ServeHTTP(w, r)
						return
					}
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.answer)
				}))
			})
			l.start()
			<-reached
			l.stop()
			if got := l.figures(); !c.found(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestLoadBeginsWithANewLedger(t *testing.T) {
	reached := make(chan struct{})
	l := startLoad(t, counting(50, anyRequest, reached))
	l.start()
	<-reached
	l.stop()
	former := l.book()
	l.start()
	defer l.stop()
	if l.book() == former {
		t.Error("the second load goes on with the ledger of the first")
	}
}
