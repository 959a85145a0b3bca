package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A toll is what a request pays at a station.
type toll struct{ microseconds, allocations float64 }

func (t toll) plus(u toll) toll {
	return toll{t.microseconds + u.microseconds, t.allocations + u.allocations}
}

func (t toll) write(b *strings.Builder) {
	fmt.Fprintf(b, " %.1f | %.1f |", t.microseconds, t.allocations)
}

// tolls are what a request pays at each station, and in each function of Holdfast's.
type tolls struct{ stations, functions map[string]toll }

// tellStations writes what a change with two copies pays at each station, in process.
func tellStations(ctx context.Context, p plan, w io.Writer) error {
	machine := measure.Machine()
	b, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer b.close()
	var byStation, byFunction []map[string]toll
	for _, clients := range p.clients {
		t, err := b.tollsOf(clients)
		if err != nil {
			return err
		}
		byStation, byFunction = append(byStation, t.stations), append(byFunction, t.functions)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	_, err = fmt.Fprintf(w, "%s.\n\n%s\n%s", machine, tollTable("station", p.clients, byStation, inTravelOrder),
		tollTable("function", p.clients, byFunction, dearestFirst))
	return err
}

func (b *bench) tollsOf(clients int) (tolls, error) {
	o := operation{copies: 2, change: true}
	var callers []func(int) error
	for _, cookies := range b.site.cookies[o.copies][:clients] {
		callers = append(callers, measure.Caller(b.site, o.path(), cookies))
	}
	requests := 0.0
	work := func() error {
		t, err := measure.InTurns(callers, b.plan.profile())
		requests = float64(t.Requests)
		return err
	}
	all := tolls{stations: map[string]toll{}, functions: map[string]toll{}}
	where := newStations()
	cpu, err := profileCPU(work)
	if err != nil {
		return all, err
	}
	for _, c := range cpu {
		all.add(where, c.stack, toll{microseconds: c.amount / requests})
	}
	memory, err := profileAllocations(work)
	if err != nil {
		return all, err
	}
	for _, c := range memory {
		all.add(where, c.stack, toll{allocations: c.amount / requests})
	}
	return all, nil
}

func (t *tolls) add(where *stations, stack []string, paid toll) {
	at := where.of(stack)
	t.stations[at] = t.stations[at].plus(paid)
	if f := innermostOf(where.ours, stack); f != "" {
		t.functions[f] = t.functions[f].plus(paid)
	}
}

// innermostOf is the innermost function of Holdfast's own: what one of others takes is
// counted with who called it.
func innermostOf(ours *regexp.Regexp, stack []string) string {
	i := slices.IndexFunc(stack, ours.MatchString)
	if i >= 0 && !strings.HasPrefix(stack[i], modulePath+"/integration/") {
		return "`" + strings.TrimPrefix(stack[i], "github.com/holdfast-sessions/") + "`"
	}
	return ""
}

// tollTable has a row for each name and two columns for each number of clients.
func tollTable(of string, clients []int, columns []map[string]toll, order func([]map[string]toll) []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", of)
	for _, n := range clients {
		fmt.Fprintf(&b, " clients %d: µs | allocations |", n)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: | ---: |", len(clients)) + "\n")
	for _, name := range order(columns) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, column := range columns {
			column[name].write(&b)
		}
		b.WriteString("\n")
	}
	b.WriteString("| all |")
	for _, column := range columns {
		sum(maps.Values(column)).write(&b)
	}
	return b.String() + "\n"
}

func sum(tolls iter.Seq[toll]) (s toll) {
	for t := range tolls {
		s = s.plus(t)
	}
	return s
}

// inTravelOrder are the stations in the order in which a request comes by, without those
// that cost next to nothing.
func inTravelOrder(columns []map[string]toll) []string {
	names := worthTelling(columns, toll{0.05, 0.05})
	place := func(name string) int {
		phase, _, _ := strings.Cut(name, ":")
		return (slices.Index([]string{"middleware", "load", "handler", "commit", "header"}, phase) + 100) % 100 // others last
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b)) })
	return names
}

// dearestFirst are the functions that allocate, or take more than others.
func dearestFirst(columns []map[string]toll) []string {
	names := worthTelling(columns, toll{1, 0.45})
	last := columns[len(columns)-1]
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(last[b].microseconds, last[a].microseconds), cmp.Compare(a, b))
	})
	return names
}

// worthTelling are the names that cost at least one of two things somewhere.
func worthTelling(columns []map[string]toll, least toll) (names []string) {
	for _, column := range columns {
		for name, t := range column {
			if t.microseconds >= least.microseconds || t.allocations >= least.allocations {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
