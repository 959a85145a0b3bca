// Command floor measures how far Holdfast's non-sticky requests are from the least that
// they can cost: the same handler without sessions, and the same bytes exchanged with the
// same memcached by hand, pipelined. All of it is in one run, in turns.
//
//	go run ./integration/floor [-quick] [-into FILE]
//	go run ./integration/floor -stations [-quick] [-into FILE]
//
// With -stations it tells instead where each microsecond and allocation of a change with
// two copies goes. With -into the table replaces the one in that document.
//
// It needs memcached 1.6 and a Unix.
package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == loadRole {
		measure.Exit("floor", sendLoads(os.Args[2]))
	}
	quick := flag.Bool("quick", false, "shorter rounds, rougher figures")
	stations := flag.Bool("stations", false, "tell where the cost of a change with two copies goes")
	into := flag.String("into", "", "a document, such as docs/performance.md, whose section is renewed")
	measure.Main("floor", func(ctx context.Context) error { return run(ctx, planOf(*quick), *stations, *into) })
}

func run(ctx context.Context, p plan, stations bool, into string) error {
	section, tell := "floor", tellFloor
	if stations {
		section, tell = "stations", tellStations
	}
	var text bytes.Buffer
	err := tell(ctx, p, &text)
	if err == nil && into != "" {
		err = renew(into, section, text.Bytes())
	}
	_, _ = os.Stdout.Write(text.Bytes())
	return err
}

func tellFloor(ctx context.Context, p plan, w io.Writer) error {
	machine := measure.Machine()
	rows, err := compare(ctx, p, os.Stderr)
	if err != nil {
		return err
	}
	return writeReport(w, machine, rows)
}

// A plan says how long everything is measured.
type plan struct {
	rounds   int           // of everything in turn, each with its own nodes; medians count
	slice    time.Duration // of one thing in a round
	sessions int           // of each client
	clients  []int         // how many at once
}

var (
	thorough = plan{rounds: 11, slice: 300 * time.Millisecond, sessions: 16, clients: []int{1, 32}}
	brief    = plan{rounds: 3, slice: 100 * time.Millisecond, sessions: 16, clients: []int{1, 32}}
)

func planOf(quick bool) plan {
	if quick {
		return brief
	}
	return thorough
}
