package sticky_test

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// claim reports whether this request is the only one that moves or ends the session.
func (r *request) claim() (mine bool) {
	r.locked(func() {
		mine = !r.life.busy && !r.life.over && r.cookie.id == r.jar.id
		r.life.busy = r.life.busy || mine
	})
	return mine
}

func (r *request) login() {
	r.move(true, &store.Change{Apply: func(r *record.Record) error {
		r.Owner = "bob"
		r.Login++
		return nil
	}})
}

func (r *request) renew() {
	r.move(false, &store.Change{Grace: 10 * time.Second, Apply: func(*record.Record) error { return nil }})
}

// move gives the session a new id.
func (r *request) move(owned bool, ch *store.Change) {
	if !r.claim() {
		return
	}
	r.locked(func() { r.life.moved, r.life.owned = true, r.life.owned || owned })
	var moved *store.View
	err := store.ErrUnavailable
	ch.RenewTo, ch.Commit = r.newID(), uint64(r.begins.Load())
	if v := r.load(); v != nil {
		for range 5 {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			moved, err = r.at.Commit(ctx, r.cookie.id, v, ch)
			cancel()
			if !errors.Is(err, store.ErrUnknownOutcome) {
				break
			}
		}
	}
	r.moved(moved, ch, owned, err)
}

// moved takes note of what came of it. If nobody knows, the browser has lost its
// session.
func (r *request) moved(v *store.View, ch *store.Change, owned bool, err error) {
	r.mu.Lock()
	r.life.busy = false
	lost := err != nil && (r.at.died() || !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome))
	switch {
	case r.life != r.user.life: // the browser has given it up
		lost = false
	case err == nil && !r.at.died() && !v.Aliased:
		r.log("user %d: %s moves %s to %s, login %v", r.number, r.at.name, r.cookie.id[19:], ch.RenewTo[19:], owned)
		r.setLocked(cookie{id: ch.RenewTo, route: r.at.name, since: r.began})
		from := ended{id: r.cookie.id, by: r.at.name, losses: r.repaired.Load()}
		if owned {
			r.ended = append(r.ended, from)
		}
	case err == nil && r.at.died():
		lost = true
	case lost && !r.at.died() && !errors.Is(err, store.ErrUnknownOutcome):
		r.complain("user %d: %s: renewal: %v", r.number, r.at.name, err)
	}
	r.life.over = r.life.over || lost
	r.mu.Unlock()
	if lost {
		r.begin()
	}
}

// destroy ends the session and begins another.
func (r *request) destroy() {
	if !r.claim() {
		return
	}
	v := r.load()
	if v == nil {
		r.locked(func() { r.life.busy = false })
		return
	}
	r.locked(func() { r.life.over = true })
	for !r.at.died() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		err := r.at.Destroy(ctx, v)
		cancel()
		if err == nil && !r.at.died() {
			r.log("user %d: %s destroys %s", r.number, r.at.name, r.cookie.id[19:])
			r.locked(func() { r.ended = append(r.ended, ended{id: r.cookie.id, by: r.at.name, losses: r.repaired.Load()}) })
			break
		}
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			r.complain("user %d: Destroy: %v", r.number, err)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.begin()
}

// visitEnded is a request with an id that is good no more, as nobody's browser sends it.
func (u *user) visitEnded() {
	u.mu.Lock()
	all := u.ended
	for len(all) > 0 && u.losses.Load()-all[0].losses > 1 {
		all = all[1:]
	}
	u.ended = all
	u.mu.Unlock()
	if len(all) == 0 {
		return
	}
	e := all[u.random(len(all))]
	h := u.choose(cookie{})
	defer h.requests.Done()
	route := []string{e.by, "", "elsewhere"}[u.random(3)]
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r := &request{user: u, at: h, cookie: cookie{id: e.id, route: route}}
	if v, err := r.look(ctx); err == nil && !h.died() && u.losses.Load()-e.losses <= 1 {
		u.complain("user %d: %s serves %s with route %q, which %s has ended: aliased %v, epoch %d, %v", u.number, h.name, e.id[19:], route, e.by,
			v.Aliased, v.Record.Epoch, v.Record.Members)
	}
}
