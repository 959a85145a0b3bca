package sticky_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// lookFrom reads the user's session from the nodes.
func (u *user) lookFrom(h *host) {
	if !h.enter() {
		return
	}
	defer h.requests.Done()
	u.mu.Lock()
	r := &request{user: u, at: h, cookie: cookie{id: u.jar.id}, life: u.life, began: time.Now()}
	r.must = r.mustSeeLocked()
	u.mu.Unlock()
	r.load()
}

// judge looks at the end, when all is sent and no fault is left.
func (s *storm) judge() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for i := range stormServers {
		if err := s.server(i).Flush(ctx, func(int) {}); err != nil {
			s.complain("app%d: Flush at the end: %v", i, err)
		}
		s.dropped += s.server(i).Stats().Dropped
	}
	s.log("%d changes were dropped", s.dropped)
	s.judgeLives()
	s.judgeEnded()
	if got := s.answers.Load(); got < 1000 && !s.t.Failed() {
		s.t.Errorf("only %d changes were acknowledged: this proves too little", got)
	}
}

// judgeLives counts what is there and what is not: a server's death costs what it
// said, and a change that was not sent before its session changed hands is counted.
func (s *storm) judgeLives() {
	unsent, lost, losers := 0, 0, 0
	for _, d := range s.deaths {
		unsent += d.unsent
	}
	for _, u := range append(s.users, s.sleeper) {
		r := &request{user: u, at: s.server(0), cookie: u.jar, life: u.life}
		v := r.finalView()
		if v == nil {
			continue
		}
		made, must := numbers(v.Record), s.mustRemain(u.life)
		wrong := u.life.wrong(made, nil)
		if wrong == "" && !u.life.owned && s.untold.Load() == 0 {
			wrong = u.life.wrong(made, must)
		}
		if wrong != "" {
			s.complain("user %d: %s at the end: %s", u.number, u.jar.id[19:], wrong)
		}
		missing := len(u.life.acks) - len(made)
		died := len(u.life.acks) - len(must)
		if died > 0 && missing > 0 {
			losers++
		}
		lost += max(missing-died, 0)
	}
	if losers > unsent {
		s.complain("%d sessions have lost changes, %d were unsent when their servers died", losers, unsent)
	}
	if lost > int(s.dropped) {
		s.complain("%d changes are missing that no death explains, %d were counted as dropped", lost, s.dropped)
	}
	if !s.kind.moves && s.dropped > 0 && s.untold.Load() == 0 {
		s.complain("%d changes were dropped, and no session has ended", s.dropped)
	}
}

// finalView is the session as the nodes have it.
func (r *request) finalView() *store.View {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err := r.at.Load(ctx, r.cookie.id, "")
	switch {
	case err == nil:
		return v
	case errors.Is(err, store.ErrNotFound) && (r.life.over || r.bornToDie(r.life)):
		return nil
	}
	r.complain("user %d: Load of %s at the end: %v", r.number, r.cookie.id[19:], err)
	return nil
}

// unborn reports whether l may be on no node: its creation was not sent, and its
// server cannot now, or does it just now.
func (s *storm) unborn(l *life) bool {
	b := l.birth
	return !b.sure && (s.bornToDie(l) || time.Since(b.when) < 10*time.Second)
}

// bornToDie reports whether the creation of l may have died with its server.
func (s *storm) bornToDie(l *life) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deaths {
		if d.takes(l.birth) {
			return true
		}
	}
	return false
}

// takes reports whether a may have been lost with d.
func (d death) takes(a ack) bool {
	return a.at == d.of && d.unsent > 0 && !a.when.Before(d.since)
}

// mustRemain is the acknowledged changes of l that cannot have died with their servers.
func (s *storm) mustRemain(l *life) (must []ack) {
	for _, a := range l.acks {
		if !slices.ContainsFunc(s.deaths, func(d death) bool { return d.takes(a) }) {
			must = append(must, a)
		}
	}
	return must
}

// judgeEnded: each server hears of an end with its check of what it has in memory.
func (s *storm) judgeEnded() {
	time.Sleep(12 * time.Second)
	for range 2 {
		for _, u := range s.users {
			for _, e := range u.ended {
				for i := range stormServers {
					s.useEnded(u, e, s.server(i), false)
				}
			}
		}
		time.Sleep(timeout)
	}
	for _, u := range s.users {
		for _, e := range u.ended {
			for i := range stormServers {
				s.useEnded(u, e, s.server(i), s.losses.Load()-e.losses <= 1)
			}
		}
	}
}

func (s *storm) useEnded(u *user, e ended, h *host, checked bool) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := h.Continue(ctx, e.id, ""); err == nil && checked {
		s.complain("user %d: %s still serves %s, which %s has ended", u.number, h.name, e.id[19:], e.by)
	}
}
