package drill

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A Report is the outcome of a drill. As JSON it has the figures of each mode,
// and their totals.
type Report struct {
	Modes map[string]Figures `json:"modes"`
	Figures
	took []time.Duration // by all requests
}

// include adds the outcome of one mode.
func (r *Report) include(d *drill) {
	f := d.figures()
	r.Modes[d.mode.Name] = f
	r.took = append(r.took, d.took()...)
	r.add(f)
	r.time(r.took)
}

// unlessEmpty is nil if there was no drill.
func (r *Report) unlessEmpty() *Report {
	if len(r.Modes) == 0 {
		return nil
	}
	return r
}

// Err says which promises were broken, and what should have happened and did not,
// so that nothing was shown. It is nil if the drill went as it should.
func (r *Report) Err() error {
	var wrong []error
	for _, mode := range r.modes() {
		for _, err := range r.Modes[mode].wrong(mode) {
			wrong = append(wrong, fmt.Errorf("%s: %w", mode, err))
		}
	}
	return errors.Join(wrong...)
}

func (r *Report) modes() []string { return slices.Sorted(maps.Keys(r.Modes)) }

func (f Figures) wrong(mode string) (wrong []error) {
	for _, broken := range []struct {
		n    int64
		what string
	}{
		{int64(f.Lost), "sessions were lost"},
		{f.LostUpdates, "acknowledged changes were lost"},
		{f.Doubled, "increments happened twice"},
		{int64(f.Losers - f.Unsent), "sessions more lost changes than the dead servers had not sent"},
		{int64(f.Resurrected), "sessions came back after a logout"},
	} {
		if broken.n > 0 {
			wrong = append(wrong, fmt.Errorf("%d %s", broken.n, broken.what))
		}
	}
	for _, needed := range []struct {
		happened bool
		what     string
	}{
		{f.Faults > 0 && f.InFlight > 0, "fault struck while requests were under way"},
		{f.Relocations > 0, "session got other nodes"},
		{f.Replayed > 0, "change was replayed"},
		{f.Takeovers > 0 || mode == rig.NonSticky().Name, "session was taken over"},
	} {
		if !needed.happened {
			wrong = append(wrong, errors.New("no "+needed.what+": this drill shows nothing"))
		}
	}
	return wrong
}

// Print writes a table for people and, as the last line, the JSON object.
func (r *Report) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	columns := [][]row{r.rows()}
	_, _ = fmt.Fprint(table, "\n\ttotal\t")
	for _, mode := range r.modes() {
		columns = append(columns, r.Modes[mode].rows())
		_, _ = fmt.Fprintf(table, "%s\t", mode)
	}
	for i, first := range columns[0] {
		_, _ = fmt.Fprintf(table, "\n%s\t", first.name)
		for _, rows := range columns {
			_, _ = fmt.Fprintf(table, "%v\t", rows[i].value)
		}
	}
	_, _ = fmt.Fprint(table, "\n\n")
	if err := table.Flush(); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(r)
}

type row struct {
	name  string
	value any
}

func (f Figures) rows() []row {
	return []row{
		{"requests", f.Requests},
		{"  failed", f.Failed},
		{"  half took at most", fmt.Sprintf("%.1f ms", f.P50)},
		{"  99% took at most", fmt.Sprintf("%.1f ms", f.P99)},
		{"  the longest took", fmt.Sprintf("%.1f ms", f.Max)},
		{"faults", f.Faults},
		{"  requests under way then", f.InFlight},
		{"  sessions that got other nodes", f.Relocations},
		{"  sessions taken over", f.Takeovers},
		{"changes replayed after a conflict", f.Replayed},
		{"lost sessions", f.Lost},
		{"lost updates", f.LostUpdates},
		{"doubled updates", f.Doubled},
		{"sessions back after a logout", f.Resurrected},
		{"unsent sessions of dead servers", f.Unsent},
		{"  that lost changes", f.Losers},
		{"  so many", f.UnsentLost},
	}
}
