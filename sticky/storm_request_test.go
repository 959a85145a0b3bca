package sticky_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A request is one of a browser.
type request struct {
	*user
	at     *host
	cookie cookie
	life   *life
	must   []ack // that it must see
	began  time.Time
}

// visit makes a request: mostly with the cookie of the latest response, sometimes one
// that began before that came.
func (u *user) visit(do func(*request)) {
	u.mu.Lock()
	c, l := u.jar, u.life
	if time.Since(c.since) < 5*time.Second && u.random(100) < 15 {
		c = u.older
	}
	u.mu.Unlock()
	h := u.choose(c)
	defer h.requests.Done()
	u.mu.Lock()
	r := &request{user: u, at: h, cookie: c, life: l, began: time.Now()}
	r.must = r.mustSeeLocked()
	u.mu.Unlock()
	do(r)
}

// mustSeeLocked is what a read has to show: what this very process was told, and what
// was on the nodes when it had the session from there.
func (r *request) mustSeeLocked() (must []ack) {
	for _, a := range r.life.acks {
		fromNodes := r.cookie.route != r.at.name || a.when.Before(r.cookie.since)
		here := a.at == r.at && (a.sure || !r.life.moved) // else it may wait under the former id
		if here || a.sure && fromNodes {
			must = append(must, a)
		}
	}
	return must
}

// sure reports whether a change that h has acknowledged was on the nodes by then.
func (s *storm) sure(h *host, degradedBefore uint64) bool {
	return !s.kind.options.Async && h.Stats().Degraded == degradedBefore
}

func (r *request) look(ctx context.Context) (*store.View, error) {
	switch r.cookie.route {
	case r.at.name:
		return r.at.Continue(ctx, r.cookie.id, "")
	case "":
		return r.at.Load(ctx, r.cookie.id, "")
	}
	return r.at.TakeOver(ctx, r.cookie.id, "")
}

// load reads the session, or tells that there is none to go on with.
func (r *request) load() *store.View {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err := r.look(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch l := r.life; {
	case r.at.died() || l.over || errors.Is(err, store.ErrUnavailable):
		return nil
	case errors.Is(err, store.ErrNotFound) && r.bornToDie(l):
		l.over, l.lost = true, true
		return nil
	case errors.Is(err, store.ErrNotFound) && (l.owned && (r.cookie.id != r.jar.id || l.busy) || r.unborn(l)):
		return nil
	case err != nil:
		r.complain("user %d: %s: Load of %s with route %s: %v", r.number, r.at.name, r.cookie.id[19:], r.cookie.route, err)
		return nil
	}
	r.judgeLocked(v)
	if !v.Aliased && r.cookie.route != r.at.name && r.cookie.id == r.jar.id {
		r.setLocked(cookie{id: r.cookie.id, route: r.at.name, since: r.began})
	}
	return v
}

// judgeLocked checks what was read against what was known when the request began.
func (r *request) judgeLocked(v *store.View) {
	if r.life.moved && r.at.Stats().Away {
		r.must = nil // what was changed through a former id is on the nodes only
	}
	if wrong := r.life.wrong(numbers(v.Record), r.must); wrong != "" {
		r.complain("user %d: %s read %s with route %s since %v, e%dr%d on %v: %s", r.number, r.at.name, r.cookie.id[19:],
			r.cookie.route, r.cookie.since.Sub(r.storm.began), v.Record.Epoch, v.Record.Revision, v.Record.Members, wrong)
	}
}

// wrong tells what is wrong with a session that has made these changes, when all of
// must have to be there.
func (l *life) wrong(made []int, must []ack) string {
	seen := map[int]bool{}
	for _, n := range made {
		switch {
		case seen[n]:
			return fmt.Sprintf("change %d was made twice", n)
		case !l.begun[n]:
			return fmt.Sprintf("change %d was never begun, or said to have failed", n)
		}
		seen[n] = true
	}
	if lost := slices.DeleteFunc(slices.Clone(must), func(a ack) bool { return seen[a.number] }); len(lost) > 0 {
		a := lost[0]
		return fmt.Sprintf("%d changes are missing, first number %d, sure %v, which %s has answered; there are %d, up to %v",
			len(lost), a.number, a.sure, a.at.client, len(made), made[max(0, len(made)-3):])
	}
	return ""
}

func (r *request) setLocked(c cookie) { r.older, r.jar = r.jar, c }

func (u *user) increment() { u.visit((*request).increment) }

var errHands = errors.New("the session has changed hands")

func (r *request) increment() {
	v := r.load()
	if v == nil {
		return
	}
	number := 0
	r.locked(func() {
		r.life.last++
		number = r.life.last
		r.life.begun[number] = true
	})
	ch, login := numbered(number), v.Record.Login
	add := ch.Apply
	pause := time.Duration(r.random(1000)) * time.Microsecond
	ch.Apply = func(r *record.Record) error {
		time.Sleep(pause) // so that others come between
		if r.Login != login {
			return errHands
		}
		return add(r)
	}
	stayed := r.at.Stats().Degraded
	after, err := r.give(v, ch)
	r.locked(func() {
		switch dead := r.at.died(); {
		case dead || errors.Is(err, store.ErrUnknownOutcome):
		case err == nil:
			r.life.acks = append(r.life.acks, ack{number: number, at: r.at, when: time.Now(), sure: r.sure(r.at, stayed)})
			r.answers.Add(1)
			r.log("user %d: %s has made change %d of %s: e%dr%d on %v", r.number, r.at.name, number, r.cookie.id[19:], after.Record.Epoch, after.Record.Revision, after.Record.Members)
		case errors.Is(err, store.ErrUnavailable):
			delete(r.life.begun, number)
		case !r.life.over && !r.life.owned:
			r.complain("user %d: %s: Commit: %v", r.number, r.at.name, err)
		}
	})
}

// give commits ch, and gives it again while nobody knows what became of it.
func (r *request) give(v *store.View, ch *store.Change) (after *store.View, err error) {
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		after, err = r.at.Commit(ctx, r.cookie.id, v, ch)
		cancel()
		if !errors.Is(err, store.ErrUnknownOutcome) || r.random(2) == 0 {
			break
		}
	}
	return after, err
}
