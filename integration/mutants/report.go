package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// report prints the table. Its error says which mutants live.
func report(out io.Writer, trials []trial, took time.Duration) error {
	say(out, "\n| mutant | killed by | s | what the first of them said |\n")
	say(out, "|---|---|---|---|\n")
	var failures []error
	for i := range trials {
		t := &trials[i]
		by, said := t.verdict()
		say(out, "| %s | %s | %.0f | %s |\n", t.mutant.name, by, t.took.Seconds(), said)
		if len(t.killers()) == 0 || t.err != nil {
			failures = append(failures, fmt.Errorf("%s: %s %s", t.mutant.name, by, said))
		}
	}
	say(out, "\n%d of %d mutants killed in %v\n", len(trials)-len(failures), len(trials), took.Round(time.Second))
	return errors.Join(failures...)
}

// verdict is how t stands in the table.
func (t *trial) verdict() (by, said string) {
	killers := t.killers()
	switch {
	case t.err != nil:
		return "not tried", cell(t.err.Error())
	case len(killers) == 0:
		return "SURVIVES", "none of its drills notices"
	}
	var names []string
	for _, r := range killers {
		names = append(names, r.drill.String())
	}
	return strings.Join(names, "; "), cell(killers[0].line)
}

// cell makes text fit into a cell of the table.
func cell(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "/")
	if short := []rune(text); len(short) > 120 {
		return string(short[:120]) + "…"
	}
	return text
}

// say prints. That nobody can read it any more is no reason to stop.
func say(out io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
