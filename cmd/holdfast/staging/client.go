package staging

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A request is one to an app server, as its API has it.
type request struct {
	method, path, form string
	cookie             string // value; "": none
}

// An answer is what came back, or err if nothing did.
type answer struct {
	server string
	status int
	body   []byte
	cookie string // that it sets; "": none
	err    error
}

// requestTimeout is more than anything takes that is answered at all.
const requestTimeout = 15 * time.Second

// send gets r to an app server as a balancer does: to another when it certainly did not
// reach the first; one that changes nothing also when no answer came.
func (c *check) send(r request) (a answer) {
	c.meter.underWay.Add(1)
	defer c.meter.underWay.Add(-1)
	a.err = errNoServer
	var vain []*server
	for s := c.cluster.pick(r.cookie, nil); s != nil; s = c.cluster.pick(r.cookie, vain) {
		a = c.ask(s, r)
		if a.err == nil || r.method != http.MethodGet && !ledger.NeverSent(a.err) {
			break
		}
		vain = append(vain, s)
	}
	return a
}

var errNoServer = errors.New("no app server can be reached")

func (c *check) ask(s *server, r request) answer {
	a := answer{server: s.Name}
	// No context of the caller's: a request whose client leaves tells nothing.
	req, err := http.NewRequestWithContext(context.Background(), r.method, "http://"+s.Address+r.path, strings.NewReader(r.form))
	if err != nil {
		a.err = err
		return a
	}
	if r.form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.cookie != "" {
		req.AddCookie(&http.Cookie{Name: rig.CookieName, Value: r.cookie})
	}
	res, err := c.http.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer res.Body.Close()
	a.status = res.StatusCode
	a.body, a.err = io.ReadAll(res.Body)
	for _, cookie := range res.Cookies() {
		if cookie.Name == rig.CookieName && cookie.MaxAge >= 0 {
			a.cookie = cookie.Value
		}
	}
	return a
}

// outcome is what the client knows. A request that changes nothing and failed is
// refused: it cannot have done anything.
func (a answer) outcome(r request) history.Outcome {
	switch {
	case a.err == errNoServer || a.err != nil && ledger.NeverSent(a.err):
		return history.Refused
	case a.err == nil && (a.status < 300 || a.status == http.StatusNotFound):
		return history.Accepted
	case r.method == http.MethodGet:
		return history.Refused
	}
	// A conflict too: what was sent may be there under the id that the session has got.
	return history.Unknown
}

// strange reports an answer that no app server may give.
func (a answer) strange() bool {
	if a.err != nil {
		return false
	}
	switch a.status {
	case http.StatusOK, http.StatusNoContent, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable:
		return false
	}
	return true
}

// missing reports whether the answer says that there is no such session: in so many
// words, or by beginning another one.
func (a answer) missing(r request, changesID bool) bool {
	if a.status == http.StatusNotFound {
		return true
	}
	if changesID {
		return r.cookie != "" && a.view().New
	}
	return r.cookie != "" && a.cookie != "" && idOf(a.cookie) != idOf(r.cookie)
}

// idOf is the session id in a cookie's value, without the hints behind it.
func idOf(cookie string) string {
	if end := strings.IndexAny(cookie, "~-."); end >= 0 {
		return cookie[:end]
	}
	return cookie
}

// A view is a session as the API shows it.
type view struct {
	New        bool
	Owner      string
	Attributes map[string]json.RawMessage
}

func (a answer) view() (v view) {
	_ = json.Unmarshal(a.body, &v) // what is not one has nothing
	return v
}

// attribute is the text or the number of that name, "" if there is none.
func (v view) attribute(name string) (value string) {
	raw := v.Attributes[name]
	if json.Unmarshal(raw, &value) != nil {
		return string(raw)
	}
	return value
}

// counted is what POST /counter answers, in decimal.
func (a answer) counted() string {
	var counter struct{ Value json.Number }
	_ = json.Unmarshal(a.body, &counter)
	return counter.Value.String()
}
