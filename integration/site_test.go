package integration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// A site is an app server inside the test's process, for handlers that the
// holdfast command does not have.
type site struct {
	*httptest.Server
	sessions *holdfast.Manager
}

// startSite serves what routes says, with sessions on the memcached at cache.
func startSite(t *testing.T, cache string, routes map[string]http.HandlerFunc) *site {
	t.Helper()
	nodes, err := memcachedstore.Nodes("n1:"+cache, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := holdfast.New(nodes, &holdfast.Options{
		Cookie: holdfast.Cookie{Name: cookieName, AllowInsecure: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	s := &site{httptest.NewServer(m.Handler(mux)), m}
	t.Cleanup(func() {
		s.Close()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := m.Shutdown(ctx); err != nil {
			t.Errorf("shutting down: %v", err)
		}
	})
	return s
}
