package schedules

import (
	"cmp"
	"iter"
	"time"
)

// A message is what one Write sends, or the beginning or the end of a connection.
type message struct {
	*wire
	toNode bool
	kind   messageKind
	data   []byte
	number int // of this direction of the wire
	at     time.Time
	asked  time.Time // when the first of what it answers was sent
}

type messageKind uint8

const (
	data messageKind = iota
	syn
	fin
	accepted
	refused
	reset
)

// parts are the commands of m, each of which arrives by itself: two answers that came
// together would wake two requests, and nobody could say which of them goes on first.
func (m *message) parts() iter.Seq[*message] {
	return func(yield func(*message) bool) {
		if m.kind != data || !m.toNode {
			yield(m)
			return
		}
		for _, c := range commandsIn(m.data) {
			part := *m
			part.data = c.text
			if !yield(&part) {
				return
			}
		}
	}
}

func (m *message) compare(b *message) int {
	a, c := m.link, b.link
	return cmp.Or(
		cmp.Compare(a.server, c.server), cmp.Compare(a.node, c.node), cmp.Compare(m.wire.number, b.wire.number),
		boolCompare(m.toNode, b.toNode), cmp.Compare(m.number, b.number),
	)
}

func boolCompare(a, b bool) int {
	if a == b {
		return 0
	}
	if a {
		return -1
	}
	return 1
}

// lost reports whether m is never sent.
func (m *message) lost() bool {
	return m.severed || m.link.state == cut && m.kind != syn || m.toNode && m.kind == data && m.of.gone()
}

// end is where m arrives.
func (m *message) end() *end {
	if m.toNode {
		return m.atNode
	}
	return m.atServer
}
