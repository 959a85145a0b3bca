package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

var (
	userKey  = holdfast.NewKey[string]("user")
	countKey = holdfast.NewKey[int]("count")
	textKey  = holdfast.NewKey[string]("text")
)

func stickyAsync(o *holdfast.Options) { o.Sticky, o.BackupAsync, o.Route = true, true, "app1" }
func stickySync(o *holdfast.Options)  { o.Sticky, o.Route = true, "app1" }
func oneCopy(o *holdfast.Options)     { o.Copies = 1 }
func twoCopies(o *holdfast.Options)   { o.Copies = 2 }

func locked(o *holdfast.Options) {
	o.Copies = 2
	o.Locking.Mode = holdfast.LockAll
}

// openHoldfast leaves all settings at their defaults, but for what set changes. The
// stored sessions are plain, as those of scs are.
func openHoldfast(set func(*holdfast.Options)) func([]string) (*site, error) {
	return func(nodes []string) (*site, error) {
		var spec []string
		for i, addr := range nodes {
			spec = append(spec, fmt.Sprintf("n%d:%s", i+1, addr))
		}
		list, err := memcachedstore.Nodes(strings.Join(spec, " "), nil)
		if err != nil {
			return nil, err
		}
		options := &holdfast.Options{IdleTimeout: idleTimeout, OperationTimeout: patience, Cookie: holdfast.Cookie{AllowInsecure: true}}
		set(options)
		m, err := holdfast.New(list, options)
		if err != nil {
			return nil, err
		}
		unsent := func() int { return m.Stats().Local.Unsent }
		return &site{visits: holdfastVisits{}, wrap: m.Handler, unsent: unsent}, nil
	}
}

// holdfastVisits checks no errors of changes: the session keeps them, and the
// middleware answers for them.
type holdfastVisits struct{}

func (holdfastVisits) begin(_ http.ResponseWriter, r *http.Request, v visit) error {
	s := holdfast.From(r.Context())
	_ = userKey.Set(s, v.user)
	_ = countKey.Set(s, v.count)
	return textKey.Set(s, v.text)
}

func (holdfastVisits) load(r *http.Request) (v visit, err error) {
	s := holdfast.From(r.Context())
	v.user, _ = userKey.Get(s)
	v.count, _ = countKey.Get(s)
	v.text, _ = textKey.Get(s)
	return v, nil
}

func (h holdfastVisits) add(_ http.ResponseWriter, r *http.Request) (visit, error) {
	err := countKey.Update(holdfast.From(r.Context()), func(n *int) error { *n++; return nil })
	if err != nil {
		return visit{}, err
	}
	return h.load(r)
}

func (holdfastVisits) end(_ http.ResponseWriter, r *http.Request) error {
	return holdfast.From(r.Context()).Destroy()
}
