package sticky_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"runtime"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// forgetful are nodes that take every change and keep nothing, so that what is
// measured is this server's own.
type forgetful struct{ members []string }

// note is as large as what placement.Cluster gives.
type note struct{ _ [8]uint64 }

func (forgetful) Key(id string) string { return id }

func (f forgetful) Create(_ context.Context, key string, ch *store.Change) (*store.View, error) {
	return f.change(&record.Record{Epoch: 1, Members: f.members}, key, ch)
}

func (f forgetful) Commit(_ context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	if base == nil {
		return f.Create(context.Background(), id, ch)
	}
	return f.change(base.Record.Clone(), base.Key, ch)
}

func (forgetful) change(r *record.Record, key string, ch *store.Change) (*store.View, error) {
	if err := ch.Apply(r); err != nil {
		return nil, err
	}
	r.Revision++
	r.AddCommit(ch.Commit)
	return &store.View{Record: r, Key: key, Seen: &note{}}, nil
}

func (forgetful) Standing(v *store.View) (any, bool) { return v.Seen, true }

func (forgetful) LoadKey(context.Context, string, string) (*store.View, error) {
	return nil, store.ErrUnavailable
}

func (f forgetful) Load(ctx context.Context, id, hint string) (*store.View, error) {
	return f.LoadKey(ctx, id, hint)
}
func (forgetful) Destroy(context.Context, *store.View) error       { return nil }
func (forgetful) Emptied(context.Context, string) ([]string, bool) { return nil, false }
func (forgetful) Answers(context.Context) bool                     { return false }
func (forgetful) Close() error                                     { return nil }

func openForgetful(b *testing.B, async bool) *sticky.Sessions {
	s, err := sticky.New(forgetful{members: []string{"n1", "n2"}}, sticky.Options{Async: async, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func benchmarkKey() string {
	var sum [32]byte
	rand.Read(sum[:])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// kilobyte is the whole session of most benchmarks.
func kilobyte() *store.Change {
	value := bytes.Repeat([]byte("v"), 1024)
	return change(func(r *record.Record) {
		r.Created, r.IdleTimeout = time.Now(), 30*time.Minute
		r.Set(record.Attribute{Name: "cart", Value: bytes.Clone(value)})
	})
}

// BenchmarkMemory is what a million idle sessions of 1 KiB take.
func BenchmarkMemory(b *testing.B) {
	const sessions = 1_000_000
	for b.Loop() {
		before := heap()
		s := openForgetful(b, false)
		for range sessions {
			if _, err := s.Commit(b.Context(), benchmarkKey(), nil, kilobyte()); err != nil {
				b.Fatal(err)
			}
		}
		for last := int64(0); s.Stats().Bytes != last; time.Sleep(12 * time.Second) { // until all are packed
			last = s.Stats().Bytes
		}
		b.ReportMetric(float64(heap()-before)/sessions, "heap-B/session")
		b.ReportMetric(float64(s.Stats().Bytes)/sessions, "counted-B/session")
		_ = s.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkRead(b *testing.B) {
	s, key := openForgetful(b, false), benchmarkKey()
	if _, err := s.Commit(b.Context(), key, nil, kilobyte()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Continue(b.Context(), key, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChange is one change of one of a thousand sessions, with its sending.
func BenchmarkChange(b *testing.B) {
	for name, async := range map[string]bool{"sync": false, "async": true} {
		b.Run(name, func(b *testing.B) {
			s, keys := openForgetful(b, async), make([]string, 1000)
			for i := range keys {
				keys[i] = benchmarkKey()
				if _, err := s.Commit(b.Context(), keys[i], nil, kilobyte()); err != nil {
					b.Fatal(err)
				}
			}
			value := []byte("value")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				key := keys[i%len(keys)]
				v, err := s.Continue(b.Context(), key, "")
				if err != nil {
					b.Fatal(err)
				}
				ch := &store.Change{Commit: uint64(i), Apply: func(r *record.Record) error {
					r.Set(record.Attribute{Name: "n", Value: value})
					return nil
				}}
				if _, err := s.Commit(b.Context(), key, v, ch); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Flush(b.Context(), func(int) {}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func (forgetful) Bury(context.Context, string, time.Duration) error { return nil }

func (forgetful) Lacks(*store.View) bool { return false }

func (forgetful) LookAt(context.Context, string, string, time.Time) (*store.View, error) {
	return nil, store.ErrNotFound
}
