package holdfast

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// An Explanation is one thing that this server learnt about an id which keeps, or
// kept, a request from getting the session.
type Explanation struct {
	At time.Time `json:"at"` // when this server learnt it last

	// What happened:
	//
	//	ended        here. Reason: logout, idle or absolute
	//	renewed      here: the session got another id
	//	missed       there is no session under this id. Reason: how it ended, or that no node has it
	//	lost         a request had read the session, and then no node had it any more
	//	unavailable  it could not be found out. Reason: the error, which names the nodes
	//	unreadable   there is a session that this program cannot read. Reason: the error
	//	ignored      the cookie was not looked for. Reason: what is wrong with it
	What string `json:"what"`

	// Reason is for people who run the servers: it may name nodes.
	Reason string `json:"reason"`
}

// Explain returns what this server remembers of id, the latest first. It takes a
// fingerprint as well, as it stands in logs: ID("a1B2c3D4"). The last thousand
// endings and misses are remembered, and only those that were met here: other
// servers have their own, and a restart forgets.
func (m *Manager) Explain(id ID) []Explanation {
	if len(id) != fingerprintSize {
		id = ID(id.String())
	}
	return m.memory.about(string(id))
}

// Explain returns, the latest first, why this request may have no session: what is
// wrong with its cookie, and what [Manager.Explain] has of the id in it.
func (s *Session) Explain() []Explanation {
	if s.m == nil {
		return nil
	}
	_ = s.load() // the error is kept, and remembered as a reason
	looked := s.presented()
	var all []Explanation
	if s.req != nil {
		for _, reason := range s.m.transport.ignored(s.req, looked) {
			all = append(all, Explanation{time.Now(), "ignored", reason})
		}
	}
	for _, t := range looked {
		all = append(all, s.m.Explain(t.id)...)
	}
	return all
}

func (t *cookieTransport) ignored(r *http.Request, looked []token) (reasons []string) {
	for _, c := range r.CookiesNamed(t.cookie.Name) {
		switch sent, ok := parseToken(c.Value); {
		case !ok:
			reasons = append(reasons, "the cookie does not hold an id")
		case !contains(looked, sent.id):
			reasons = append(reasons, "the MAC behind the id is missing or wrong, or there are too many cookies")
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// A memory of why sessions ended and were not found.
type memory struct {
	mu   sync.Mutex
	ring []remembered  // guarded by mu
	next int           // in ring, once it is full; guarded by mu
	at   map[event]int // where each is in ring; guarded by mu
}

type remembered struct {
	event
	at time.Time
}

// An event is what happened to an id.
type event struct{ fingerprint, what, reason string }

const maxRemembered = 1000

// note remembers what happened to id. What is known already happened again: a
// client that asks and asks must not push out what happened to the others.
func (m *memory) note(id ID, what, reason string) {
	e, now := event{id.String(), what, reason}, time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if i, known := m.at[e]; known {
		m.ring[i].at = now
		return
	}
	if m.at == nil {
		m.at = map[event]int{}
	}
	if len(m.ring) < maxRemembered {
		m.at[e] = len(m.ring)
		m.ring = append(m.ring, remembered{e, now})
		return
	}
	delete(m.at, m.ring[m.next].event)
	m.at[e], m.ring[m.next] = m.next, remembered{e, now}
	m.next = (m.next + 1) % maxRemembered
}

func (m *memory) about(fingerprint string) []Explanation {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Explanation
	for i := range m.ring { // the newest entry first
		if r := &m.ring[(m.next+len(m.ring)-1-i)%len(m.ring)]; r.fingerprint == fingerprint {
			all = append(all, Explanation{r.at, r.what, r.reason})
		}
	}
	slices.SortStableFunc(all, func(a, b Explanation) int { return b.At.Compare(a.At) })
	return all
}

// noteMiss remembers why there is no session called id, if err says so.
func (m *memory) noteMiss(id ID, err error) {
	switch gone, known := errors.AsType[*store.GoneError](err); {
	case err == nil, errors.Is(err, context.Canceled): // the client went away
	case known && gone.Ended != nil:
		m.note(id, "ended", gone.Reason.String())
	case known && gone.Lately:
		m.note(id, "missed", "it was renewed a moment ago: its new id is on the way to the browser")
	case known && gone.Reason == 0, errors.Is(err, store.ErrRenewed):
		m.note(id, "missed", "it was renewed: it has another id")
	case known:
		m.note(id, "missed", "it ended by "+gone.Reason.String())
	case errors.Is(err, store.ErrDestroyed):
		m.note(id, "missed", "it ended by logout")
	case errors.Is(err, ErrNoSession):
		m.note(id, "lost", "no node has it any more")
	case errors.Is(err, store.ErrNotFound):
		m.note(id, "missed", "no node has it: it expired there, was lost, or never was")
	case errors.Is(err, store.ErrUnavailable):
		m.note(id, "unavailable", err.Error())
	case errors.Is(err, ErrUnreadable):
		m.note(id, "unreadable", err.Error())
	}
}
