package placement_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Records that others wrote, or that no server would write: nothing may panic, and
// no request may wait for longer than its time.

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func someNames(r *rand.Rand, most int) (names []string) {
	for range r.IntN(most + 1) {
		names = append(names, pick(r, "n1", "n2", "n3", "n1", "n2", "n9", ""))
	}
	return names
}

func someRecord(r *rand.Rand) *record.Record {
	rec := &record.Record{
		Kind:  pick(r, record.Session, record.Session, record.Session, record.Tombstone, record.Alias),
		Epoch: pick(r, uint32(0), 1, 1, 2, 3, 127, 128, math.MaxUint32), Revision: pick(r, uint64(0), 1, 2, 2, 3, 1<<22, 1<<23, math.MaxUint64),
		Members: someNames(r, 3), Leaving: someNames(r, 2),
		Created: time.Now(), LastAccessed: pick(r, time.Now(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), time.Time{}),
		IdleTimeout: pick(r, 0, time.Millisecond, time.Minute, 30*24*time.Hour, time.Duration(math.MaxInt64)),
		Deadline:    pick(r, time.Time{}, time.Time{}, time.Now().Add(time.Hour), time.Now().Add(-time.Hour)),
		TTL:         pick(r, 0, time.Millisecond, time.Minute, 40*24*time.Hour, time.Duration(math.MaxInt64)),
		Target:      pick(r, key(id), key(newID), key(otherNewID), "", "bad key"),
		Until:       pick(r, time.Time{}, time.Now().Add(time.Hour)), OwnerChanged: r.IntN(4) == 0,
		Reason: record.Reason(r.IntN(7)), Login: uint32(r.IntN(2)),
	}
	for range r.IntN(3) {
		rec.Commits = append(rec.Commits, uint64(r.IntN(4)))
	}
	return rec
}

// scatter puts such records on the nodes.
func scatter(t *testing.T, r *rand.Rand, all nodes) {
	codec := newCodec(t)
	for _, k := range []string{key(id), key(newID), key(otherNewID)} {
		for _, n := range all {
			rec := someRecord(r)
			item := store.Item{Value: codec.Append(nil, rec, k), TTL: pick(r, 0, time.Minute)}
			item.Flags = uint32(rec.Kind)<<30 | rec.Epoch&127<<23 | uint32(rec.Revision)&(1<<23-1)
			switch r.IntN(12) {
			case 0, 1, 2, 3:
				continue
			case 4:
				item.Flags = r.Uint32()
			case 5:
				item.Value = []byte("foreign")
			}
			if _, err := n.Client("x").Put(t.Context(), k, item, store.Any); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestForeignRecordsDoNoHarm(t *testing.T) {
	for seed := range uint64(1500) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			all := newNodes(2 + r.IntN(2))
			c := all.server(t, "app", len(all), placement.Options{Copies: 1 + r.IntN(2)})
			scatter(t, r, all)
			for range 4 {
				if r.IntN(4) == 0 {
					all[r.IntN(len(all))].Revive() // empty
				}
				meddle(t, r, c)
			}
			time.Sleep(5 * time.Second)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

// meddle does something with what it finds.
func meddle(t *testing.T, r *rand.Rand, c *placement.Cluster) {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	began := time.Now()
	v, err := c.Load(ctx, pick(r, id, newID), pick(r, "n1", "n2", "n3", "n9", ""))
	if err != nil {
		return
	}
	switch r.IntN(4) {
	case 0:
		_ = c.Destroy(ctx, v)
	case 1:
		v, err = c.Commit(ctx, id, v, renewal("r", "FRESHFRESHFRESHFRESHFRESH1"))
	default:
		v, err = c.Commit(ctx, id, v, increment("a"))
	}
	if err == nil && v.Record.Kind != record.Session {
		t.Errorf("a change gave kind %d", v.Record.Kind)
	}
	if took := time.Since(began); took > timeout {
		t.Errorf("it took %v", took)
	}
}
