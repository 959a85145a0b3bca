package memcachedstore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/store"
)

// plays is a script that answers each line with the next text. An empty text
// answers nothing.
func plays(dialog ...string) script {
	return func(p *peer) {
		leaves(dialog...)(p)
		p.drain()
	}
}

// leaves plays and closes the connection.
func leaves(dialog ...string) script {
	return func(p *peer) {
		for i := 0; i < len(dialog); i += 2 {
			p.expect(dialog[i])
			p.send(dialog[i+1])
		}
	}
}

const (
	asked    = "mg holdfast-greeting O1"
	settings = "stats settings"

	casHello   = "cas holdfast-greeting 0 2592001 0 18446744073709551615"
	touchHello = "touch holdfast-greeting 1"
)

// The dialogs of classic commands: the greeting, and a get of k.
var (
	classicHello = []string{casHello, "", "", "NOT_FOUND\r\n", touchHello, "NOT_FOUND\r\n"}
	classicRead  = []string{"gets k " + noteKey("k"), "END\r\n"}
)

func TestGreetings(t *testing.T) {
	bob := Options{User: "bob", Password: "secret words"}
	for name, tc := range map[string]struct {
		opts   Options
		dialog script
		want   string // in the error; empty: the call that follows is answered
	}{
		"usual":                 {Options{}, plays(asked, "EN O1\r\n", settings, "STAT item_size_max 2000000\r\nEND\r\n", "mg k c f t O1", "EN O1\r\n"), ""},
		"somebody has that key": {Options{}, plays(asked, "HD O1\r\n", settings, "END\r\n", "mg k c f t O1", "EN O1\r\n"), ""},
		"no settings":           {Options{}, plays(asked, "EN O1\r\n", settings, "ERROR\r\n", "mg k c f t O1", "EN O1\r\n"), ""},
		"user and password": {bob, plays("mn", "CLIENT_ERROR unauthenticated\r\n", "set auth 0 0 16", "", "bob secret words", "STORED\r\n",
			asked, "EN O1\r\n", settings, "END\r\n", "mg k c f t O1", "EN O1\r\n"), ""},

		"old memcached":         {Options{}, plays(slices.Concat([]string{asked, "ERROR\r\n", settings, "STAT item_size_max 2000000\r\nEND\r\n"}, classicHello, classicRead)...), ""},
		"no opaque on a miss":   {Options{}, plays(slices.Concat([]string{asked, "EN\r\n", settings, "END\r\n"}, classicHello, classicRead)...), ""},
		"old, without settings": {Options{}, plays(slices.Concat([]string{asked, "ERROR\r\n", settings, "ERROR\r\n"}, classicHello, classicRead)...), ""},
		"old, with password": {bob, plays(slices.Concat([]string{
			"mn", "CLIENT_ERROR unauthenticated\r\n", "set auth 0 0 16", "", "bob secret words", "STORED\r\n",
			asked, "ERROR\r\n", settings, "STAT a b\r\nEND\r\n",
		}, classicHello, classicRead)...), ""},

		"neither cas nor touch":   {Options{}, plays(asked, "ERROR\r\n", settings, "ERROR\r\n", casHello, "", "", "ERROR\r\nERROR\r\n"), "memcached 1.4.8"},
		"no touch":                {Options{}, plays(asked, "ERROR\r\n", settings, "END\r\n", casHello, "", "", "NOT_FOUND\r\n", touchHello, "ERROR\r\n"), "memcached 1.4.8"},
		"old, no tokens":          {Options{}, plays(asked, "ERROR\r\n", settings, "STAT cas_enabled no\r\nEND\r\n"), "without -C"},
		"a proxy without server":  {Options{}, plays(asked, "ERROR\r\n", settings, "ERROR\r\n", casHello, "", "", "SERVER_ERROR Connection refused\r\n", touchHello, "SERVER_ERROR x\r\n"), "Connection refused"},
		"no tokens":               {Options{}, plays(asked, "EN O1\r\n", settings, "STAT cas_enabled no\r\nEND\r\n"), "without -C"},
		"password not given":      {Options{}, plays(asked, "CLIENT_ERROR unauthenticated\r\n"), "set Options.User and Options.Password"},
		"password not wanted":     {bob, plays("mn", "MN\r\n"), "-Y"},
		"no memcached to log in":  {bob, plays("mn", "220 mail ready\r\n"), "unexpected greeting"},
		"wrong password":          {bob, plays("mn", "CLIENT_ERROR unauthenticated\r\n", "set auth 0 0 16", "", "bob secret words", "CLIENT_ERROR authentication failure\r\n"), "refuses"},
		"password comes back":     {bob, plays("mn", "CLIENT_ERROR unauthenticated\r\n", "set auth 0 0 16", "", "bob secret words", "CLIENT_ERROR bob secret words\r\n"), "refuses"},
		"not memcached":           {Options{}, plays(asked, "HTTP/1.1 400 Bad Request\r\n"), "unexpected greeting"},
		"no line":                 {Options{}, func(p *peer) { p.line(); p.send(strings.Repeat("x", 2*readBuffer)) }, "unexpected answer"},
		"closed at once":          {Options{}, func(*peer) {}, "greeting"},
		"closed after a command":  {Options{}, leaves(asked, "", settings, ""), "TLS"},
		"closed in the settings":  {Options{}, leaves(asked, "EN O1\r\n", settings, "STAT item_size"), "closed"},
		"closed while logging in": {bob, leaves("mn", ""), "greeting"},
	} {
		t.Run(name, func(t *testing.T) {
			err := probe(t.Context(), scripted(t, tc.opts, tc.dialog))
			if tc.want == "" {
				checkErr(t, err, []error{store.ErrNotFound})
				return
			}
			checkErr(t, err, []error{store.ErrUnavailable}, store.ErrNotFound, store.ErrUnknownOutcome)
			if !strings.Contains(fmt.Sprint(err), tc.want) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("got %v, want an error with %q and without the password", err, tc.want)
			}
		})
	}
}

func TestSizeLimitIsTheServersOwn(t *testing.T) {
	for name, tc := range map[string]struct {
		settings string
		limit    int
	}{
		"given":     {"STAT item_size_max 65536\r\nSTAT other x\r\nEND\r\n", 65536},
		"not given": {"END\r\n", 1 << 20},
		"nonsense":  {"STAT item_size_max lots\r\nEND\r\n", 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t, Options{}, func(p *peer) {
				p.line()
				p.line()
				p.send("EN O1\r\n" + tc.settings)
				p.line()
				p.line()
				p.send("HD c1 O1\r\n")
				p.drain()
			})
			put := func(size int) error {
				_, err := s.Put(t.Context(), "key", store.Item{Value: make([]byte, size)}, store.Any)
				return err
			}
			most := tc.limit - sizeReserve - itemOverhead - len("key")
			err := put(most + 1)
			checkErr(t, err, []error{store.ErrTooLarge}, store.ErrUnavailable)
			want := fmt.Sprintf("memcached fake:11211: put: item of %d bytes, the store takes at most %d: too large for the store", tc.limit-sizeReserve+1, tc.limit-sizeReserve)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if err := put(most); err != nil {
				t.Errorf("an item of the largest size: %v", err)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, opts := range []Options{
		{User: "bob"}, {Password: "secret"}, {User: "b b", Password: "secret"}, {User: "b:b", Password: "secret"}, {User: "b", Password: "secret\r\n"},
	} {
		if _, err := New("localhost:11211", &opts); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: error %v", opts, err)
		}
	}
}

func TestAddressIsChecked(t *testing.T) {
	for _, addr := range []string{"", "localhost", "localhost:", "localhost:x", ":11211", "::1:11211", "n1:localhost:11211", "/run/../x", "a b:1"} {
		if _, err := New(addr, nil); err == nil {
			t.Errorf("New(%q) has no error", addr)
		}
	}
}
