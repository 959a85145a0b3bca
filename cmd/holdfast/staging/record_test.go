package staging

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A script answers requests one after the other.
type script []func() (*http.Response, error)

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	next := (*s)[0]
	*s = (*s)[1:]
	return next()
}

// gives is an answer with a cookie, if that is not "".
func gives(status int, body, cookie string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		if cookie != "" {
			res.Header.Set("Set-Cookie", rig.CookieName+"="+cookie)
		}
		return res, nil
	}
}

func fails(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

func scripted(m Mode, answers ...func() (*http.Response, error)) *check {
	s := script(answers)
	return newCheck(Options{Mode: m, transport: &s}, fakeCluster(m, 2, 0))
}

var (
	post = request{method: http.MethodPost, path: "/session"}
	get  = request{method: http.MethodGet, path: "/session"}
)

func TestOutcomeOfARequest(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("refused")}
	cut := errors.New("connection reset")
	for name, c := range map[string]struct {
		answers []func() (*http.Response, error)
		request request
		want    history.Outcome
		missing bool
	}{
		"accepted":                                {[]func() (*http.Response, error){gives(200, "{}", "")}, post, history.Accepted, false},
		"the session changed hands":               {[]func() (*http.Response, error){gives(409, "", "")}, post, history.Unknown, false},
		"no node answers a change":                {[]func() (*http.Response, error){gives(503, "", "")}, post, history.Unknown, false},
		"no node answers a read":                  {[]func() (*http.Response, error){gives(503, "", "")}, get, history.Refused, false},
		"the answer to a change does not come":    {[]func() (*http.Response, error){fails(cut)}, post, history.Unknown, false},
		"the second server takes a change":        {[]func() (*http.Response, error){fails(refused), gives(200, "{}", "")}, post, history.Accepted, false},
		"the second server takes a read":          {[]func() (*http.Response, error){fails(cut), gives(200, "{}", "")}, get, history.Accepted, false},
		"no server can be reached":                {[]func() (*http.Response, error){fails(refused), fails(refused), fails(refused)}, post, history.Refused, false},
		"there is no such session":                {[]func() (*http.Response, error){gives(404, "", "")}, get, history.Accepted, true},
		"another session begins in its place":     {[]func() (*http.Response, error){gives(200, "{}", "other-n1.app1")}, post, history.Accepted, true},
		"the session gets another place, no more": {[]func() (*http.Response, error){gives(200, "{}", "id-n2.app1")}, post, history.Accepted, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := scripted(modes()[0], c.answers...)
			s := &session{name: "s", cookie: "id-n1.app1"}
			got := k.do(s, s.present(k.now), history.Op{Kind: history.Set, Key: "color", Value: "v"}, c.request)
			if got.Outcome != c.want || got.Missing != c.missing {
				t.Errorf("got outcome %s, missing %v, want %s, %v", outcomeName(got.Outcome), got.Missing, outcomeName(c.want), c.missing)
			}
		})
	}
}

func TestAbsenceThatMayBeRightIsNotJudged(t *testing.T) {
	for name, c := range map[string]struct {
		struck int64
		want   bool // a violation
	}{"used a moment ago": {1, true}, "two faults since": {2, false}} {
		t.Run(name, func(t *testing.T) {
			k := scripted(modes()[0], gives(200, "{}", "one.app1"), gives(404, "", ""))
			s := k.begin()
			k.struck.Store(c.struck)
			k.read(s, s.present(k.now))
			if err := k.seen.Check(); (err != nil) != c.want {
				t.Errorf("verdict %v, want a violation: %v", err, c.want)
			}
			if !s.isOver() {
				t.Error("it is gone, and used again")
			}
		})
	}
}

func TestStrangeAnswerIsAViolation(t *testing.T) {
	k := scripted(modes()[0], gives(500, "panic", ""))
	s := &session{name: "s", cookie: "id"}
	k.do(s, s.present(k.now), history.Op{Kind: history.Set, Key: "color", Value: "v"}, post)
	if k.seen.Check() == nil {
		t.Error("nothing is wrong with the status 500")
	}
}

func TestFormerIdIsTheOneBeforeTheLastChange(t *testing.T) {
	k := scripted(modes()[0], gives(200, "{}", "two.app1"), gives(200, "{}", "three.app1"), gives(204, "", ""))
	s := &session{name: "s", cookie: "one.app1"}
	k.client().change(s, history.Renew)
	k.client().change(s, history.Login)
	if now, former := s.present(k.now), s.presentFormer(k.now); now.cookie != "three.app1" || former.cookie != "two.app1" || !former.former {
		t.Errorf("got %+v and %+v", now, former)
	}
	k.client().change(s, history.Logout)
	if !s.isOver() || k.places.anyGone() != s {
		t.Error("after its logout the session is not over")
	}
}

func (c *check) client() *client { return &client{c} }

// With asynchronous backup an answer to an id from before is no promise of what is
// stored.
func TestAnswersToAFormerIdAreNotCountedOnWithAsynchronousBackup(t *testing.T) {
	for _, c := range []struct {
		mode Mode
		want bool // a violation
	}{{modes()[1], true}, {modes()[2], false}} {
		t.Run(c.mode.Name, func(t *testing.T) {
			k := scripted(c.mode,
				gives(200, `{"attributes":{"color":"v1"}}`, "one.app1"), gives(200, "{}", "two.app1"),
				gives(200, `{"value":1}`, ""), gives(200, `{"value":1}`, ""))
			s := k.begin()
			k.client().change(s, history.Renew)
			k.update(s, s.presentFormer(k.now))
			k.update(s, s.present(k.now))
			if err := k.seen.Check(); (err != nil) != c.want {
				t.Errorf("two changes were told the same: verdict %v, want a violation: %v", err, c.want)
			}
		})
	}
}

func TestSessionIsDoubtfulAfterTwoFaultsOrALongPause(t *testing.T) {
	s := &session{name: "s", cookie: "one"}
	s.use(time.Second, 3)
	for _, c := range []struct {
		now    time.Duration
		struck int64
		want   bool
	}{
		{time.Second, 3, false},
		{time.Second, 4, false},
		{time.Second, 5, true},
		{time.Second + shortPause, 3, false},
		{time.Second + idleTimeout, 3, true},
	} {
		if got := s.doubtful(c.now, c.struck); got != c.want {
			t.Errorf("at %v, after %d faults: got %v, want %v", c.now, c.struck, got, c.want)
		}
	}
}
