package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A balancer is the http.RoundTripper that chooses the server: in sticky modes the one
// that the cookie names, else one after the other; and another one when that does not
// answer and nothing can have happened twice.
type balancer struct {
	sticky  func() bool
	servers []*upstream
	to      *http.Transport
	next    atomic.Uint32

	barrier barrier
}

const (
	answerTimeout = 3 * time.Second // above what an app takes that waits for its session
	bodyLimit     = 1 << 20
	servedBy      = "Demo-Server" // header: which server answered
)

var errNoServer = errors.New("no app server answers")

func newBalancer(c *cluster) *balancer {
	b := &balancer{
		sticky: func() bool { mode, _ := c.settings(); return mode.Sticky },
		to:     &http.Transport{MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: answerTimeout},
	}
	for _, s := range c.servers {
		b.servers = append(b.servers, newUpstream(s.Name, s.Address))
	}
	return b
}

// watch checks the servers until ctx ends.
func (b *balancer) watch(ctx context.Context) {
	var watching sync.WaitGroup
	for _, u := range b.servers {
		watching.Go(func() { u.watch(ctx) })
	}
	watching.Wait()
}

// hold does something while no request is under way. Then all servers are taken to
// answer.
func (b *balancer) hold(do func() error) error {
	return b.barrier.hold(func() error {
		b.to.CloseIdleConnections() // a server that ends waits for those that it never had a request on
		defer func() {
			for _, u := range b.servers {
				u.answers()
			}
		}()
		return do()
	})
}

func (b *balancer) close() { b.to.CloseIdleConnections() }

// RoundTrip is that of http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err == nil {
		err = b.barrier.enter(r.Context())
	}
	if err != nil {
		return nil, err
	}
	defer b.barrier.leave()
	failed := errNoServer
	for _, u := range b.order(r) {
		res, err := b.try(r, body, u)
		if err == nil {
			res.Header.Set(servedBy, u.name)
			return res, nil
		}
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		u.isAway()
		if !ledger.NeverSent(err) && !isIdempotent(r.Method) {
			return nil, fmt.Errorf("%s was asked and does not answer: %w", u.name, err)
		}
		failed = fmt.Errorf("%w: %w", errNoServer, err)
	}
	return nil, failed
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	return io.ReadAll(http.MaxBytesReader(nil, r.Body, bodyLimit))
}

// isIdempotent as RFC 9110 has it: to do it twice is to do it once.
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// order is the servers that answer, as r would have them: all get as many requests as
// the others, or the one that the cookie names.
func (b *balancer) order(r *http.Request) (all []*upstream) {
	for _, u := range b.servers {
		if u.isUp() {
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return nil
	}
	first := b.named(r, all)
	if first < 0 {
		first = int(b.next.Add(1)) % len(all)
	}
	return append(all[first:len(all):len(all)], all[:first]...)
}

// named is the number of the one among servers that the cookie names in sticky modes,
// or -1.
func (b *balancer) named(r *http.Request, servers []*upstream) int {
	cookie, err := r.Cookie(rig.CookieName)
	if err != nil || !b.sticky() {
		return -1
	}
	for i, u := range servers {
		if strings.HasSuffix(cookie.Value, "."+u.name) {
			return i
		}
	}
	return -1
}

// try sends r to u. It ends early when u is found to be away.
func (b *balancer) try(r *http.Request, body []byte, u *upstream) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	life := u.now()
	unhook := context.AfterFunc(life, func() { cancel(errAway) })
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host = "http", u.address
	out.Body, out.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	u.sent.Add(1)
	res, err := b.to.RoundTrip(out)
	if err != nil {
		unhook()
		cancel(nil)
		return nil, err
	}
	res.Body = &tracked{res.Body, func() { unhook(); cancel(nil) }}
	return res, nil
}

// A tracked body tells when it is no longer read.
type tracked struct {
	io.ReadCloser
	over func()
}

func (t *tracked) Close() error {
	defer t.over()
	return t.ReadCloser.Close()
}
