package placement_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// One server is cut off from the copy and makes more changes than a record remembers.
// Another has the session as it was before: the home refuses its change and the copy
// takes it. As the home has refused it, it cannot be one of those that it has forgotten.
func TestChangeThatTheHomeHasRefusedIsNeverTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		cutOff, late := all.server(t, "cut off", 2, placement.Options{}), all.server(t, "late", 2, placement.Options{})
		id, before := createAt(t, late, "n1")
		before = commit(t, late, id, before, increment("late"))
		refuse(all[1], map[string]int{"cut off": 0})
		const many = 3 * record.MaxCommits
		v := load(t, cutOff, id)
		for range many {
			v = commit(t, cutOff, id, v, increment("many"))
		}
		got := commit(t, late, id, before, increment("late")).Record
		if count(got, "late") != 2 || count(got, "many") != many {
			t.Errorf("late=%d many=%d, want 2 and %d", count(got, "late"), count(got, "many"), many)
		}
		checkSum(t, got)
	})
}

// The home is lost after it has refused a change, and the copy that took it goes on with
// it: then it may be one of those that are forgotten.
func TestChangeThatTheNextHomeHasTakenIsNotMadeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		cutOff, late, other := all.server(t, "cut off", 2, placement.Options{}), all.server(t, "late", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, late, "n1")
		refuse(all[1], map[string]int{"cut off": 0})
		for range 3 * record.MaxCommits {
			commit(t, cutOff, id, load(t, cutOff, id), increment("lost with the home"))
		}
		ch := increment("late")
		refuse(all[0], map[string]int{"late": 1})
		refuse(all[1], map[string]int{"late": 1, "cut off": 0})
		_, err := late.Commit(t.Context(), id, before, ch)
		wantError(t, "the change that only the copy took", err, store.ErrUnknownOutcome)
		all[0].Kill()
		refuse(all[1], map[string]int{"cut off": 0})
		for range 2 * record.MaxCommits {
			commit(t, other, id, load(t, other, id), increment("other"))
		}
		_, err = late.Commit(t.Context(), id, before, ch)
		wantError(t, "the same after many others", err, store.ErrForgotten)
		if got := load(t, other, id).Record; count(got, "late") != 1 {
			t.Errorf("late=%d, want 1", count(got, "late"))
		}
	})
}

// refuse has n refuse the writes of clients after the first few.
func refuse(n *faultstore.Node, few map[string]int) {
	var mu sync.Mutex
	n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
		mu.Lock()
		left, limited := few[call.Client]
		if limited && call.Verb == "put" {
			few[call.Client]--
		}
		mu.Unlock()
		if limited && call.Verb == "put" && left <= 0 {
			return store.ErrUnavailable
		}
		return next()
	})
}

// The home has done a change, and the copy refuses it, since another is faster each time.
// When the change is looked for its id is forgotten.
func TestChangeThatTheHomeHasDoneIsNeverTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		slow, other := all.server(t, "slow", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, slow, "n1")
		const many = 3 * record.MaxCommits
		overtaken := false
		all[1].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client == "slow" && call.Verb == "put" && !overtaken {
				overtaken = true
				time.Sleep(timeout / 10) // the home is faster
				for range many {
					commit(t, other, id, load(t, other, id), increment("other"))
				}
			}
			return next()
		})
		got := commit(t, slow, id, before, increment("slow")).Record
		if count(got, "slow") != 1 || count(got, "other") != 0 {
			t.Errorf("the answer tells slow=%d other=%d, want 1 and 0: what the change has made", count(got, "slow"), count(got, "other"))
		}
		if got := load(t, other, id).Record; count(got, "slow") != 1 || count(got, "other") != many {
			t.Errorf("stored slow=%d other=%d, want 1 and %d", count(got, "slow"), count(got, "other"), many)
		}
	})
}

// The home is lost with a change whose answer did not come. Others go on, with revisions
// that rise by two as long as a member is away: but what the change follows is remembered.
func TestChangeIsNotTooOldWhileWhatItFollowsIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		late, other := all.server(t, "late", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, late, "n1")
		all[0].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if err := next(); call.Client != "late" || err != nil {
				return err
			}
			return store.ErrUnknownOutcome
		})
		refuse(all[1], map[string]int{"late": 0})
		ch := increment("late")
		_, err := late.Commit(t.Context(), id, before, ch)
		wantError(t, "the change that the home alone has made", err, store.ErrUnknownOutcome)
		all[0].Kill()
		all[1].Intercept(nil)
		const others = record.MaxCommits - 2
		v := load(t, other, id)
		for range others {
			v = commit(t, other, id, v, increment("other"))
		}
		if got := v.Record.Revision - before.Record.Revision; got <= record.MaxCommits {
			t.Fatalf("the revision has risen by %d only", got)
		}
		if got := commit(t, late, id, before, ch).Record; count(got, "late") != 1 || count(got, "other") != others {
			t.Errorf("late=%d other=%d, want 1 and %d", count(got, "late"), count(got, "other"), others)
		}
	})
}

// The home is lost with a change that it alone has done, the copy goes on without it, and
// the session gets a new id: what lies under that says nothing of the former home.
func TestChangeThatAHomeHasDoneUnderAnotherKeyIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		late, other := all.server(t, "late", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		for try := range 4 { // with either home
			id := fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE%05d", try)
			before := create(t, late, id)
			home, copies := all[0], all[1]
			if before.Record.Members[0] != "n1" {
				home, copies = all[1], all[0]
			}
			refuse(home, map[string]int{"late": 1})
			refuse(copies, map[string]int{"late": 0})
			ch := increment("late")
			_, err := late.Commit(t.Context(), id, before, ch)
			wantError(t, "the change that the home alone has made", err, store.ErrUnknownOutcome)
			home.Empty()
			home.Intercept(nil)
			copies.Intercept(nil)
			v := commit(t, other, id, load(t, other, id), increment("other"))
			copies.Empty() // so that the former home is it again
			for range 3 {
				v = commit(t, other, id, load(t, other, id), increment("other"))
			}
			commit(t, other, id, v, renewal("r", fmt.Sprintf("NEWNEWNEWNEWNEWNEWNEW%05d", try)))
			commit(t, late, id, before, ch)
			if got := load(t, other, id).Record; count(got, "late") != 1 {
				t.Fatalf("try %d: late=%d, want 1", try, count(got, "late"))
			}
		}
	})
}
