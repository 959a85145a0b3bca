package record_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// TestCloneIsIndependent changes one of a record and its clone in every way
// there is, and looks at the bytes of the other.
func TestCloneIsIndependent(t *testing.T) {
	changes := []struct {
		name string
		do   func(r *record.Record)
	}{
		{"a plain field", func(r *record.Record) { r.Revision++ }},
		{"members grow", func(r *record.Record) { r.Members = append(r.Members, "n9") }},
		{"other members", func(r *record.Record) { r.Members = []string{"n9"} }},
		{"one more node leaves", func(r *record.Record) { r.Leaving = append(r.Leaving, "n9") }},
		{"no node leaves any more", func(r *record.Record) { r.Leaving = nil }},
		{"a commit in place", func(r *record.Record) { r.Commits[0]++ }},
		{"one more commit", func(r *record.Record) { r.AddCommit(99) }},
		{"so many commits that all old ones go", func(r *record.Record) {
			for i := range uint64(40) {
				r.AddCommit(i)
			}
		}},
		{"another value", func(r *record.Record) { r.Set(record.Attribute{Name: "user", Codec: 9}) }},
		{"a first attribute", func(r *record.Record) { r.Set(record.Attribute{Name: "a"}) }},
		{"a last attribute", func(r *record.Record) { r.Set(record.Attribute{Name: "z"}) }},
		{"one attribute fewer", func(r *record.Record) { r.Delete("cart") }},
		{"no attributes", func(r *record.Record) { r.Clear() }},
	}
	c := newCodec(t, false)
	stored := plain(append(bodyOf(t, sample()), "later"...), storageKey)
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			original := parse(t, c, bytes.Clone(stored)) // with spare room in its slices
			clone := original.Clone()
			change.do(clone)
			if got := c.Append(nil, original, storageKey); !bytes.Equal(got, stored) {
				t.Errorf("changing the clone changed the original: got\n%x, want\n%x", got, stored)
			}
			if got := c.Append(nil, clone, storageKey); bytes.Equal(got, stored) {
				t.Error("the change did nothing")
			}

			original = parse(t, c, bytes.Clone(stored))
			clone = original.Clone()
			change.do(original)
			if got := c.Append(nil, clone, storageKey); !bytes.Equal(got, stored) {
				t.Errorf("changing the original changed the clone: got\n%x, want\n%x", got, stored)
			}
		})
	}
}

func TestClonesGrowApart(t *testing.T) {
	c := newCodec(t, false)
	original := parse(t, c, c.Append(nil, sample(), storageKey))
	clones := []*record.Record{original, original.Clone(), original.Clone()}
	for i, r := range clones {
		r.Set(record.Attribute{Name: "z", Codec: byte(i)})
		r.AddCommit(uint64(i))
	}
	for i, r := range clones {
		if a, ok := r.Get("z"); !ok || a.Codec != byte(i) {
			t.Errorf("clone %d: got attribute %v, %v, want its own", i, a, ok)
		}
		if got := r.Commits[len(r.Commits)-1]; got != uint64(i) {
			t.Errorf("clone %d: got commit %d, want its own", i, got)
		}
	}
}

// TestAppendingToAValueCopies: values lie side by side in the record's bytes.
func TestAppendingToAValueCopies(t *testing.T) {
	inBothForms(t, func(t *testing.T, c *record.Codec) {
		r := parse(t, c, c.Append(nil, sample(), storageKey))
		for _, a := range r.Attributes() {
			_ = append(a.Value, "scribble"...)
		}
		if d := difference(r, sample()); d != "" {
			t.Error(d)
		}
	})
}

// TestAttributesBehaveAsASortedMap compares random operations with a map.
func TestAttributesBehaveAsASortedMap(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		r, model := &record.Record{}, map[string]record.Attribute{}
		for range 200 {
			name := string(rune('a' + rng.IntN(20)))
			_, had := model[name]
			switch rng.IntN(40) {
			case 0:
				r.Clear()
				clear(model)
			case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
				if got := r.Delete(name); got != had {
					t.Fatalf("seed %d: Delete(%q) got %v, want %v", seed, name, got, had)
				}
				delete(model, name)
			default:
				a := record.Attribute{Name: name, Codec: byte(rng.Uint32()), Value: []byte{byte(rng.Uint32())}}
				r.Set(a)
				model[name] = a
			}
			compareWithModel(t, r, model)
		}
	}
}

func compareWithModel(t *testing.T, r *record.Record, model map[string]record.Attribute) {
	t.Helper()
	var names []string
	for _, a := range r.Attributes() {
		names = append(names, a.Name)
	}
	if want := slices.Sorted(maps.Keys(model)); !slices.Equal(names, want) {
		t.Fatalf("got names %q, want %q", names, want)
	}
	for name := byte('a'); name < 'a'+20; name++ {
		got, ok := r.Get(string(name))
		want, wantOK := model[string(name)]
		if ok != wantOK || got.Name != want.Name || got.Codec != want.Codec || !bytes.Equal(got.Value, want.Value) {
			t.Fatalf("Get(%q) got %v, %v, want %v, %v", name, got, ok, want, wantOK)
		}
	}
}

func TestAddCommitKeepsTheLatest(t *testing.T) {
	var r record.Record
	for id := range uint64(100) {
		r.AddCommit(id)
		oldest := max(id+1, record.MaxCommits) - record.MaxCommits
		if got, want := r.Commits, rangeOf(oldest, id); !slices.Equal(got, want) {
			t.Fatalf("after %d: got %v, want %v", id, got, want)
		}
		if !r.HasCommit(id) || !r.HasCommit(oldest) {
			t.Fatalf("after %d: latest %v or oldest %v not found", id, r.HasCommit(id), r.HasCommit(oldest))
		}
		if id >= record.MaxCommits && r.HasCommit(oldest-1) {
			t.Fatalf("after %d: %d is still there", id, oldest-1)
		}
	}
}

func rangeOf(first, last uint64) (ids []uint64) {
	for id := first; id <= last; id++ {
		ids = append(ids, id)
	}
	return ids
}

func TestReasonsHaveNames(t *testing.T) {
	want := map[record.Reason]string{
		0: "unknown", record.Logout: "logout", record.Idle: "idle", record.Absolute: "absolute",
		record.Replaced: "replaced", record.Evicted: "evicted", record.Evicted + 1: "unknown",
	}
	for reason, name := range want {
		if got := reason.String(); got != name {
			t.Errorf("reason %d: got %q, want %q", reason, got, name)
		}
	}
}
