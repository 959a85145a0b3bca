package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/bradfitz/gomemcache/memcache"
)

func openScsMemory([]string) (*site, error) {
	return newScs(memstore.New(), 0), nil
}

// openScsMemcached gives scs the store that it lacks since its second version.
func openScsMemcached(idle time.Duration) func([]string) (*site, error) {
	return func(nodes []string) (*site, error) {
		client := memcache.New(nodes...)
		client.Timeout = patience
		client.MaxIdleConns = 256 // its default of 2 would dial for most requests
		return newScs(&scsMemcached{client}, idle), nil
	}
}

func newScs(store scs.Store, idle time.Duration) *site {
	m := scs.New()
	m.Store = store
	m.IdleTimeout = idle
	m.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) { // its own logs, too
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	return &site{visits: scsVisits{m}, wrap: m.LoadAndSave}
}

type scsVisits struct{ m *scs.SessionManager }

func (s scsVisits) begin(_ http.ResponseWriter, r *http.Request, v visit) error {
	s.m.Put(r.Context(), "user", v.user)
	s.m.Put(r.Context(), "count", v.count)
	s.m.Put(r.Context(), "text", v.text)
	return nil
}

func (s scsVisits) load(r *http.Request) (visit, error) {
	ctx := r.Context()
	return visit{user: s.m.GetString(ctx, "user"), count: s.m.GetInt(ctx, "count"), text: s.m.GetString(ctx, "text")}, nil
}

func (s scsVisits) add(_ http.ResponseWriter, r *http.Request) (visit, error) {
	s.m.Put(r.Context(), "count", s.m.GetInt(r.Context(), "count")+1)
	return s.load(r)
}

func (s scsVisits) end(_ http.ResponseWriter, r *http.Request) error {
	return s.m.Destroy(r.Context())
}

// scsMemcached is a scs.Store: one item for each session, as scs' stores for other
// servers have it.
type scsMemcached struct{ client *memcache.Client }

func (s *scsMemcached) Find(token string) ([]byte, bool, error) {
	item, err := s.client.Get("scs:" + token)
	switch {
	case errors.Is(err, memcache.ErrCacheMiss):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	return item.Value, true, nil
}

func (s *scsMemcached) Commit(token string, b []byte, expiry time.Time) error {
	return s.client.Set(&memcache.Item{Key: "scs:" + token, Value: b, Expiration: int32(expiry.Unix())})
}

func (s *scsMemcached) Delete(token string) error {
	err := s.client.Delete("scs:" + token)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	return err
}
