package drill

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

// A Report is the outcome of a drill. As JSON it has the figures of each mode,
// and their totals.
type Report struct {
	Modes map[string]Figures `json:"modes"`
	Figures
}

func (d *drill) report() *Report {
	f := d.figures()
	return &Report{Modes: map[string]Figures{"non_sticky": f}, Figures: f}
}

// Err says which promises were broken, and what should have happened and did not,
// so that nothing was shown. It is nil if the drill went as it should.
func (r *Report) Err() error {
	var wrong []error
	for mode, f := range r.Modes {
		for _, err := range f.wrong() {
			wrong = append(wrong, fmt.Errorf("%s: %w", mode, err))
		}
	}
	return errors.Join(wrong...)
}

func (f Figures) wrong() (wrong []error) {
	for _, broken := range []struct {
		n    int64
		what string
	}{
		{int64(f.Lost), "sessions were lost"},
		{f.LostUpdates, "acknowledged changes were lost"},
		{f.Doubled, "increments happened twice"},
		{int64(f.UnsentLost), "changes were lost with a server"},
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
	} {
		if !needed.happened {
			wrong = append(wrong, errors.New("no "+needed.what+": this drill shows nothing"))
		}
	}
	return wrong
}

// Print writes a table for people and, as the last line, the JSON object.
func (r *Report) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for mode, f := range r.Modes {
		_, _ = fmt.Fprintf(table, "\nmode\t%s\n", mode)
		for _, row := range f.rows() {
			_, _ = fmt.Fprintf(table, "%s\t%v\n", row.name, row.value)
		}
	}
	_, _ = fmt.Fprintln(table)
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
		{"changes replayed after a conflict", f.Replayed},
		{"lost sessions", f.Lost},
		{"lost updates", f.LostUpdates},
		{"doubled updates", f.Doubled},
		{"sessions back after a logout", f.Resurrected},
	}
}
