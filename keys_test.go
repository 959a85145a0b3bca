package holdfast_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

func TestKeyRotation(t *testing.T) {
	former, latter := ringKey(1), ringKey(2)
	begun := ring(former)
	for name, c := range map[string]struct {
		begun, now *holdfast.Options
		status     int
		cookie     string // what the response does to it
		stored     string // under the id that there was, for who can read it
	}{
		"the same key":             {begun, begun, 200, "keeps", "1|old||"},
		"new key second":           {begun, ring(former, latter), 200, "keeps", "1|old||"},
		"new key first":            {begun, ring(latter, former), 200, "signs", "1|old||"},
		"former key left out":      {begun, ring(latter), 200, "gives", "0|old||"},
		"keys left out":            {begun, nil, 500, "keeps", "0|old||"},
		"encryption is introduced": {nil, &holdfast.Options{Keys: [][]byte{latter}, AllowPlain: true}, 200, "signs", "1|old||"},
		"plain is forged":          {nil, begun, 200, "gives", "0|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			old := beginSession(newManager(t, on, c.begun), func(s *holdfast.Session) { textKey.Set(s, "old") })
			v := (&visitor{cookie: old}).session(newManager(t, on, c.now), func(s *holdfast.Session) { increment(s) })
			wantStatus(t, v.get("/"), c.status)
			if got := done(old, v.sends()); got != c.cookie {
				t.Errorf("the response %s the cookie, want %s: %q, was %q", got, c.cookie, v.sends(), old)
			}
			reader, cookie := c.now, v.sends()
			if c.stored == "0|old||" {
				reader, cookie = c.begun, old // it is kept for who can read it
			}
			if got := stored(t, on, reader, cookie); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// done says what became of a cookie: it keeps, gets another MAC, or is given anew.
func done(old, now string) string {
	const upToID = len("__Host-session=") + 26
	switch {
	case old == now:
		return "keeps"
	case old[:upToID] == now[:upToID]:
		return "signs"
	}
	return "gives"
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
