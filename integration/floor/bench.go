package main

import (
	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// exchanged is a sample of the commands of o alone.
func (b *bench) exchanged(o operation, clients int) (measure.Sample, error) {
	calls := b.calls[o.copies]
	versions := make([][2][]byte, clients)
	return measure.Take(b.nodes, func() (measure.Tally, error) {
		t, err := measure.InTurns([]func(int) error{func(n int) error {
			at := n * clients % len(calls)
			return b.raw.do(calls[at:at+clients], versions, o.change)
		}}, b.plan.slice)
		t.Requests *= clients
		return t, err
	})
}

// inProcess is a sample of a page without a network before it.
func (b *bench) inProcess(path string, cookies [][]string) (measure.Sample, error) {
	clients := make([]func(int) error, len(cookies))
	for i, mine := range cookies {
		clients[i] = measure.Caller(b.site, path, mine)
	}
	return measure.Take(b.nodes, func() (measure.Tally, error) { return measure.InTurns(clients, b.plan.slice) })
}

// overHTTP is a sample of a page that another process asks for.
func (b *bench) overHTTP(path string, cookies [][]string) (measure.Sample, error) {
	return measure.Take(b.nodes, func() (measure.Tally, error) {
		return b.load(job{Line: "GET " + path, Cookies: cookies, For: b.plan.slice})
	})
}
