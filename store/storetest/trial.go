package storetest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A trial is one run of one row. Its methods whose names begin with must end
// the row if the store refuses.
type trial struct {
	testing.TB
	Harness
	prefix string // makes the keys of this trial its own
}

func newTrial(t testing.TB, h Harness) *trial {
	return &trial{TB: t, Harness: h, prefix: "storetest-" + rand.Text() + "-"}
}

// key returns the key that is called name in this trial.
func (t *trial) key(name string) string { return t.prefix + name }

// text is an item with a value that can be told from others.
func text(value string) store.Item {
	return store.Item{Value: []byte(value), Flags: 7, TTL: time.Hour}
}

// mustPut stores item under the name, whatever is there.
func (t *trial) mustPut(name string, item store.Item) store.Version {
	t.Helper()
	return t.mustPutAt(name, item, store.Any)
}

func (t *trial) mustPutAt(name string, item store.Item, at store.Version) store.Version {
	t.Helper()
	v, err := t.Store.Put(t.Context(), t.key(name), item, at)
	if err != nil {
		t.Fatalf("Put(%s, at %v): %v", name, at, err)
	}
	return v
}

func (t *trial) mustGet(name string, part store.Part) store.Item {
	t.Helper()
	item, err := t.Store.Get(t.Context(), t.key(name), part)
	if err != nil {
		t.Fatalf("Get(%s): %v", name, err)
	}
	return item
}

func (t *trial) mustTouch(name string, ttl time.Duration) store.Version {
	t.Helper()
	v, err := t.Store.Touch(t.Context(), t.key(name), ttl)
	if err != nil {
		t.Fatalf("Touch(%s, %v): %v", name, ttl, err)
	}
	return v
}

func (t *trial) mustDelete(name string, at store.Version) {
	t.Helper()
	if err := t.Store.Delete(t.Context(), t.key(name), at); err != nil {
		t.Fatalf("Delete(%s, at %v): %v", name, at, err)
	}
}

// put and del are the calls that a row expects to fail.
func (t *trial) put(name string, item store.Item, at store.Version) error {
	_, err := t.Store.Put(t.Context(), t.key(name), item, at)
	return err
}

func (t *trial) del(name string, at store.Version) error {
	return t.Store.Delete(t.Context(), t.key(name), at)
}

// wantErr reports an error that is not the one wanted.
func (t *trial) wantErr(what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %q", what, got, want)
	}
}

// wantAbsent reports an item where none must be.
func (t *trial) wantAbsent(name string) {
	t.Helper()
	for _, part := range []store.Part{store.Whole, store.Head} {
		item, err := t.Store.Get(t.Context(), t.key(name), part)
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get(%s, %v): item %+v, error %v, want %q", name, part, item, err, store.ErrNotFound)
		}
	}
}

// wantStored reports an item whose value, flags or version differ from want's.
func (t *trial) wantStored(name string, want store.Item, version store.Version) {
	t.Helper()
	got := t.mustGet(name, store.Whole)
	if !bytes.Equal(got.Value, want.Value) {
		t.Errorf("value of %s: got %s, want %s", name, brief(got.Value), brief(want.Value))
	}
	if got.Flags != want.Flags {
		t.Errorf("flags of %s: got %d, want %d", name, got.Flags, want.Flags)
	}
	if got.Version != version {
		t.Errorf("version of %s: got %v, want %v", name, got.Version, version)
	}
}
