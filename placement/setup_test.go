package placement_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

const (
	id         = "EXAMPLEEXAMPLEEXAMPLE23456" // of most tests' session
	newID      = "NEWNEWNEWNEWNEWNEWNEW23456" // to which it is renewed
	otherNewID = "OTHEROTHEROTHEROTHER234567"
	timeout    = 500 * time.Millisecond
	grace      = 10 * time.Second
	nodeName   = "n1"
)

func key(id string) string { return placement.StorageKey("", id) }

func newCodec(t testing.TB, keys ...[]byte) *record.Codec {
	t.Helper()
	codec, err := record.NewCodec(keys, false)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// newCluster returns a cluster over s, which is closed when the test ends.
func newCluster(t testing.TB, s store.Store) *placement.Cluster {
	t.Helper()
	return newClusterWith(t, s, newCodec(t))
}

func newClusterWith(t testing.TB, s store.Store, codec *record.Codec) *placement.Cluster {
	t.Helper()
	c := openCluster(t, s, codec)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// openCluster returns a cluster that the caller closes.
func openCluster(t testing.TB, s store.Store, codec *record.Codec) *placement.Cluster {
	t.Helper()
	nodes := []store.Node{{Name: nodeName, Store: keptOpen{s}}}
	c, err := placement.New(nodes, placement.Options{Codec: codec, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keptOpen hides the Close of a store, so that several clusters can share it.
type keptOpen struct{ store.Store }

// change returns a change with a commit id of its own.
func change(apply func(*record.Record)) *store.Change {
	return &store.Change{Commit: rand.Uint64(), Apply: func(r *record.Record) error {
		apply(r)
		return nil
	}}
}

// settings returns the change that gives a session its lives.
func settings(idle time.Duration, deadline time.Time) *store.Change {
	return change(func(r *record.Record) {
		r.Created, r.IdleTimeout, r.Deadline = time.Now(), idle, deadline
	})
}

// increment returns the change that adds one to the counter of name, and one
// to the sum of all counters.
func increment(name string) *store.Change {
	return change(func(r *record.Record) { add(r, name) })
}

const sum = "sum"

func add(r *record.Record, name string) {
	for _, counter := range []string{name, sum} {
		r.Set(record.Attribute{Name: counter, Value: []byte{byte(count(r, counter) + 1)}})
	}
}

func count(r *record.Record, name string) int {
	a, ok := r.Get(name)
	if !ok {
		return 0
	}
	return int(a.Value[0])
}

// checkSum reports an update that was lost or made twice: the sum is counted by
// all, and the counters of the names by one each.
func checkSum(t testing.TB, r *record.Record) {
	t.Helper()
	total := 0
	for _, a := range r.Attributes() {
		if a.Name != sum {
			total += int(a.Value[0])
		}
	}
	if got := count(r, sum); got != total {
		t.Errorf("sum is %d, the counters have %d together", got, total)
	}
}

// renewal returns the change that moves the session to another id, and
// increments.
func renewal(name, to string) *store.Change {
	ch := increment(name)
	ch.RenewTo, ch.Grace = to, grace
	return ch
}

// login returns the renewal that makes name the session's owner.
func login(name, to string) *store.Change {
	ch := change(func(r *record.Record) {
		add(r, name)
		r.Owner = name
		r.Login++
	})
	ch.RenewTo, ch.Grace = to, grace
	return ch
}

// create makes the session called id, which never expires.
func create(t testing.TB, c *placement.Cluster, id string) *store.View {
	t.Helper()
	return commit(t, c, id, nil, settings(0, time.Time{}))
}

func commit(t testing.TB, c *placement.Cluster, id string, base *store.View, ch *store.Change) *store.View {
	t.Helper()
	v, err := c.Commit(t.Context(), id, base, ch)
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return v
}

func load(t testing.TB, c *placement.Cluster, id string) *store.View {
	t.Helper()
	v, err := c.Load(t.Context(), id, "")
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return v
}

// wantError reports any other error than want.
func wantError(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// wantUnfound reports that the session called id is found, or that nobody knows.
func wantUnfound(t testing.TB, c *placement.Cluster, id string) {
	t.Helper()
	_, err := c.Load(context.WithoutCancel(t.Context()), id, "")
	wantError(t, "Load of "+strings.ToLower(id[:5]), err, store.ErrNotFound)
}

// stored returns the record that lies under key, of whatever kind; nil if there is none.
func stored(t testing.TB, s store.Store, key string) *record.Record {
	t.Helper()
	item, err := s.Get(context.Background(), key, store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := newCodec(t).Parse(item.Value, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustBeStored is stored where there has to be a record.
func mustBeStored(t testing.TB, s store.Store, key string) *record.Record {
	t.Helper()
	r := stored(t, s, key)
	if r == nil {
		t.Fatalf("nothing is stored under %.5s", key)
	}
	return r
}

// timeLeft returns the time to live of the item under key.
func timeLeft(t testing.TB, s store.Store, key string) time.Duration {
	t.Helper()
	item, err := s.Get(context.Background(), key, store.Head)
	if err != nil {
		t.Fatalf("no item: %v", err)
	}
	return item.TTL
}
