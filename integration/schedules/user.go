package schedules

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// A user is a browser: it has one session at a time, and remembers the cookies that
// it had.
type user struct {
	site *site
	name string

	mu       sync.Mutex // guards all below
	sessions int
	session  string // its name in the history; "": none
	cookie   string
	formers  []string // ids that are no longer the session's
	former   string   // the cookie before the last login or renewal
	movedAt  string   // the server of that
	ended    []ending
}

// An ending is a session that was logged out.
type ending struct{ session, cookie, server string }

// A want is one operation as a step has it: update:n@app1.
type want struct{ kind, key, server string }

var wantForm = regexp.MustCompile(`^([a-z]+)(?::([a-z]+))?@([a-z0-9]+)$`)

func parseWant(word string) (want, error) {
	m := wantForm.FindStringSubmatch(word)
	if m == nil {
		return want{}, fmt.Errorf("schedules: %q is no operation, as update:n@app1 is", word)
	}
	return want{m[1], m[2], m[3]}, nil
}

// act does what a step says. value is what it sets, unlike all others.
func (u *user) act(w want, value string) {
	if !u.hasSession() {
		return // it could not begin, or another request of this burst has ended it
	}
	switch w.kind {
	case "ghost":
		u.haunt(w)
	case "former":
		u.readAsFormer(w)
	default:
		u.send(w, value)
	}
}

func (u *user) hasSession() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.session != ""
}

// begin begins a session if there is none. If the answer is lost nobody knows its id.
// With one copy it waits for the end of a fault: a node that was silent may be left with
// a session that went elsewhere, which only a second copy would contradict later.
func (u *user) begin(server string) {
	if u.hasSession() || u.site.mode.alone() && u.site.fault != nil {
		return
	}
	u.mu.Lock()
	u.sessions++
	name := fmt.Sprint(u.name, "-", u.sessions)
	u.mu.Unlock()
	server = u.site.serverFor(server, "")
	span, w := u.site.request(server, "/begin", "")
	op := history.Op{Session: name, Server: server, Kind: history.Begin, Span: span}
	op.Outcome = outcome(w)
	u.site.add(op)
	cookie := cookieOf(w)
	if op.Outcome != history.Accepted || cookie == "" {
		return
	}
	u.mu.Lock()
	u.session, u.cookie, u.former, u.formers = name, cookie, "", nil
	u.mu.Unlock()
	u.site.noteHome(cookie)
}

// send makes one request with the browser's cookie.
func (u *user) send(w want, value string) {
	u.mu.Lock()
	session, cookie := u.session, u.cookie
	u.mu.Unlock()
	if session == "" {
		return // ended by another request of the same burst
	}
	server := u.site.serverFor(w.server, cookie)
	path := "/" + w.kind + "?" + url.Values{"k": {w.key}, "v": {value}, "ms": {"1600"}}.Encode()
	span, answer := u.site.request(server, path, cookie)
	op := history.Op{Session: session, Server: server, Kind: kinds[w.kind], Key: w.key, Span: span, Outcome: outcome(answer)}
	op.Value, op.Missing = value, missing(answer)
	if answer != nil && op.Outcome == history.Accepted {
		op.Owner = answer.Header().Get(ownerHeader)
		if op.Kind == history.Read || op.Kind == history.Update {
			op.Value = answer.Body.String()
		}
	}
	if op.Kind == history.Delete || op.Kind == history.Renew || op.Kind == history.Logout || op.Outcome != history.Accepted && op.Kind != history.Set && op.Kind != history.Login {
		op.Value = ""
	}
	u.learn(op, cookie, answer)
	u.site.add(op)
}

var kinds = map[string]history.Kind{
	"set": history.Set, "delete": history.Delete, "update": history.Update, "hold": history.Update, "read": history.Read,
	"login": history.Login, "renew": history.Renew, "logout": history.Logout,
}

// learn takes what the browser learns from an answer.
func (u *user) learn(op history.Op, sent string, answer *httptest.ResponseRecorder) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session != op.Session {
		return
	}
	former := slices.Contains(u.formers, idOf(sent))
	fresh := cookieOf(answer)
	moves := op.Kind == history.Login || op.Kind == history.Renew
	switch {
	case op.Kind == history.Logout && op.Outcome == history.Accepted:
		u.ended = append(u.ended, ending{u.session, sent, op.Server})
		u.session = ""
	case (moves || op.Kind == history.Logout) && op.Outcome == history.Unknown, op.Missing && !former:
		u.session = "" // whatever became of it, this browser has lost it
	case fresh != "" && !slices.Contains(u.formers, idOf(fresh)):
		if moves && op.Outcome == history.Accepted {
			u.formers = append(u.formers, idOf(u.cookie))
			u.former, u.movedAt = u.cookie, op.Server
		}
		u.cookie = fresh
		u.site.noteHome(fresh)
	}
}

// haunt reads a session that this browser has logged out.
func (u *user) haunt(w want) {
	u.mu.Lock()
	ended := slices.Clone(u.ended)
	u.mu.Unlock()
	if len(ended) == 0 {
		return
	}
	e := ended[len(ended)-1]
	u.look(w, e.session, e.cookie, e.server, false)
}

// readAsFormer reads with the id from before the last login or renewal.
func (u *user) readAsFormer(w want) {
	u.mu.Lock()
	session, cookie, server := u.session, u.former, u.movedAt
	u.mu.Unlock()
	if cookie != "" {
		u.look(w, session, cookie, server, true)
	}
}

// look reads with an old cookie. In sticky mode another server may know it for some
// seconds yet, as docs/modes.md has it.
func (u *user) look(w want, session, cookie, last string, former bool) {
	server := last
	if !u.site.mode.sticky() {
		server = u.site.serverFor(w.server, cookie)
	}
	span, answer := u.site.request(server, "/read?"+url.Values{"k": {w.key}}.Encode(), cookie)
	op := history.Op{
		Session: session, Server: server, Kind: history.Read, Key: w.key, Span: span, Former: former,
		Outcome: outcome(answer), Missing: missing(answer),
	}
	if op.Outcome == history.Accepted && !op.Missing {
		op.Value, op.Owner = answer.Body.String(), answer.Header().Get(ownerHeader)
	}
	u.site.add(op)
}

// expire does not use the session until it is over.
func (u *user) expire() {
	if !u.hasSession() {
		return
	}
	u.mu.Lock()
	session, cookie := u.session, u.cookie
	u.session = ""
	u.mu.Unlock()
	began := u.site.now()
	u.site.pass(idleTimeout + idleTimeout/16 + 3*time.Second)
	u.site.add(history.Op{Session: session, Kind: history.Expire, Span: history.Span{Start: began, End: u.site.now()}, Outcome: history.Accepted})
	u.look(want{"read", "a", "route"}, session, cookie, u.site.serverFor("route", cookie), false)
}
