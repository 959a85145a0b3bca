// Command compare measures Holdfast beside other session managers: the same handlers,
// the same machine, one run, in turns.
//
//	go run ./integration/compare [-quick] [-out DIR] [-only REGEXP]
//
// Each contestant is an app server in a process of its own with memcached processes of
// its own. This process makes the load and checks every answer. The tables go to
// standard output; with -out they are written to DIR too, with plots.
//
// It needs memcached 1.6 and a Unix.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == appRole {
		measure.Exit("compare", serveApp(os.Args[2:]))
	}
	quick := flag.Bool("quick", false, "shorter rounds: less than three minutes, rougher figures")
	only := flag.String("only", "", "a regular expression: contestants whose name it matches")
	out := flag.String("out", "", "the directory for compare.md and the plots")
	measure.Main("compare", func(ctx context.Context) error { return run(ctx, *quick, *only, *out) })
}

func run(ctx context.Context, quick bool, only, out string) error {
	list, err := contestantsLike(only)
	if err != nil {
		return err
	}
	results, err := compare(ctx, planOf(quick), list, os.Stderr)
	if err != nil {
		return err
	}
	if out != "" {
		if err := publish(out, results); err != nil {
			return err
		}
	}
	return writeReport(os.Stdout, results, nil)
}

// A plan says how long everything is measured.
type plan struct {
	rounds      int           // of all contestants and kinds in turn; their median counts
	slice       time.Duration // of load, for one contestant and kind in a round
	connections int           // each with one request at a time
	visitors    int           // sessions that are read and changed, for each connection
	stored      int           // sessions that are made to weigh them
	increments  int           // of one session, in parallel
	tries       int           // of a request whose waits are counted
	hold        time.Duration // of each answer of a node meanwhile: far above what the rest of a request takes
}

var (
	thorough = plan{rounds: 9, slice: time.Second, connections: 32, visitors: 16, stored: 100_000, increments: 600, tries: 5, hold: 40 * time.Millisecond}
	brief    = plan{rounds: 3, slice: 450 * time.Millisecond, connections: 32, visitors: 16, stored: 20_000, increments: 600, tries: 3, hold: 40 * time.Millisecond}
)

func planOf(quick bool) plan {
	if quick {
		return brief
	}
	return thorough
}

// compare runs all phases. Each ends before the next begins, for the machine's sake.
func compare(ctx context.Context, p plan, list []contestant, progress io.Writer) (*results, error) {
	began, busy := time.Now(), measure.LoadAverage()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(progress, "%4.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	say("starting %d app servers", len(list))
	f, err := openField(ctx, p, list)
	if err != nil {
		return nil, err
	}
	defer f.close()
	for round := range p.rounds {
		say("speed, round %d of %d", round+1, p.rounds)
		if err := f.round(round); err != nil {
			return nil, err
		}
	}
	if err := f.probe(say); err != nil {
		return nil, err
	}
	say("done")
	all := f.results()
	all.took, all.busy = time.Since(began), busy
	return all, nil
}

// probe finds out what is no matter of speed.
func (f *field) probe(say func(string, ...any)) error {
	for _, phase := range []struct {
		name string
		run  func(*rig) error
	}{
		{"waits and commands", f.countWaits},
		{"parallel changes of one session", f.changeInParallel},
		{"memory", f.weigh},
		{"the death of a server", f.killAndRead},
	} {
		for _, r := range f.rigs {
			say("%s: %s", phase.name, r.name)
			if err := phase.run(r); err != nil {
				return fmt.Errorf("%s: %s: %w", r.name, phase.name, err)
			}
		}
	}
	return nil
}
