package placement_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

func TestCreatedSessionIsFoundAtOnce(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	commit(t, c, id, nil, increment("a"))
	if got := s.count(""); got != 1 {
		t.Errorf("creation took %d operations, want 1", got)
	}
	v := load(t, c, id)
	if got := s.count("get"); got != 1 {
		t.Errorf("a read took %d operations, want 1", got)
	}
	r := v.Record
	if r.Epoch != 1 || r.Revision != 1 || !slices.Equal(r.Members, []string{nodeName}) || count(r, "a") != 1 {
		t.Errorf("got epoch %d, revision %d, members %v, a=%d; want 1, 1, [n1], 1", r.Epoch, r.Revision, r.Members, count(r, "a"))
	}
	if v.Aliased || v.Key != key(id) {
		t.Errorf("got a view %+v, want that of the id itself", v)
	}
}

func TestCommitTakesOneOperationAndTellsWhatItStored(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	v := create(t, c, id)
	for i := range record.MaxCommits + 2 {
		before := s.count("")
		ch := increment("a")
		v = commit(t, c, id, v, ch)
		if got := s.count("") - before; got != 1 {
			t.Errorf("a commit took %d operations, want 1", got)
		}
		r := v.Record
		if int(r.Revision) != i+2 || count(r, "a") != i+1 || r.Commits[len(r.Commits)-1] != ch.Commit || len(r.Commits) > record.MaxCommits {
			t.Errorf("commit %d made revision %d, a=%d and %d commit ids", i, r.Revision, count(r, "a"), len(r.Commits))
		}
	}
	if got := load(t, c, id).Record; got.Revision != v.Record.Revision || count(got, "a") != count(v.Record, "a") {
		t.Errorf("stored is revision %d, told was %d", got.Revision, v.Record.Revision)
	}
}

func TestEveryItemIsMarkedWithKindEpochAndRevision(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	v := create(t, c, id)
	wantMark(t, s, key(id), record.Session, 1)
	v = commit(t, c, id, v, increment("a"))
	wantMark(t, s, key(id), record.Session, 2)
	v = commit(t, c, id, v, renewal("r", newID))
	wantMark(t, s, key(id), record.Alias, 3)
	wantMark(t, s, key(newID), record.Session, 3)
	if err := c.Destroy(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	wantMark(t, s, key(newID), record.Tombstone, 4)
}

func wantMark(t *testing.T, s store.Store, key string, kind record.Kind, revision uint32) {
	t.Helper()
	item, err := s.Get(t.Context(), key, store.Head)
	if err != nil {
		t.Fatal(err)
	}
	if want := uint32(kind)<<30 | 1<<23 | revision; item.Flags != want {
		t.Errorf("flags %#x, want %#x", item.Flags, want)
	}
	if r := mustBeStored(t, s, key); r.Kind != kind || r.Epoch != 1 || r.Revision != uint64(revision) {
		t.Errorf("got kind %d, epoch %d, revision %d; want %d, 1, %d", r.Kind, r.Epoch, r.Revision, kind, revision)
	}
}

func TestNothingStoredTellsAnID(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	commit(t, c, id, create(t, c, id), renewal("r", newID))
	for _, k := range []string{key(id), key(newID)} {
		item, err := s.Get(t.Context(), k, store.Whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{id, newID} {
			if k == secret || bytes.Contains(item.Value, []byte(secret)) {
				t.Errorf("the item tells the id %s", secret)
			}
		}
	}
}

func TestNamespacesDoNotSeeEachOther(t *testing.T) {
	s := newFaulty()
	create(t, newCluster(t, s), id)
	other, err := placement.New([]store.Node{{Name: nodeName, Store: s}},
		placement.Options{Namespace: "shop", Codec: newCodec(t), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	wantUnfound(t, other, id)
}

func TestConflictingCommitIsAppliedToTheNewerRecord(t *testing.T) {
	c := newCluster(t, newFaulty())
	base := create(t, c, id)
	commit(t, c, id, base, increment("a"))
	v := commit(t, c, id, base, increment("b"))
	if count(v.Record, "a") != 1 || count(v.Record, "b") != 1 || v.Record.Revision != 3 {
		t.Errorf("got a=%d b=%d in revision %d, want 1, 1, 3", count(v.Record, "a"), count(v.Record, "b"), v.Record.Revision)
	}
	if got := c.Stats().Conflicts; got != 1 {
		t.Errorf("%d conflicts counted, want 1", got)
	}
}

func TestCommitChangesNoRecordThatItWasGiven(t *testing.T) {
	c := newCluster(t, newFaulty())
	base := create(t, c, id)
	commit(t, c, id, base, increment("a"))
	if base.Record.Revision != 1 || count(base.Record, "a") != 0 {
		t.Errorf("the base became revision %d with a=%d", base.Record.Revision, count(base.Record, "a"))
	}
}

func TestErrorOfApplyIsReturnedAndNothingChanges(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	refusal := errors.New("no")
	for _, renewTo := range []string{"", newID} {
		ch := &store.Change{Commit: 1, RenewTo: renewTo, Apply: func(*record.Record) error { return refusal }}
		_, err := c.Commit(t.Context(), id, base, ch)
		wantError(t, "Commit", err, refusal)
	}
	if got := s.Len(); got != 1 || mustBeStored(t, s, key(id)).Revision != 1 {
		t.Errorf("something was stored")
	}
}

func TestLostRecordIsNotFoundAndNotMadeAgain(t *testing.T) {
	for name, lose := range map[string]func(*faulty){
		"evicted":   func(s *faulty) { _ = s.Delete(t.Context(), key(id), store.Any) },
		"restarted": func(s *faulty) { s.Clear() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			base := create(t, c, id)
			lose(s)
			for _, ch := range []*store.Change{increment("a"), renewal("r", newID)} {
				_, err := c.Commit(t.Context(), id, base, ch)
				wantError(t, "Commit", err, store.ErrNotFound)
			}
			if err := c.Destroy(t.Context(), base); err != nil {
				t.Errorf("Destroy: %v", err)
			}
			if s.Len() != 0 {
				t.Errorf("%d items are in the store", s.Len())
			}
			if got := c.Stats().LostInStore; got != 3 {
				t.Errorf("%d lost records counted, want 3", got)
			}
		})
	}
}

// A server that was started again counts versions from 1: the next version is
// then one that somebody has read before.
func TestVersionsFromBeforeARestartMatchNothing(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	s.Clear()
	commit(t, c, id, nil, increment("of another time"))
	v := commit(t, c, id, base, increment("a"))
	if count(v.Record, "of another time") != 1 {
		t.Error("a version from before the restart replaced what was stored after it")
	}
}

func TestEncryptedSessionsAreReadByWhoHasTheKey(t *testing.T) {
	s := newFaulty()
	secret := slices.Repeat([]byte{7}, record.KeySize)
	create(t, newClusterWith(t, s, newCodec(t, secret)), id)
	load(t, newClusterWith(t, s, newCodec(t, slices.Repeat([]byte{8}, record.KeySize), secret)), id)
	_, err := newCluster(t, s).Load(t.Context(), id, "")
	wantError(t, "Load without the key", err, record.ErrUnreadable)
}

func TestReadSealsARecordAgainWithTheFirstKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		former, first := slices.Repeat([]byte{7}, record.KeySize), slices.Repeat([]byte{8}, record.KeySize)
		base := commit(t, newClusterWith(t, s, newCodec(t, former)), id, nil, settings(30*time.Minute, time.Time{}))
		c := newClusterWith(t, s, newCodec(t, first, former))
		load(t, c, id) // too early: while servers differ in their first key, they would undo each other's work at each read
		synctest.Wait()
		if got := s.count("put"); got != 1 {
			t.Errorf("written %d times before its life was extended, want 1", got)
		}
		time.Sleep(2 * time.Minute)
		for range 3 {
			load(t, c, id)
			synctest.Wait()
		}
		if got := s.count("put"); got != 2 {
			t.Errorf("written %d times, want 2", got)
		}
		v := load(t, newClusterWith(t, s, newCodec(t, first)), id)
		if v.Record.Revision != 2 || timeLeft(t, s, key(id)) != base.Record.TTL {
			t.Errorf("got revision %d with %v left, want 2 and %v", v.Record.Revision, timeLeft(t, s, key(id)), base.Record.TTL)
		}
	})
}

func TestLastAccessIsThatOfTheRequestBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, newFaulty())
		v := commit(t, c, id, nil, settings(30*time.Minute, time.Time{}))
		made := time.Now()
		for _, after := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute} {
			time.Sleep(after)
			v = load(t, c, id)
			if got := v.LastAccessed.Sub(made).Abs(); got > 2*time.Minute {
				t.Errorf("after %v: last access is wrong by %v", after, got)
			}
			made = time.Now()
			synctest.Wait()
		}
		if got := commit(t, c, id, v, increment("a")).LastAccessed; !got.Equal(v.LastAccessed) {
			t.Errorf("a commit made the last access %v, it was %v", got, v.LastAccessed)
		}
	})
}
