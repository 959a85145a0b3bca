package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A row is an operation with so many clients, in process or over HTTP, in all rounds.
type row struct {
	operation
	clients    int
	overHTTP   bool
	floor      []measure.Sample // the bare handler and the exchange by hand
	bare, ours []measure.Sample
}

// compare measures all rows in each round, and what is divided by each other side by side.
// Each round has nodes and connections of its own: which thread of a node serves a lone
// client, and on which processor, stays so while its connection lasts, and can decide
// more than the client.
func compare(ctx context.Context, p plan, progress io.Writer) ([]*row, error) {
	rows := p.rows()
	for round := range p.rounds {
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", round+1, p.rounds)
		if err := measureAll(ctx, p, slices.Concat(rows[round%len(rows):], rows[:round%len(rows)])); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (p plan) rows() (rows []*row) {
	for _, clients := range p.clients {
		for _, overHTTP := range []bool{false, true} {
			for _, o := range operations() {
				rows = append(rows, &row{operation: o, clients: clients, overHTTP: overHTTP})
			}
		}
	}
	return rows
}

// measureAll takes a sample of each row.
func measureAll(ctx context.Context, p plan, rows []*row) error {
	b, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer b.close()
	for _, r := range rows {
		if err := b.measure(r); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (b *bench) measure(r *row) error {
	pages := b.inProcess
	if r.overHTTP {
		pages = b.overHTTP
	}
	cookies := b.site.cookies[r.copies][:r.clients]
	bare, err := pages(barePath, cookies)
	if err != nil {
		return err
	}
	raw, err := b.exchanged(r.operation, r.clients)
	if err != nil {
		return fmt.Errorf("by hand: %w", err)
	}
	ours, err := pages(r.path(), cookies)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	r.bare, r.floor, r.ours = append(r.bare, bare), append(r.floor, bare.Plus(raw)), append(r.ours, ours)
	return nil
}

// times is the rounds' quotients, the smallest first: what disturbs a round disturbs both
// sides of it.
func (r *row) times() (all []float64) {
	for i, s := range r.ours {
		all = append(all, float64(s.App)/float64(max(r.floor[i].App, 1)))
	}
	slices.Sort(all)
	return all
}
