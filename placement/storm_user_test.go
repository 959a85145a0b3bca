package placement_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A user has one session at a time, used by several requests at once.
type user struct {
	*storm
	name int

	mu        sync.Mutex
	id        string // guarded by mu
	life      *life
	destroyed []string // ids of sessions whose end was acknowledged; guarded by mu
}

// A life is what is known of one session.
type life struct {
	begun, acknowledged, unknown int
	ending                       bool // somebody destroys it
}

func (u *user) begin() {
	for {
		next := fmt.Sprintf("USER%02dEXAMPLEEXAMPL%07d", u.name, u.begins.Add(1)) // none twice
		_, err := u.server(u.random(len(u.servers))).Commit(context.Background(), next, nil, settings(30*time.Minute, time.Time{}))
		if err == nil {
			u.mu.Lock()
			u.id, u.life = next, new(life)
			u.mu.Unlock()
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			u.t.Errorf("create: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (u *user) live() {
	for {
		select {
		case <-u.stopped:
			return
		default:
		}
		server := u.random(len(u.servers))
		switch n := u.random(100); {
		case n < 60:
			u.increment(server)
		case n < 98:
			u.read(server)
		default:
			u.destroy(server)
		}
		time.Sleep(time.Duration(u.random(300)) * time.Millisecond)
	}
}

func (u *user) now() (id string, l *life, acknowledged int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.id, u.life, u.life.acknowledged
}

// load checks what it finds against what was known when it began.
func (u *user) load(server int) (*store.View, string, *life) {
	id, l, least := u.now()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err := u.server(server).Load(ctx, id, "")
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case l.ending || errors.Is(err, store.ErrUnavailable):
		return nil, id, l
	case err != nil:
		u.t.Errorf("user %d: app%d: Load: %v", u.name, server, err)
		return nil, id, l
	}
	if got := total(v.Record); got < least || got > l.begun {
		u.t.Errorf("user %d: app%d read %d, after %d were acknowledged and %d begun", u.name, server, got, least, l.begun)
	}
	return v, id, l
}

func (u *user) read(server int) {
	u.load(server)
	u.mu.Lock()
	ended := ""
	if len(u.destroyed) > 0 {
		ended = u.destroyed[u.random(len(u.destroyed))]
	}
	u.mu.Unlock()
	if ended == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := u.server(server).Load(ctx, ended, ""); err == nil {
		u.t.Errorf("user %d: app%d serves a destroyed session", u.name, server)
	}
}

func (u *user) increment(server int) {
	v, id, l := u.load(server)
	if v == nil {
		return
	}
	u.locked(func() { l.begun++ })
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	made, err := u.server(server).Commit(ctx, id, v, oneMore())
	u.locked(func() {
		switch {
		case err == nil:
			l.acknowledged++
			u.answers.Add(1)
			if got := total(made.Record); got > l.begun {
				u.t.Errorf("user %d: made %d of %d", u.name, got, l.begun)
			}
		case errors.Is(err, store.ErrUnknownOutcome):
			l.unknown++
		case !errors.Is(err, store.ErrUnavailable) && !l.ending:
			u.t.Errorf("user %d: app%d: Commit: %v", u.name, server, err)
		}
	})
}

func (u *user) locked(do func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	do()
}

// destroy ends the session, and begins another when that is acknowledged.
func (u *user) destroy(server int) {
	v, id, l := u.load(server)
	if v == nil {
		return
	}
	u.locked(func() { l.ending = true })
	for {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		err := u.server(server).Destroy(ctx, v)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrUnavailable) {
			u.t.Errorf("user %d: Destroy: %v", u.name, err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	u.begin()
	u.locked(func() { u.destroyed = append(u.destroyed, id) })
}

// judge looks at the end.
func (u *user) judge() {
	for i := range u.servers {
		v, _, l := u.load(i)
		if v == nil {
			u.t.Errorf("user %d: app%d does not find the session at the end", u.name, i)
			continue
		}
		got := total(v.Record)
		if got < l.acknowledged || got > l.acknowledged+l.unknown {
			u.t.Errorf("user %d: %d increments, %d acknowledged and %d unknown", u.name, got, l.acknowledged, l.unknown)
		}
	}
}

// oneMore counts without an end.
func oneMore() *store.Change {
	return change(func(r *record.Record) {
		r.Set(record.Attribute{Name: "n", Value: strconv.AppendInt(nil, int64(total(r)+1), 10)})
	})
}

func total(r *record.Record) int {
	a, _ := r.Get("n")
	n, _ := strconv.Atoi(string(a.Value))
	return n
}
