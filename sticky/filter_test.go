package sticky_test

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

func TestPrivateAttributesStayHere(t *testing.T) {
	o := sticky.Options{Filter: regexp.MustCompile(`^(n|public)$`)}
	inModesWith(t, o, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		v := a.mustLoad(id, "app1")
		if _, err := a.Commit(t.Context(), id, v, set("secret", "PRIVATEBYTES")); err != nil {
			t.Fatal(err)
		}
		a.mustAdd(id, "app1")
		a.flush()
		wantAttribute(t, a.mustLoad(id, "app1"), "secret", "PRIVATEBYTES")
		b := f.start("app2", o)
		wantAttribute(t, b.mustLoad(id, "app1"), "secret", "")
		b.mustAdd(id, "app1") // a change by another server does not cost the former one its own
		a.mustAdd(id, "app1")
		a.flush()
		b.wantTotal(id, "app1", 3)
		wantAttribute(t, b.mustLoad(id, "app1"), "secret", "")
		for i := range f.nodes {
			f.wantNothingOf(i, "PRIVATEBYTES")
		}
		wantAttribute(t, a.mustLoad(id, "app1"), "secret", "PRIVATEBYTES")
		time.Sleep(20 * time.Second) // packed
		wantAttribute(t, a.mustLoad(id, "app1"), "secret", "PRIVATEBYTES")
	})
}

// A private count is made once, also when the changes around it are made again.
func TestAPrivateChangeIsMadeOnce(t *testing.T) {
	o := sticky.Options{Async: true, Filter: regexp.MustCompile(`^public$`)}
	inFarm(t, 1, 2, o, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.start("app2", o)
		a.begin(id)
		a.flush()
		v := b.mustLoad(id, "app1")
		f.cut("app1")
		a.mustAdd(id, "app1")
		synctest.Wait()
		a.mustAdd(id, "app1")
		if _, err := b.Commit(t.Context(), id, v, set("public", "b")); err != nil {
			t.Fatal(err)
		}
		b.flush()
		f.mend("app1")
		time.Sleep(10 * time.Second)
		a.flush()
		a.wantTotal(id, "app1", 2)
		wantAttribute(t, a.mustLoad(id, "app1"), "public", "b")
	})
}

func (f *farm) wantNothingOf(node int, secret string) {
	f.t.Helper()
	client := f.nodes[node].Client("reader")
	defer client.Close()
	for _, key := range f.nodes[node].Keys() {
		item, err := client.Get(context.Background(), key, store.Whole)
		if err == nil && bytes.Contains(item.Value, []byte(secret)) {
			f.t.Errorf("node %d holds a private attribute", node+1)
		}
	}
}

func wantAttribute(t *testing.T, v *store.View, name, want string) {
	t.Helper()
	if got, _ := v.Record.Get(name); string(got.Value) != want {
		t.Errorf("%s is %q, want %q", name, got.Value, want)
	}
}
