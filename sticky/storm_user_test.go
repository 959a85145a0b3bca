package sticky_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A user has one session at a time, used by several requests of a browser at once.
type user struct {
	*storm
	number int

	mu    sync.Mutex
	jar   cookie  // guarded by mu
	older cookie  // what jar was before; guarded by mu
	life  *life   // of the session; guarded by mu
	ended []ended // ids that are good no more; guarded by mu
}

// A cookie names a session and the server that had it last.
type cookie struct {
	id, route string
	since     time.Time // when the request began whose response has set it
}

// A life is what is known of one session.
type life struct {
	birth ack
	begun map[int]bool // changes, by number, that were sent and did not certainly fail
	last  int          // number
	acks  []ack
	moved bool // it was renewed, or tried to
	owned bool // by a login
	busy  bool // somebody gives it another id, or ends it
	over  bool // it has ended, perhaps
	lost  bool // it died with its server before any node had it
}

// An ack is one acknowledged change.
type ack struct {
	number int // of a life's changes
	at     *host
	when   time.Time
	sure   bool // it was on the nodes
}

// numbered is a change that adds its number to those that the session has.
func numbered(number int) *store.Change {
	return change(func(r *record.Record) {
		a, _ := r.Get("numbers")
		r.Set(record.Attribute{Name: "numbers", Value: binary.BigEndian.AppendUint16(slices.Clone(a.Value), uint16(number))})
	})
}

// numbers are the changes that r has, in order.
func numbers(r *record.Record) (all []int) {
	a, _ := r.Get("numbers")
	for two := range slices.Chunk(a.Value, 2) {
		all = append(all, int(binary.BigEndian.Uint16(two)))
	}
	return all
}

// An ended id finds nothing, unless its cookie names a server other than by, which
// may not have heard of it. Nobody uses it, so nothing repairs what tells of its end:
// it outlives one loss of a node's memory.
type ended struct {
	id, by string
	losses int64 // of nodes' memories before
}

func (u *user) locked(do func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	do()
}

func (u *user) live() {
	for {
		select {
		case <-u.stopped:
			return
		default:
		}
		switch n := u.random(100); {
		case u.orphaned():
			u.begin() // as the browser does that was told so
		case n < 55:
			u.increment()
		case n < 95 || !u.kind.moves:
			u.visit(func(r *request) { r.load() })
			u.visitEnded()
		case n < 97:
			u.visit((*request).login)
		case n < 98:
			u.visit((*request).renew)
		default:
			u.visit((*request).destroy)
		}
		time.Sleep(time.Duration(u.random(300)) * time.Millisecond)
	}
}

// orphaned reports, once, that the session is lost.
func (u *user) orphaned() (lost bool) {
	u.locked(func() { lost, u.life.lost = u.life.lost, false })
	return lost
}

func (u *user) newID() string {
	id := fmt.Sprintf("USER%02dEXAMPLEEXAMPL%07d", u.number, u.begins.Add(1)) // none twice
	u.ids.Store(placement.StorageKey("", id), id[19:])
	return id
}

// begin makes a session.
func (u *user) begin() {
	for {
		l, c := &life{begun: map[int]bool{}}, cookie{id: u.newID(), since: time.Now()}
		h := u.choose(c)
		stayed := h.Stats().Degraded
		c.route = h.name
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		_, err := h.Commit(ctx, c.id, nil, change(func(r *record.Record) { r.Created, r.IdleTimeout = time.Now(), 30*time.Minute }))
		cancel()
		dead := h.died()
		l.birth = ack{at: h, when: time.Now(), sure: u.sure(h, stayed)}
		h.requests.Done()
		if err == nil && !dead {
			u.locked(func() { u.jar, u.older, u.life = c, c, l })
			u.log("user %d: begins %s at %s", u.number, c.id[19:], h.name)
			return
		}
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			u.complain("create: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// choose is the balancer: it goes by the cookie's route, mostly.
func (u *user) choose(c cookie) *host {
	fickle := u.random(100) < 10
	for {
		h := u.server(u.random(stormServers))
		if (fickle || h.name == c.route || c.route == "") && h.enter() {
			return h
		}
		if u.random(50) == 0 {
			fickle = true // that server takes no requests
			time.Sleep(time.Millisecond)
		}
	}
}
