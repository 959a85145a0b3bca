package storetest

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

const maxItem = 1 << 20

// sound is a harness with nothing wrong.
func sound() (Harness, *memorystore.Store) {
	s := memorystore.New(&memorystore.Options{MaxItem: maxItem})
	return Harness{Store: s, Restart: func(testing.TB) { s.Clear() }, MaxItem: maxItem}, s
}

func TestRowsPassOnASoundStore(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := sound()
				if rec := record(t, r, h); rec.failed || rec.skipped {
					t.Errorf("failed %v, skipped %v:\n%s", rec.failed, rec.skipped, rec.said.String())
				}
			})
		})
	}
}

// TestRowsFailOnBrokenStores plants defects: each must make its rows fail, and
// a row that fails tells its rule.
func TestRowsFailOnBrokenStores(t *testing.T) {
	all := rows()
	for _, d := range defects() {
		for _, name := range d.rows {
			t.Run(strings.ReplaceAll(d.name, " ", "-")+"/"+name, func(t *testing.T) {
				i := slices.IndexFunc(all, func(r row) bool { return r.name == name })
				if i < 0 {
					t.Fatalf("there is no row %s", name)
				}
				synctest.Test(t, func(t *testing.T) {
					h, s := sound()
					d.plant(&h, s)
					rec := record(t, all[i], h)
					if !rec.failed {
						t.Errorf("row %s passes a store that %s", name, d.name)
					}
					if !strings.Contains(rec.said.String(), all[i].rule) {
						t.Errorf("the failing row does not tell its rule:\n%s", rec.said.String())
					}
				})
			})
		}
	}
}

// TestEveryRowCanFail: a row that no defect fails proves nothing.
func TestEveryRowCanFail(t *testing.T) {
	covered := map[string]bool{}
	for _, d := range defects() {
		for _, name := range d.rows {
			covered[name] = true
		}
	}
	seen := map[string]bool{}
	for _, r := range rows() {
		if !covered[r.name] {
			t.Errorf("no planted defect makes the row %s fail", r.name)
		}
		if seen[r.name] {
			t.Errorf("two rows are called %s", r.name)
		}
		seen[r.name] = true
	}
}

func TestHarnessWithoutRestartNeedsAReason(t *testing.T) {
	h, _ := sound()
	h.Restart = nil
	if rec := record(t, readRows()[0], h); !rec.failed {
		t.Error("a harness without Restart and without NoRestart was accepted")
	}
	h.NoRestart = "the reason"
	rec := record(t, restartRows()[0], h)
	if !rec.skipped || !strings.Contains(rec.said.String(), "the reason") {
		t.Errorf("skipped %v:\n%s", rec.skipped, rec.said.String())
	}
}
