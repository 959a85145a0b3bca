package schedules

import (
	"context"
	"slices"
	"syscall"
)

// dial connects server to node.
func (n *network) dial(ctx context.Context, from *appServer, r route) (*end, error) {
	n.mu.Lock()
	l := n.links[r]
	w := &wire{network: n, link: l, number: l.dials, answer: make(chan bool, 1), of: from}
	l.dials++
	w.atServer, w.atNode = newEnd(w, true), newEnd(w, false)
	n.wires = append(n.wires, w)
	n.mu.Unlock()
	if from.gone() {
		return nil, syscall.ENETDOWN
	}
	n.post(w, true, syn, nil)
	select {
	case ok := <-w.answer:
		if !ok {
			return nil, syscall.ECONNREFUSED
		}
		return w.atServer, nil
	case <-ctx.Done():
		n.sever(func(other *wire) bool { return other == w })
		return nil, ctx.Err()
	}
}

// sever resets the connections that match: what is under way on them is lost. Each end
// hears of it by itself.
func (n *network) sever(match func(*wire) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var news []*message
	n.wires = slices.DeleteFunc(n.wires, func(w *wire) bool {
		if !match(w) {
			return false
		}
		w.severed = true
		news = append(news, &message{wire: w, kind: reset}, &message{wire: w, toNode: true, kind: reset})
		return true
	})
	n.againLocked(news)
}
