package staging

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// A journal gives operations to the history, and keeps them to show with what was
// broken.
type journal struct {
	*history.History
	mu  sync.Mutex
	ops map[string][]history.Op // by session; guarded by mu
}

func newJournal() *journal { return &journal{History: history.New(), ops: map[string][]history.Op{}} }

// Add notes an operation on a session.
func (j *journal) Add(op history.Op) {
	j.History.Add(op)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ops[op.Session] = append(j.ops[op.Session], op)
}

// evidence is all that was done to each session of which something in wrong tells.
func (j *journal) evidence(wrong []string) map[string][]Step {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := map[string][]Step{}
	for _, line := range wrong {
		name, ok := strings.CutPrefix(line, "session ")
		if !ok {
			continue
		}
		name = name[:max(0, strings.IndexAny(name, ":,"))]
		ops := slices.Clone(j.ops[name])
		slices.SortStableFunc(ops, func(a, b history.Op) int { return int(a.Span.Start - b.Span.Start) })
		var steps []Step
		for _, op := range ops {
			steps = append(steps, stepOf(op))
		}
		all[name] = steps
	}
	return all
}

// A Step is an operation as a report shows it, with times in seconds.
type Step struct {
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Server  string  `json:"server,omitempty"`
	Kind    string  `json:"kind"`
	Key     string  `json:"key,omitempty"`
	Value   string  `json:"value,omitempty"`
	Owner   string  `json:"owner,omitempty"`
	Outcome string  `json:"outcome"`
	Missing bool    `json:"missing,omitempty"` // the answer was that there is no such session
	Former  bool    `json:"former,omitempty"`  // with an id from before
}

func stepOf(op history.Op) Step {
	seconds := func(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
	return Step{
		seconds(op.Span.Start), seconds(op.Span.End), op.Server, string(op.Kind), op.Key, op.Value, op.Owner,
		outcomeName(op.Outcome), op.Missing, op.Former,
	}
}

func outcomeName(o history.Outcome) string {
	switch o {
	case history.Accepted:
		return "accepted"
	case history.Refused:
		return "refused"
	}
	return "unknown"
}
