package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/record"
)

func TestNoneTouchesNoSession(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("POST", "/session", "a", "1")
	s.node.down.Store(true)
	got := b.send("GET", "/none")
	if got.StatusCode != http.StatusOK || got.body != "ok" || len(got.Cookies()) > 0 {
		t.Errorf("got %s %q and %d cookies, want 200 ok without a cookie, also when no node answers", got.Status, got.body, len(got.Cookies()))
	}
}

func TestSessionIsNotCreatedByReading(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("GET", "/session").wantError(t, http.StatusNotFound, "no session")
	b.send("GET", "/counter/n").wantJSON(t, `{"value":0}`)
	b.send("DELETE", "/session/a").wantError(t, http.StatusNotFound, "no session")
	b.send("POST", "/slow?ms=0").wantError(t, http.StatusNotFound, "no session")
	if len(b.cookies) > 0 {
		t.Errorf("got cookies %v, want none", b.cookies)
	}
}

func TestSessionAnswersEveryMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().UTC()
		b := newBrowser(t, newSite(t))
		created := b.send("POST", "/session", "name", "Ada", "empty", "", "two", "first", "two", "last").
			wantJSON(t, `{"server":"app1","new":true,"node":"n1","route":"app1","copies":[],"owner":"","attributes":{"name":"Ada","empty":"","two":"last"}}`)
		time.Sleep(5 * time.Minute)
		read := b.send("GET", "/session").
			wantJSON(t, `{"server":"app1","new":false,"node":"n1","route":"app1","copies":[],"owner":"","attributes":{"name":"Ada","empty":"","two":"last"}}`)
		if len(read) != 10 {
			t.Errorf("got %d members %v, want 10", len(read), read)
		}
		if id, _ := read["id"].(string); id == "" || read["id"] != created["id"] || strings.Contains(b.cookies["__Host-session"], id) {
			t.Errorf("id: got %v and %v, want one fingerprint that is no part of the cookie %v", created["id"], read["id"], b.cookies)
		}
		for _, member := range []string{"created", "last_accessed"} {
			text, _ := read[member].(string)
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil || !strings.HasSuffix(text, "Z") || at.Before(began.Add(-time.Second)) || at.After(began.Add(2*time.Minute)) {
				t.Errorf("%s: got %q (%v), want %v in RFC 3339, UTC", member, text, err, began)
			}
		}
		if _, ok := read["copies"].([]any); !ok {
			t.Errorf("copies: got %v, want a list", read["copies"])
		}
	})
}

func TestSecondSetIsNotNew(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("POST", "/session", "a", "1").wantJSON(t, `{"new":true}`)
	b.send("POST", "/session", "b", "2").wantJSON(t, `{"new":false,"attributes":{"a":"1","b":"2"}}`)
	b.send("DELETE", "/session/a").wantJSON(t, `{"attributes":{"b":"2"}}`)
	b.send("DELETE", "/session/a").wantJSON(t, `{"attributes":{"b":"2"}}`)
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"b":"2"}}`)
}

func TestNamesAreAnyText(t *testing.T) {
	b := newBrowser(t, newSite(t))
	const name, escaped = "a/b c?é%<>", "a%2Fb%20c%3F%C3%A9%25%3C%3E"
	b.send("POST", "/session", name, "1").wantJSON(t, `{"attributes":{"a/b c?é%<>":"1"}}`)
	b.send("DELETE", "/session/"+escaped).wantJSON(t, `{"attributes":{}}`)
	b.send("POST", "/counter/"+escaped).wantJSON(t, `{"value":1}`)
}

func TestAttributesAreShownByType(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	at := time.Date(2026, 11, 20, 12, 30, 0, 5000, time.FixedZone("", 3600))
	b.fill(s, func(s *holdfast.Session) {
		holdfast.NewKey[string]("string").Set(s, "<text>")
		holdfast.NewKey[int64]("int").Set(s, -1<<62)
		holdfast.NewKey[uint64]("uint").Set(s, math.MaxUint64)
		holdfast.NewKey[float64]("float").Set(s, 1.5)
		holdfast.NewKey[float64]("infinite").Set(s, math.Inf(1))
		holdfast.NewKey[bool]("bool").Set(s, true)
		holdfast.NewKey[time.Time]("time").Set(s, at)
		holdfast.NewKey[[]byte]("bytes").Set(s, []byte{0, 255, 1})
		holdfast.NewKey[struct{ A []int }]("struct").Set(s, struct{ A []int }{[]int{1, 2}})
	})
	var got struct{ Attributes json.RawMessage }
	answer := b.send("GET", "/session")
	if err := json.Unmarshal([]byte(answer.body), &got); err != nil {
		t.Fatalf("%s: %v", answer.body, err)
	}
	want := `{"bool":true,"bytes":"AP8B","float":1.5,"infinite":null,"int":-4611686018427387904,"string":"\u003ctext\u003e",` +
		`"struct":{"A":[1,2]},"time":"2026-11-20T11:30:00.000005Z","uint":18446744073709551615}`
	if string(got.Attributes) != want {
		t.Errorf("got %s\nwant %s", got.Attributes, want)
	}
}

// fill changes the browser's session as no route of the app does.
func (b *browser) fill(s *site, set func(*holdfast.Session)) {
	b.t.Helper()
	other := *b
	other.site = s.sessions.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		session := s.sessions.From(r.Context())
		set(session)
		if err := session.Commit(); err != nil {
			b.t.Error(err)
		}
	}))
	other.send("POST", "/")
}

func TestUnreadableAttributeIsNullAndCostsNothing(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	s.node.rewrite = spoilAttribute(t, "bad")
	b.send("POST", "/session", "bad", "no time", "good", "1")
	s.node.rewrite = nil
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"bad":null,"good":"1"}}`)
	b.send("POST", "/session", "other", "2").wantJSON(t, `{"attributes":{"bad":null,"good":"1","other":"2"}}`)
	b.send("DELETE", "/session/bad").wantJSON(t, `{"attributes":{"good":"1","other":"2"}}`)
}

// spoilAttribute stores the attribute called name with the tag of a time, which
// its bytes are not.
func spoilAttribute(t *testing.T, name string) func(key string, value []byte) []byte {
	const tagTime = 7 // docs/wire.md
	codec, err := record.NewCodec(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return func(key string, value []byte) []byte {
		r, err := codec.Parse(value, key)
		if err != nil {
			t.Errorf("stored record: %v", err)
			return value
		}
		if a, ok := r.Get(name); ok {
			r.Set(record.Attribute{Name: name, Codec: tagTime, Value: a.Value})
		}
		return codec.Append(nil, r, key)
	}
}

func TestBadFormsChangeNothing(t *testing.T) {
	b := newBrowser(t, newSite(t))
	request := func(kind, body string) *http.Request {
		r := httptest.NewRequest("POST", "/session", strings.NewReader(body))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		return r
	}
	const form = "application/x-www-form-urlencoded"
	b.do(request(form, "")).wantError(t, http.StatusBadRequest, "no fields")
	b.do(request("", "")).wantError(t, http.StatusBadRequest, "no fields")
	b.do(request("application/json", `{"a":1}`)).wantError(t, http.StatusBadRequest, form)
	b.do(request("", "a=1")).wantError(t, http.StatusBadRequest, "not a form")
	b.do(request(form, "a=%zz")).wantError(t, http.StatusBadRequest, "not a form")
	b.do(request(form, "a=1&=2")).wantError(t, http.StatusBadRequest, "needs a name")
	b.do(request(form, "a=1&"+noticeName+"=2")).wantError(t, http.StatusBadRequest, "choose another")
	b.do(request(form, "a="+strings.Repeat("x", formLimit))).wantError(t, http.StatusRequestEntityTooLarge, "4 MiB")
	b.send("POST", "/counter/"+noticeName).wantError(t, http.StatusBadRequest, "choose another")
	b.send("POST", "/login").wantError(t, http.StatusBadRequest, "user")
	for _, query := range []string{"ms=-1", "ms=60001", "ms=", "ms=1s", "at=", "at=commit"} {
		b.send("POST", "/slow?"+query, "a", "1").wantError(t, http.StatusBadRequest, "0 to 60000")
	}
	b.send("GET", "/session").wantError(t, http.StatusNotFound, "no session")
	b.do(request(form+"; charset=utf-8", "a=1")).wantJSON(t, `{"attributes":{"a":"1"}}`)
}

func TestTooLargeIs413AndLeavesTheSessionAsItWas(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("POST", "/session", "a", "1")
	b.send("POST", "/session", "b", strings.Repeat("x", 2<<20)).wantError(t, http.StatusRequestEntityTooLarge, "")
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"a":"1"}}`)
}

func TestUnavailableIs503WithRetryAfter(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("POST", "/session", "a", "1")
	s.node.down.Store(true)
	for _, request := range [][]string{
		{"GET", "/session"},
		{"POST", "/session", "a", "2"},
		{"DELETE", "/session/a"},
		{"GET", "/counter/n"},
		{"POST", "/counter/n"},
		{"POST", "/slow?ms=0", "a", "2"},
		{"POST", "/slow?ms=0&at=write", "a", "2"},
		{"POST", "/login?user=U"},
		{"POST", "/renew"},
		{"POST", "/logout"},
		{"GET", "/events"},
	} {
		got := b.send(request[0], request[1], request[2:]...)
		got.wantError(t, http.StatusServiceUnavailable, "unavailable")
		if got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: got no Retry-After", request[0], request[1])
		}
	}
	if len(b.cookies) != 1 {
		t.Errorf("got cookies %v, want the session's kept", b.cookies)
	}
	fresh := newBrowser(t, s)
	fresh.send("POST", "/session", "a", "1").wantError(t, http.StatusServiceUnavailable, "unavailable")
	s.node.down.Store(false)
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"a":"1"}}`)
}

func TestCounterAnswersNoNumberTwice(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("POST", "/session", "a", "1")
	const clients, each = 16, 20
	answers := make(chan float64, clients*each)
	var running sync.WaitGroup
	for range clients {
		window := b.clone()
		running.Go(func() {
			for range each {
				got := window.send("POST", "/counter/n")
				if got.StatusCode == http.StatusOK {
					answers <- got.json(t)["value"].(float64)
				} else {
					t.Errorf("got %s %s", got.Status, got.body)
				}
			}
		})
	}
	running.Wait()
	close(answers)
	var all []float64
	for n := range answers {
		all = append(all, n)
	}
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != clients*each || all[n-1] != float64(n) {
		t.Errorf("got %d different answers of %d, want 1 to %d once each", n, len(all), clients*each)
	}
	b.send("GET", "/counter/n").wantJSON(t, fmt.Sprintf(`{"value":%d}`, clients*each))
}

// Another request adds one between the Update of this one and its commit: the
// answer is what the commit stored, not what Update made at first.
func TestCounterAnswersWhatWasCommitted(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("POST", "/session", "a", "1")
	other := b.clone()
	s.node.beforePut = func() {
		s.node.beforePut = nil
		other.send("POST", "/counter/n").wantJSON(t, `{"value":1}`)
	}
	b.send("POST", "/counter/n").wantJSON(t, `{"value":2}`)
}

func TestCounterOnAnotherTypeIsRefused(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("POST", "/session", "a", "text")
	b.send("POST", "/counter/a").wantError(t, http.StatusConflict, `"a" is not a counter`)
	b.send("GET", "/counter/a").wantError(t, http.StatusConflict, `"a" is not a counter`)
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"a":"text"}}`)
}

func TestSlowWaitsInTheMiddle(t *testing.T) {
	for _, at := range []string{"read", "write"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBrowser(t, newSite(t))
				b.send("POST", "/session", "a", "1")
				began := time.Now()
				b.send("POST", "/slow?ms=60000&at="+at, "b", "2").wantJSON(t, `{"attributes":{"a":"1","b":"2"}}`)
				if took := time.Since(began); took != time.Minute {
					t.Errorf("took %v, want 1m", took)
				}
			})
		})
	}
}

// Another request comes in between, and both keep what they changed.
func TestSlowLosesNoOtherChange(t *testing.T) {
	for _, at := range []string{"read", "write"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBrowser(t, newSite(t))
				b.send("POST", "/session", "a", "1")
				other := b.clone()
				var slow sync.WaitGroup
				slow.Go(func() {
					b.send("POST", "/slow?ms=1000&at="+at, "slow", "yes").wantJSON(t, `{"attributes":{"a":"2","quick":"yes","slow":"yes"}}`)
				})
				time.Sleep(500 * time.Millisecond)
				other.send("POST", "/session", "a", "2", "quick", "yes").wantJSON(t, `{"attributes":{"a":"2","quick":"yes"}}`)
				slow.Wait()
			})
		})
	}
}

func TestSlowGoesOnWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, newSite(t))
		b.send("POST", "/session", "a", "1")
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequest("POST", "/slow?ms=1000", strings.NewReader("b=2")).WithContext(ctx)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		time.AfterFunc(100*time.Millisecond, leave)
		b.do(r)
		b.send("GET", "/session").wantJSON(t, `{"attributes":{"a":"1","b":"2"}}`)
	})
}

func TestLateChangesAreRefusedWith409(t *testing.T) {
	for _, ending := range []string{"/logout", "/login?user=U"} {
		t.Run(ending, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBrowser(t, newSite(t))
				b.send("POST", "/session", "a", "1")
				late := b.clone()
				var slow sync.WaitGroup
				slow.Go(func() {
					late.send("POST", "/slow?ms=1000", "late", "yes").wantError(t, http.StatusConflict, "")
				})
				time.Sleep(500 * time.Millisecond)
				b.send("POST", ending)
				slow.Wait()
				late.send("GET", "/session").wantError(t, http.StatusNotFound, "no session")
				if got := b.send("GET", "/session"); strings.Contains(got.body, "late") {
					t.Errorf("got %s, want nothing of the late change", got.body)
				}
			})
		})
	}
}

func TestLoginRenewLogout(t *testing.T) {
	b := newBrowser(t, newSite(t))
	first := b.send("POST", "/session", "a", "1").wantJSON(t, `{"owner":""}`)
	login := b.send("POST", "/login?user=Ada+L").wantJSON(t, `{"owner":"Ada L","new":false,"attributes":{"a":"1"}}`)
	renewed := b.send("POST", "/renew").wantJSON(t, `{"owner":"Ada L","attributes":{"a":"1"}}`)
	if first["id"] == login["id"] || login["id"] == renewed["id"] {
		t.Errorf("ids: got %v, %v, %v, want three", first["id"], login["id"], renewed["id"])
	}
	stolen := b.clone()
	if got := b.send("POST", "/logout"); got.StatusCode != http.StatusNoContent || got.body != "" {
		t.Errorf("logout: got %s %q, want 204 without a body", got.Status, got.body)
	}
	if len(b.cookies) > 0 {
		t.Errorf("got cookies %v after logout, want none", b.cookies)
	}
	stolen.send("GET", "/session").wantError(t, http.StatusNotFound, "no session")
	if got := b.send("POST", "/logout"); got.StatusCode != http.StatusNoContent {
		t.Errorf("second logout: got %s, want 204", got.Status)
	}
	b.send("POST", "/renew").wantError(t, http.StatusNotFound, "no session")
}

func TestLoginBeginsASession(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("POST", "/login?user=Ada").wantJSON(t, `{"owner":"Ada","new":true}`)
	b.send("GET", "/session").wantJSON(t, `{"owner":"Ada","new":false}`)
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	s.node.down.Store(true) // health is this process's, not the nodes'
	b.send("GET", "/livez").wantJSON(t, `{"status":"ok"}`)
	b.send("GET", "/readyz").wantJSON(t, `{"status":"ok"}`)
	s.stop()
	b.send("GET", "/livez").wantJSON(t, `{"status":"ok"}`)
	b.send("GET", "/readyz").wantError(t, http.StatusServiceUnavailable, "stopping")
}

func TestStatsAreTheManagers(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("POST", "/session", "a", "1")
	want, err := json.Marshal(s.sessions.Stats())
	if err != nil {
		t.Fatal(err)
	}
	b.send("GET", "/stats").wantJSON(t, string(want))
}

func TestUnknownPathsAndMethodsAnswerJSON(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("GET", "/nowhere").wantError(t, http.StatusNotFound, "/nowhere")
	b.send("GET", "/session/").wantError(t, http.StatusNotFound, "/session/")
	for target, allow := range map[string]string{"/session": "GET, HEAD, POST", "/logout": "POST", "/session/a": "DELETE", "/livez": "GET, HEAD", "/": "GET, HEAD", "/page/set": "POST"} {
		got := b.send("PATCH", target)
		got.wantError(t, http.StatusMethodNotAllowed, "PATCH "+target)
		if got.Header.Get("Allow") != allow {
			t.Errorf("PATCH %s: got Allow %q, want %q", target, got.Header.Get("Allow"), allow)
		}
	}
}

func TestOtherSitesCannotChangeASession(t *testing.T) {
	b := newBrowser(t, newSite(t))
	for _, target := range []string{"/session", "/logout", "/page/set", "/page/logout", "/nowhere"} {
		r := httptest.NewRequest("POST", target, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(r).wantError(t, http.StatusForbidden, "another site")
		r = httptest.NewRequest("POST", target, nil)
		r.Header.Set("Origin", "https://evil.example")
		b.do(r).wantError(t, http.StatusForbidden, "another site")
	}
}
