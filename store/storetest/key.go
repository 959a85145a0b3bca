package storetest

import (
	"errors"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func keyRows() []row {
	return []row{
		{name: "key-lengths", rule: "A key may be 1 byte and may be 250 bytes long", check: func(t *trial) {
			t.wantUsable("k")
			t.wantUsable(t.prefix + strings.Repeat("k", 250-len(t.prefix)))
		}},

		{name: "key-characters", rule: "A key may hold every printable ASCII character but the space", check: func(t *trial) {
			printable := make([]byte, 0, 94)
			for c := byte('!'); c <= '~'; c++ {
				printable = append(printable, c)
			}
			t.wantUsable(t.prefix + string(printable))
			t.wantUsable(string(printable) + t.prefix)
		}},

		{name: "keys-are-distinct", rule: "Two keys that differ in one character are two items", check: func(t *trial) {
			names := []string{"k", "K", "kk", "k%20", "k/", "k.", "k_"}
			versions := map[string]store.Version{}
			for _, name := range names {
				versions[name] = t.mustPutAt(name, text(name), store.Absent)
			}
			for _, name := range names {
				t.wantStored(name, text(name), versions[name])
			}
			t.mustDelete("k", store.Any)
			t.wantStored("K", text("K"), versions["K"])
		}},

		{name: "bad-keys", rule: "Other keys are refused: ErrBadKey, which is no answer about an item and does not blame the server", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			for _, bad := range []string{
				"", strings.Repeat("k", 251), strings.Repeat("k", 70_000), " ", t.key("k "), " " + t.key("k"), "a b",
				t.key("k\r\n"), "k\r\nmd " + t.key("k"), "k\x00", "k\t", "k\x7f", "k\x80", "schlüssel",
			} {
				t.wantRefused(bad)
			}
			t.wantStored("k", text("value"), v)
		}},
	}
}

// wantUsable puts, reads, touches and deletes under key as it is given.
func (t *trial) wantUsable(key string) {
	t.Helper()
	ctx := t.Context()
	v, err := t.Store.Put(ctx, key, text("value"), store.Any)
	if err != nil {
		t.Errorf("Put(%q): %v", key, err)
		return
	}
	if item, err := t.Store.Get(ctx, key, store.Whole); err != nil || string(item.Value) != "value" || item.Version != v {
		t.Errorf("Get(%q): %+v, %v", key, item, err)
	}
	if _, err := t.Store.Touch(ctx, key, time.Minute); err != nil {
		t.Errorf("Touch(%q): %v", key, err)
	}
	if err := t.Store.Delete(ctx, key, v); err != nil {
		t.Errorf("Delete(%q): %v", key, err)
	}
}

func (t *trial) wantRefused(key string) {
	t.Helper()
	ctx := t.Context()
	_, getErr := t.Store.Get(ctx, key, store.Whole)
	_, putErr := t.Store.Put(ctx, key, text("bad"), store.Any)
	_, touchErr := t.Store.Touch(ctx, key, time.Minute)
	for verb, err := range map[string]error{
		"Get": getErr, "Put": putErr, "Touch": touchErr, "Delete": t.Store.Delete(ctx, key, store.Any),
	} {
		if !errors.Is(err, store.ErrBadKey) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s(%.40q): error %v", verb, key, err)
		}
	}
}
