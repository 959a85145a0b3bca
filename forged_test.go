package holdfast_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

func ringKey(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

func ring(keys ...[]byte) *holdfast.Options { return &holdfast.Options{Keys: keys} }

// macOf splits a cookie of node n1 into what stands before the MAC, and the MAC.
func macOf(t *testing.T, cookie string) (before, mac string) {
	t.Helper()
	before, after, found := strings.Cut(cookie, "~")
	mac, _, hinted := strings.Cut(after, "-n1")
	if !found || !hinted || len(mac) != 16 {
		t.Fatalf("cookie %q has no MAC of 16 characters", cookie)
	}
	return before, mac
}

const invented = "__Host-session=INVENTEDINVENTEDINVENTED23"

// An invented id costs the store nothing, whatever the request does, and counts.
func TestAForgedIDCostsNoStoreOperation(t *testing.T) {
	for _, c := range []struct {
		name, cookie string
		forged       uint64
	}{
		{"no MAC", invented + "-n1", 1},
		{"a wrong MAC", invented + "~AAAAAAAAAAAAAAAA-n1", 1},
		{"a MAC that is too short", invented + "~AAAA-n1", 1},
		{"two of them", invented + "-n1; " + invented + "~AAAAAAAAAAAAAAAA-n1", 2},
		{"a thousand of them", strings.Repeat(invented+"~AAAAAAAAAAAAAAAA-n1; ", 1000), 64},
	} {
		for _, path := range []string{"/read", "/unused", "/renew", "/destroy"} {
			t.Run(c.name+path, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					on := newTap()
					m := newManager(t, on, ring(ringKey(1)))
					v := visit(m, changeOrRead)
					v.cookie = c.cookie
					w := v.get(path)
					synctest.Wait() // what runs behind the request
					wantStatus(t, w, http.StatusOK)
					wantNoCookie(t, w)
					if got := on.drain(); got != "" {
						t.Errorf("operations: %s; want none", got)
					}
					if got := m.Stats().Forged; got != c.forged {
						t.Errorf("Stats has %d forged, want %d", got, c.forged)
					}
				})
			})
		}
	}
}

// Without keys nobody can tell, so an unknown id is looked for: the test above
// counts what it means to count.
func TestWithoutKeysAnUnknownIDIsLookedFor(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, changeOrRead)
	v.cookie = invented + "~AAAAAAAAAAAAAAAA-n1"
	wantBody(t, v.get("/read"), "0|||")
	if got, forged := on.drain(), m.Stats().Forged; got != "get" || forged != 0 {
		t.Errorf("operations %q, %d forged; want one get, none forged", got, forged)
	}
}

func TestAForgedCookieIsReplacedWhenASessionBegins(t *testing.T) {
	m := newManager(t, newTap(), ring(ringKey(1)))
	v := visit(m, changeOrRead)
	v.cookie = invented + "-n1"
	wantBody(t, v.get("/change"), "1|||")
	if strings.HasPrefix(v.sends(), invented) {
		t.Errorf("cookie %q: the invented id was adopted", v.sends())
	}
	macOf(t, v.sends())
	wantBody(t, v.get("/change"), "2|||")
}

// Whoever adds forged cookies in front of the real one changes nothing.
func TestForgedCookiesDoNotHideTheRealOne(t *testing.T) {
	m := newManager(t, newTap(), ring(ringKey(1)))
	real := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	before, mac := macOf(t, real)
	for name, header := range map[string]string{
		"other ids":                  strings.Repeat(invented+"~AAAAAAAAAAAAAAAA; ", 20) + real,
		"the same id, another MAC":   before + "~AAAAAAAAAAAAAAAA-n1; " + real,
		"the same id without a MAC":  before + "; " + real,
		"behind it":                  real + "; " + invented,
		"another balancer's ending":  real + "!balancer",
		"a wrong hint":               before + "~" + mac + "-n9.app9",
		"no hint":                    before + "~" + mac,
		"the same one several times": strings.Repeat(real+"; ", 100),
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(m, show)
			v.cookie = header
			wantBody(t, v.get("/"), "0|old||")
		})
	}
}

func TestTheMACStaysWhenTheHintsChange(t *testing.T) {
	m := newManager(t, newTap(), &holdfast.Options{Keys: [][]byte{ringKey(1)}, Route: "app1"})
	v := visit(m, changeOrRead)
	v.get("/change")
	begun := v.sends()
	before, mac := macOf(t, begun)
	v.cookie = before + "~" + mac + "-n9"
	wantBody(t, v.get("/read"), "1|||")
	if got := v.sends(); got != begun {
		t.Errorf("cookie %q, want %q as before", got, begun)
	}
	wantNoCookie(t, v.get("/read"))
	wantBody(t, v.get("/renew"), "1|||")
	if again, other := macOf(t, v.sends()); again == before || other == mac {
		t.Errorf("cookie %q after a renewal, %q before: want another id and MAC", v.sends(), begun)
	}
}

// A cookie of an older key is accepted and replaced once, so that the older key
// can go; and so is one without a MAC while keys are introduced.
func TestAnOutdatedMACIsReplacedOnce(t *testing.T) {
	for name, c := range map[string]struct{ begun, now, afterwards *holdfast.Options }{
		"rotation": {ring(ringKey(1)), ring(ringKey(2), ringKey(1)), ring(ringKey(2))},
		"introduction": {
			nil, &holdfast.Options{Keys: [][]byte{ringKey(1)}, AllowPlain: true}, ring(ringKey(1)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on := newTap()
				old := beginSession(newManager(t, on, c.begun), func(s *holdfast.Session) { textKey.Set(s, "old") })
				now := newManager(t, on, c.now)
				v := visit(now, show)
				v.cookie = old
				time.Sleep(5 * time.Minute) // so that the read stores the record again, too
				wantBody(t, v.get("/"), "0|old||")
				synctest.Wait() // it does so behind the request
				if got := done(old, v.sends()); got != "signs" {
					t.Errorf("the response %s the cookie, want signs: %q, was %q", got, v.sends(), old)
				}
				wantNoCookie(t, v.get("/"))
				if got := now.Stats().Forged; got != 0 {
					t.Errorf("Stats has %d forged, want none", got)
				}
				v = v.with(newManager(t, on, c.afterwards).Handler(page(show)))
				wantBody(t, v.get("/"), "0|old||")
				v.cookie = old
				wantBody(t, v.get("/"), "0|||") // the former key, or plain, is over
			})
		})
	}
}

// A program that has the id itself needs no MAC, and keys still guard what is stored.
func TestWithKeysAProgramMayUseAnIDItself(t *testing.T) {
	on := newTap()
	m := newManager(t, on, ring(ringKey(1)))
	var id holdfast.ID
	beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old"); id = s.ID() })
	if err := m.With(context.Background(), id, increment); err != nil {
		t.Errorf("With: %v", err)
	}
	other := newManager(t, on, ring(ringKey(2)))
	if err := other.With(context.Background(), id, increment); !errors.Is(err, holdfast.ErrUnreadable) {
		t.Errorf("With, another key: %v, want ErrUnreadable", err)
	}
}

func TestAPlainRecordIsUnreadableWhereKeysAre(t *testing.T) {
	on := newTap()
	var id holdfast.ID
	beginSession(newManager(t, on, nil), func(s *holdfast.Session) { increment(s); id = s.ID() })
	err := newManager(t, on, ring(ringKey(1))).With(context.Background(), id, increment)
	if !errors.Is(err, holdfast.ErrUnreadable) {
		t.Errorf("With: %v, want ErrUnreadable", err)
	}
}

// Cookies of holdfasttest are signed like a browser's.
func TestTestCookiesAreSigned(t *testing.T) {
	m := newManager(t, newTap(), ring(ringKey(1)))
	c := holdfasttest.NewClient(m, m.Handler(page(show)))
	c.Session(func(s *holdfast.Session) { textKey.Set(s, "old") })
	wantBody(t, c.Get("/"), "0|old||")
	r := holdfasttest.With(httptestRequest(t.Context()), m, func(s *holdfast.Session) { textKey.Set(s, "with") })
	v := visit(m, show)
	wantBody(t, v.send(r), "0|with||")
	if got := m.Stats().Forged; got != 0 {
		t.Errorf("Stats has %d forged, want none", got)
	}
}

// A thousand forged cookies from many browsers leave a real session alone.
func TestForgedCookiesInParallel(t *testing.T) {
	on := newTap()
	m := newManager(t, on, ring(ringKey(1), ringKey(2)))
	real := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	handler := m.Handler(page(show))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				v, want := &visitor{handler: handler, cookie: invented + "-n1"}, "0|||"
				if i%2 == 0 {
					v.cookie, want = real, "0|old||"
				}
				wantBody(t, v.get("/"), want)
			}
		})
	}
	all.Wait()
	if got := m.Stats().Forged; got != 80 {
		t.Errorf("Stats has %d forged, want 80", got)
	}
}
