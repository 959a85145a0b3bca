package staging

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// JSON writes r as one object.
func (r *Report) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "\t")
	out.SetEscapeHTML(false)
	return out.Encode(r)
}

const mostWrongLines = 40 // that a person reads

// Text writes r for people.
func (r *Report) Text(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) }
	line("\n%s\n", r.Verdict)
	if caveat := r.Caveat(); caveat != "" {
		line("%s\n", caveat)
	}
	for _, row := range r.rows() {
		line("%s\t%s", row.Name, row.Value)
	}
	line("\nat\tfault\tlasted\tunder way\taccepted after\trepaired after")
	for _, f := range r.Faults {
		line("%.1f s\t%s\t%.1f s\t%d\t%.3f s\t%s", f.At, f.What, f.Lasted, f.UnderWay, f.Accepted, f.repaired())
	}
	for _, list := range [][]string{r.Wrong[:min(len(r.Wrong), mostWrongLines)], r.Lacking} {
		line("")
		for _, what := range list {
			line("%s", what)
		}
	}
	return table.Flush()
}

func (f Fault) repaired() string {
	if f.Repaired == 0 {
		return "not"
	}
	return fmt.Sprintf("%.1f s", f.Repaired)
}

type row struct{ Name, Value string }

func (r *Report) rows() []row {
	var done []string
	for _, kind := range slices.Sorted(maps.Keys(r.Done)) {
		done = append(done, fmt.Sprintf("%d %s", r.Done[kind], kind))
	}
	nodes := "the operator's"
	if r.OwnNodes {
		nodes = "its own"
	}
	return []row{
		{"mode", r.Mode},
		{"processes", fmt.Sprintf("%d app servers, %d nodes (%s)", r.Servers, r.Nodes, nodes)},
		{"load", fmt.Sprintf("%.0f s, seed %d", r.Seconds, r.Seed)},
		{"requests", fmt.Sprintf("%d: %d accepted, %d refused, %d unknown (%.2f %%)", r.all(), r.Accepted, r.Refused, r.Unknown, r.Share*100)},
		{"accepted", strings.Join(done, ", ")},
		{"latency", fmt.Sprintf("half %.1f ms, 99 %% %.1f ms, longest %.0f ms", r.P50, r.P99, r.Max)},
		{"standstills", r.stood()},
		{"judged", fmt.Sprintf("%d operations of %d sessions", r.Judged, r.Sessions)},
	}
}
