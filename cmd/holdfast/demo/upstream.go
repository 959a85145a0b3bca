package demo

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// An upstream is a server as the balancer sees it.
type upstream struct {
	name, address string
	sent          atomic.Uint64 // requests

	mu   sync.Mutex
	life context.Context         // ends with errAway; guarded by mu
	end  context.CancelCauseFunc // of life; guarded by mu
}

// errAway ends the requests that wait for a server which is found not to answer.
var errAway = errors.New("the server does not answer")

const (
	checkPause   = 200 * time.Millisecond
	checkTimeout = 400 * time.Millisecond
	checksFailed = 2 // one after the other, before a server is away
)

func newUpstream(name, address string) *upstream {
	u := &upstream{name: name, address: address}
	u.answers()
	return u
}

// answers notes that the server is there.
func (u *upstream) answers() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.life == nil || u.life.Err() != nil {
		u.life, u.end = context.WithCancelCause(context.Background())
	}
}

// isAway notes that it is not: nothing is sent there until a check has an answer.
func (u *upstream) isAway() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.end(errAway)
}

// now is the life of the server that is under way, or over.
func (u *upstream) now() context.Context {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.life
}

func (u *upstream) isUp() bool { return u.now().Err() == nil }

// watch checks the server until ctx ends.
func (u *upstream) watch(ctx context.Context) {
	client := &http.Client{Timeout: checkTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(checkPause)
	defer tick.Stop()
	for failed := 0; ; {
		if err := u.check(ctx, client); err == nil {
			failed = 0
			u.answers()
		} else if failed++; failed >= checksFailed {
			u.isAway()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (u *upstream) check(ctx context.Context, client *http.Client) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.address+"/livez", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
