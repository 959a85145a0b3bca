package memcachedstore

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestNoteTellsTheTimeLeft(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_500)
	for name, tc := range map[string]struct {
		ttl  time.Duration // as given
		sum  uint64        // of the item that is there
		wait time.Duration
		want time.Duration
	}{
		"at once":                   {time.Minute, 5, 0, time.Minute},
		"later":                     {time.Minute, 5, 20 * time.Second, 40 * time.Second},
		"rounded as on the server":  {time.Millisecond, 5, 0, time.Second},
		"in its last moment":        {time.Minute, 5, time.Minute, time.Millisecond},
		"past its end":              {time.Minute, 5, time.Hour, time.Millisecond},
		"a reader whose clock lags": {time.Minute, 5, -time.Hour, time.Minute},
		"another item":              {time.Minute, 6, 0, store.Forever},
		"for ever":                  {store.Forever, 5, time.Hour, store.Forever},
		"below zero":                {-time.Hour, 5, time.Hour, store.Forever},
		"thirty days":               {maxTTL, 5, 0, maxTTL},
		"longer":                    {maxTTL + 1, 5, 0, store.Forever},
	} {
		t.Run(name, func(t *testing.T) {
			r := noteRequest("k", note{5, endOf(tc.ttl, now)})
			if got := parseNote(r.item.Value).left(tc.sum, now.Add(tc.wait)); got != tc.want {
				t.Errorf("%q: %v left, want %v", r.item.Value, got, tc.want)
			}
			if want := time.Duration(wholeSeconds(tc.ttl)) * time.Second; r.item.TTL != want || r.at != store.Any {
				t.Errorf("the note lives for %v, want %v", r.item.TTL, want)
			}
		})
	}
}

func TestParseNoteRefuses(t *testing.T) {
	for _, value := range []string{
		"", " ", "5", "0000000000000005 1 1 1", "0000000000000005 1", "5 1 1", "000000000000000x 1 1", "+000000000000005 1 1", "0000000000000005 1 x",
		"0000000000000005 x 1", "0000000000000005 0 1", "0000000000000005 1 0", "0000000000000005 1 2592001", "0000000000000005 99999999999999999999 1",
	} {
		if n := parseNote([]byte(value)); n != (note{}) {
			t.Errorf("%q: got %+v", value, n)
		}
	}
}

func FuzzNote(f *testing.F) {
	f.Add([]byte("00000000000000ff 1800000000000 60"), int64(1_700_000_000_000))
	f.Add([]byte("00000000000000ff 0 0"), int64(0))
	f.Fuzz(func(t *testing.T, value []byte, now int64) {
		n := parseNote(value)
		if left := n.left(n.sum, time.UnixMilli(now)); left < 0 || left > maxTTL {
			t.Errorf("%q: %v left", value, left)
		}
		if n != (note{}) {
			if again := noteRequest("k", n).item.Value; parseNote(again) != n {
				t.Errorf("%q is written as %q", value, again)
			}
		}
	})
}

func TestNoteKeys(t *testing.T) {
	long := strings.Repeat("k", 250)
	seen := map[string]bool{}
	for _, key := range []string{"k", "K", "kk", long, long[1:] + "l", noteKey("k")} {
		of := noteKey(key)
		if err := store.CheckKey(of); err != nil || seen[of] {
			t.Errorf("the note of %.20q has the key %q: %v", key, of, err)
		}
		seen[of] = true
	}
}

func TestFingerprint(t *testing.T) {
	seen := map[uint64]bool{}
	for _, value := range []string{"", "\x00", "a", "b", "ab", "ba", "\x00\x00"} {
		for _, flags := range []uint32{0, 1, 1 << 31} {
			sum := fingerprint(flags, []byte(value))
			if seen[sum] {
				t.Errorf("%q with flags %d is like another", value, flags)
			}
			seen[sum] = true
		}
	}
}
