package main

import (
	"context"
	"fmt"
	"io"

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
func (b *bench) compare(ctx context.Context, progress io.Writer) ([]*row, error) {
	var rows []*row
	for _, clients := range b.plan.clients {
		for _, overHTTP := range []bool{false, true} {
			for _, o := range operations() {
				rows = append(rows, &row{operation: o, clients: clients, overHTTP: overHTTP})
			}
		}
	}
	for round := range b.plan.rounds {
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", round+1, b.plan.rounds)
		for i := range rows {
			if err := b.measure(rows[(i+round)%len(rows)]); err != nil {
				return nil, err
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return rows, nil
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

// times is the median of the rounds' quotients: what disturbs a round disturbs both.
func (r *row) times() float64 {
	var all []float64
	for i, s := range r.ours {
		all = append(all, float64(s.App)/float64(max(r.floor[i].App, 1)))
	}
	return measure.Median(all)
}
