package holdfast_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

func TestKeyRotation(t *testing.T) {
	former, latter := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	begun := &holdfast.Options{Keys: [][]byte{former}}
	for name, c := range map[string]struct {
		begun, now *holdfast.Options
		status     int
		stored     string
	}{
		"the same key":             {begun, begun, 200, "1|old||"},
		"new key second":           {begun, &holdfast.Options{Keys: [][]byte{former, latter}}, 200, "1|old||"},
		"new key first":            {begun, &holdfast.Options{Keys: [][]byte{latter, former}}, 200, "1|old||"},
		"former key left out":      {begun, &holdfast.Options{Keys: [][]byte{latter}}, 500, "0|old||"},
		"keys left out":            {begun, nil, 500, "0|old||"},
		"encryption is introduced": {nil, &holdfast.Options{Keys: [][]byte{latter}, AllowPlain: true}, 200, "1|old||"},
		"plain is forged":          {nil, begun, 500, "0|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			v := &visitor{cookie: beginSession(newManager(t, on, c.begun), func(s *holdfast.Session) { textKey.Set(s, "old") })}
			w := v.session(newManager(t, on, c.now), func(s *holdfast.Session) { increment(s) }).get("/")
			wantStatus(t, w, c.status)
			wantNoCookie(t, w)
			reader := c.now
			if c.status != http.StatusOK {
				reader = c.begun // it is kept for who can read it
			}
			if got := stored(t, on, reader, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

func TestWithKeysNothingLiesInTheOpen(t *testing.T) {
	var dump bytes.Buffer
	m := newManager(t, &dumpStore{newTap(), &dump}, &holdfast.Options{Keys: [][]byte{make([]byte, 32)}})
	beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "a visible text"); s.Login("bob the owner") })
	for _, secret := range []string{"visible", "owner", "text"} {
		if strings.Contains(dump.String(), secret) || dump.Len() == 0 {
			t.Errorf("%q lies in the store", secret)
		}
	}
}

func TestNamespacesKeepProgramsApart(t *testing.T) {
	on := newTap()
	one, two := &holdfast.Options{Namespace: "one"}, &holdfast.Options{Namespace: "tw\x00o"}
	cookie := beginSession(newManager(t, on, one), func(s *holdfast.Session) { textKey.Set(s, "one's") })
	for opts, want := range map[*holdfast.Options]string{one: "0|one's||", two: "0|||", nil: "0|||"} {
		if got := stored(t, on, opts, cookie); got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	}
}

func TestAppVersionChangesNothingForTheSession(t *testing.T) {
	on := newTap()
	cookie := beginSession(newManager(t, on, &holdfast.Options{AppVersion: "v1"}), func(s *holdfast.Session) { textKey.Set(s, "old") })
	if got := stored(t, on, &holdfast.Options{AppVersion: "v2"}, cookie); got != "0|old||" {
		t.Errorf("stored %q", got)
	}
}
