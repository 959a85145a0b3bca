package placement_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// certainlyNot reports whether err says that a change did not happen and will not.
func certainlyNot(err error) bool {
	return err != nil && !errors.Is(err, store.ErrUnknownOutcome) && !over(err)
}

// over reports whether err says that the session is not there any more, or not
// for this request; a change may have happened before.
func over(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed)
}

// judge checks everything that the actors were told against what is stored.
func (w *world) judge() {
	w.t.Helper()
	path, last := w.walk()
	if last == nil {
		w.t.Errorf("the session is gone from the store")
		return
	}
	fresh := openCluster(w.t, w.store, newCodec(w.t)) // remembers nothing
	defer fresh.Close()
	for _, name := range slices.Sorted(maps.Keys(w.told)) {
		a := w.told[name]
		switch a.kind {
		case "change":
			w.judgeChange(name, a, last)
			w.judgeRenewal(fresh, name, a, path, last)
		case "destroy":
			w.judgeDestroy(fresh, name, a, last)
		case "read":
			w.judgeRead(name, a, last)
		}
	}
	if last.Kind == record.Session {
		checkSum(w.t, last)
		w.judgeFormerID(fresh, path)
	}
}

// walk follows the aliases from id, also those that are good no more, and
// returns the keys on the way and the record at the end.
func (w *world) walk() (path []string, last *record.Record) {
	for k := key(id); ; k = last.Target {
		path = append(path, k)
		if last = stored(w.t, w.store.Store, k); last == nil || last.Kind != record.Alias {
			return path, last
		}
		if len(path) > 5 {
			w.t.Fatalf("the aliases go in a circle")
		}
	}
}

// judgeChange: made exactly once if acknowledged, never if refused for
// certain, else at most once.
func (w *world) judgeChange(name string, a *answer, last *record.Record) {
	if last.Kind != record.Session {
		if !w.destroyed() {
			w.t.Errorf("the session ended, and nobody destroyed it")
		}
		return
	}
	got := count(last, name)
	switch {
	case got > 1:
		w.t.Errorf("%s: its change was made %d times", name, got)
	case a.err == nil && got != 1:
		w.t.Errorf("%s: its change was acknowledged and is not there", name)
	case errors.Is(a.err, store.ErrUnknownOutcome):
		w.t.Errorf("%s: given %d times, its outcome is still unknown", name, tries)
	case certainlyNot(a.err) && got != 0:
		w.t.Errorf("%s: its change was made, and its error says that it never is: %v", name, a.err)
	}
	if a.err != nil && !errors.Is(a.err, store.ErrUnavailable) && !over(a.err) {
		w.t.Errorf("%s: got error %v", name, a.err)
	}
}

// judgeRenewal: whoever was told that the new id is good finds the session
// under it, and nobody else does.
func (w *world) judgeRenewal(fresh *placement.Cluster, name string, a *answer, path []string, last *record.Record) {
	if a.to == "" {
		return
	}
	reached := slices.Contains(path, key(a.to))
	switch {
	case a.err == nil && !a.view.Aliased && !reached:
		w.t.Errorf("%s: was told its new id, and the session does not lie there", name)
	case a.err == nil && a.view.Aliased && reached:
		w.t.Errorf("%s: was told that its new id was not used, and the session lies there", name)
	case certainlyNot(a.err) && reached:
		w.t.Errorf("%s: the session moved to its new id, and its error says that it never does: %v", name, a.err)
	case errors.Is(a.err, store.ErrRenewed) && path[len(path)-1] == key(a.to):
		w.t.Errorf("%s: was told that somebody else renewed, and it was itself", name)
	}
	if !reached && w.faultless && stored(w.t, w.store.Store, key(a.to)) != nil {
		w.t.Errorf("%s: the record under its new id was left behind", name)
	}
	if last.Kind != record.Session || path[len(path)-1] != key(a.to) {
		return
	}
	v, err := fresh.Load(context.Background(), a.to, "")
	if err != nil || v.Aliased {
		w.t.Errorf("%s: Load of the new id: %v, error %v", name, v, err)
	}
}

func (w *world) judgeDestroy(fresh *placement.Cluster, name string, a *answer, last *record.Record) {
	switch {
	case a.err == nil && last.Kind == record.Session:
		w.t.Errorf("%s: was told that the session is destroyed, and it lives", name)
	case certainlyNot(a.err) && last.Kind != record.Session:
		w.t.Errorf("%s: the session ended, and its error says that it does not: %v", name, a.err)
	case errors.Is(a.err, store.ErrRenewed) && !w.login:
		w.t.Errorf("%s: ErrRenewed without a login", name)
	}
	if last.Kind == record.Session {
		return
	}
	wantUnfound(w.t, fresh, id)
	for _, other := range w.told {
		if other.to != "" && other.err == nil { // only then anybody knows that id
			wantUnfound(w.t, fresh, other.to)
		}
	}
}

func (w *world) judgeRead(name string, a *answer, last *record.Record) {
	switch {
	case a.err == nil:
		checkSum(w.t, a.view.Record)
	case errors.Is(a.err, store.ErrNotFound):
		if !w.login && last.Kind == record.Session && !w.slept {
			w.t.Errorf("%s: was told that the session is not there", name)
		}
	case !errors.Is(a.err, store.ErrUnavailable):
		w.t.Errorf("%s: got error %v", name, a.err)
	}
}

// judgeFormerID: after a renewal it finds the session within the grace, and
// nothing after it or after a login.
func (w *world) judgeFormerID(fresh *placement.Cluster, path []string) {
	first := mustBeStored(w.t, w.store.Store, path[0])
	v, err := fresh.Load(context.Background(), id, "")
	if first.Kind != record.Alias {
		if err != nil || v.Aliased {
			w.t.Errorf("Load of the id: %v, error %v", v, err)
		}
		return
	}
	good := true
	for _, k := range path[:len(path)-1] {
		alias := mustBeStored(w.t, w.store.Store, k)
		good = good && !alias.OwnerChanged && time.Now().Before(alias.Until)
	}
	if found := err == nil; found != good || found && !v.Aliased {
		w.t.Errorf("Load of the former id: %v, error %v; it should find the session: %t", v, err, good)
	}
}

// destroyed reports whether there is a request that destroys the session.
func (w *world) destroyed() bool {
	for _, a := range w.told {
		if a.kind == "destroy" {
			return true
		}
	}
	return false
}
