// Command growth measures how what a request costs grows with the number of sessions,
// their attributes and sizes, the nodes, the copies and the clients.
//
//	go run ./integration/growth [-quick] [-out DIR]
//
// Each point is a process of its own with memcached processes of its own, and requests
// are made in it without a network before it; what counts is processor time. All points
// of one quantity are measured in turns. The tables go to standard output; with -out they
// are written to DIR too, with plots.
//
// It needs memcached 1.6 and a Unix.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == pointRole {
		measure.Exit("growth", servePoint(os.Args[2:]))
	}
	quick := flag.Bool("quick", false, "no more than 100,000 sessions, shorter rounds: less than three minutes")
	out := flag.String("out", "", "the directory for growth.md and the plots")
	measure.Main("growth", func(ctx context.Context) error { return run(ctx, planOf(*quick), *out) })
}

func run(ctx context.Context, p plan, out string) error {
	machine := measure.Machine()
	all, err := measureAll(ctx, p, quantities(p.most), os.Stderr)
	if err != nil {
		return err
	}
	if out != "" {
		if err := publish(out, machine, p, all); err != nil {
			return err
		}
	}
	return writeReport(os.Stdout, machine, p, all)
}

// A plan says how long everything is measured.
type plan struct {
	rounds int           // of all points of a quantity in turn; medians count
	slice  time.Duration // of one kind of request at one point in a round
	most   int           // sessions
}

var (
	thorough = plan{rounds: 9, slice: 300 * time.Millisecond, most: 1_000_000}
	brief    = plan{rounds: 3, slice: 100 * time.Millisecond, most: 100_000}
)

func planOf(quick bool) plan {
	if quick {
		return brief
	}
	return thorough
}

// A curve is a quantity with what was measured at each of its points.
type curve struct {
	quantity
	points []*point
}

func measureAll(ctx context.Context, p plan, list []quantity, progress io.Writer) (curves []curve, err error) {
	for _, q := range list {
		_, _ = fmt.Fprintln(progress, q.name)
		c, err := measureOne(ctx, p, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		curves = append(curves, c)
	}
	return curves, nil
}

func measureOne(ctx context.Context, p plan, q quantity) (c curve, err error) {
	c.quantity = q
	defer func() {
		for _, point := range c.points {
			point.close()
		}
	}()
	for _, value := range q.values {
		point, err := startPoint(ctx, q.at(value))
		if err != nil {
			return c, err
		}
		point.value = value
		c.points = append(c.points, point)
	}
	for round := range p.rounds {
		for i := range c.points {
			point := c.points[(i+round)%len(c.points)]
			for _, path := range paths {
				if err := point.measure(path, p.slice); err != nil {
					return c, fmt.Errorf("%s: %w", q.label(point.value), err)
				}
			}
		}
	}
	return c, nil
}

// A config is what a point has.
type config struct {
	Sessions, Attributes, Size, Nodes, Copies, Clients int

	Sticky bool
}

func (c config) String() string {
	text, _ := json.Marshal(c) // has no field that it cannot write
	return string(text)
}
