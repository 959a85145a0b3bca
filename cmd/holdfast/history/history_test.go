package history

import (
	"strings"
	"testing"
)

// step is a span in whole steps of time.
func step(start, end int) Span { return Span{moment(start), moment(end)} }

func TestPlantedFaultsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		seen func(h *History)
		want string // part of the verdict; empty: accepted
	}{
		{"nothing happened", func(*History) {}, ""},
		{"read your write", func(h *History) {
			h.Write("x", "1", step(0, 1), Accepted)
			h.Read("x", "1", step(2, 3))
		}, ""},
		{"a read during a write sees the old value", func(h *History) {
			h.Write("x", "1", step(0, 9), Accepted)
			h.Read("x", "", step(2, 3))
			h.Read("x", "1", step(4, 5))
		}, ""},
		{"a lost write", func(h *History) {
			h.Write("x", "1", step(0, 1), Accepted)
			h.Read("x", "", step(2, 3))
		}, "lost update or a stale read"},
		{"a write lost to an older one", func(h *History) {
			h.Write("x", "1", step(0, 1), Accepted)
			h.Write("x", "2", step(2, 3), Accepted)
			h.Read("x", "1", step(4, 5))
		}, "lost update or a stale read"},
		{"a stale read after a newer one", func(h *History) {
			h.Write("x", "1", step(0, 9), Accepted)
			h.Read("x", "1", step(1, 2))
			h.Read("x", "", step(3, 4))
		}, "lost update or a stale read"},
		{"two values take turns", func(h *History) {
			h.Write("x", "1", step(0, 9), Accepted)
			h.Write("x", "2", step(0, 9), Accepted)
			h.Read("x", "1", step(1, 2))
			h.Read("x", "2", step(3, 4))
			h.Read("x", "1", step(5, 6))
		}, "lost update or a stale read"},
		{"an unknown write need not have happened", func(h *History) {
			h.Write("x", "1", step(0, 1), Unknown)
			h.Read("x", "", step(2, 3))
		}, ""},
		{"an unknown write may happen late", func(h *History) {
			h.Write("x", "1", step(0, 1), Unknown)
			h.Read("x", "", step(2, 3))
			h.Read("x", "1", step(4, 5))
		}, ""},
		{"an unknown write happens twice", func(h *History) {
			h.Write("x", "1", step(0, 1), Unknown)
			h.Read("x", "1", step(2, 3))
			h.Write("x", "2", step(4, 5), Accepted)
			h.Read("x", "2", step(6, 7))
			h.Read("x", "1", step(8, 9))
		}, "before the other was last seen"},
		{"a refused write is seen", func(h *History) {
			h.Write("x", "1", step(0, 1), Refused)
			h.Read("x", "1", step(2, 3))
		}, "whose write was refused"},
		{"a value from nowhere", func(h *History) {
			h.Read("x", "7", step(2, 3))
		}, "nobody wrote"},
		{"a value from the future", func(h *History) {
			h.Read("x", "1", step(0, 1))
			h.Write("x", "1", step(2, 3), Accepted)
		}, "before its write began"},

		{"increments one by one", func(h *History) {
			h.Increment("n", 1, step(0, 1), Accepted)
			h.Increment("n", 2, step(2, 3), Accepted)
			h.Count("n", 2, step(4, 5))
		}, ""},
		{"a duplicate answer", func(h *History) {
			h.Increment("n", 1, step(0, 5), Accepted)
			h.Increment("n", 1, step(1, 4), Accepted)
		}, "both told 1"},
		{"a lost increment", func(h *History) {
			h.Increment("n", 1, step(0, 1), Accepted)
			h.Increment("n", 2, step(2, 3), Accepted)
			h.Count("n", 1, step(4, 5))
		}, "lost update or a stale read"},
		{"increments answered in the wrong order", func(h *History) {
			h.Increment("n", 2, step(0, 1), Accepted)
			h.Increment("n", 1, step(2, 3), Accepted)
		}, "lost update or a stale read"},
		{"an increment that nobody sent", func(h *History) {
			h.Increment("n", 1, step(0, 1), Accepted)
			h.Increment("n", 3, step(2, 3), Accepted)
		}, "more increments were counted than sent"},
		{"an unknown increment fills a gap", func(h *History) {
			h.Increment("n", 1, step(0, 1), Accepted)
			h.Increment("n", 0, step(0, 1), Unknown)
			h.Increment("n", 3, step(2, 3), Accepted)
		}, ""},
		{"an unknown increment is applied twice", func(h *History) {
			h.Increment("n", 0, step(0, 1), Unknown)
			h.Count("n", 2, step(2, 3))
		}, "more increments were counted than sent"},
		{"a gap before the unknown increment was sent", func(h *History) {
			h.Increment("n", 2, step(0, 1), Accepted)
			h.Increment("n", 0, step(5, 6), Unknown)
		}, "before enough increments had been sent"},
		{"a refused increment counts", func(h *History) {
			h.Increment("n", 0, step(0, 1), Refused)
			h.Count("n", 1, step(2, 3))
		}, "more increments were counted than sent"},

		{"a lost session", func(h *History) {
			h.Lost("session %d: 404", 7)
		}, "session 7: 404"},
		{"every fault is named", func(h *History) {
			h.Lost("session 7: 404")
			h.Count("n", 1, step(0, 1))
		}, "counter n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := New()
			c.seen(h)
			switch err := h.Check(); {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && err == nil:
				t.Errorf("accepted, want it refused with %q", c.want)
			case c.want != "" && !strings.Contains(err.Error(), c.want):
				t.Errorf("refused with %q, want %q", err, c.want)
			}
		})
	}
}

func TestSameValueTwiceCannotBeJudged(t *testing.T) {
	h := New()
	h.Write("x", "1", step(0, 1), Accepted)
	h.Write("x", "1", step(2, 3), Accepted)
	if err := h.Check(); err == nil {
		t.Error("accepted a history with two writes of one value")
	}
}

func TestObjectsDoNotMix(t *testing.T) {
	h := New()
	h.Write("x", "1", step(0, 1), Accepted)
	h.Read("y", "", step(2, 3))
	h.Increment("x", 1, step(0, 1), Accepted)
	h.Count("y", 0, step(2, 3))
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}
