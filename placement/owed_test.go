package placement

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A slowDelete lets something happen while it deletes.
type slowDelete struct {
	*memorystore.Store
	during func()
}

func (s *slowDelete) Delete(ctx context.Context, key string, at store.Version) error {
	err := s.Store.Delete(ctx, key, at)
	s.during()
	return err
}

// A tombstone becomes owed while the removal that was owed before is delivered.
func TestDebtThatGrowsWhileItIsPaid(t *testing.T) {
	s := &slowDelete{Store: memorystore.New(nil)}
	n := &node{Node: store.Node{Name: "n1", Store: s}, owed: new(owed)}
	session := uint32(markOf(&record.Record{Epoch: 1, Revision: 1}))
	if _, err := s.Put(t.Context(), "key", store.Item{Flags: session, Value: []byte("v")}, store.Absent); err != nil {
		t.Fatal(err)
	}
	tombstone := store.Item{Value: []byte("t"), Flags: uint32(markOf(&record.Record{Kind: record.Tombstone, Epoch: 3, Revision: 9})), TTL: time.Hour}
	n.owed.add("key", store.Item{Flags: uint32(markOf(&record.Record{Epoch: 3, Revision: 3}))})
	s.during = func() { n.owed.add("key", tombstone) }
	c := &Cluster{}
	for n.owed.size() > 0 {
		if err := c.deliver(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	item, err := s.Get(t.Context(), "key", store.Head)
	if err != nil || mark(item.Flags).kind() != record.Tombstone {
		t.Errorf("the tombstone was dropped: owed %d, item %v, error %v", n.owed.size(), item, err)
	}
}
