package main

import (
	"fmt"
	"slices"
)

// A quantity is something that grows, while everything else is usual.
type quantity struct {
	name, file string
	values     []int
	label      func(value int) string
	set        func(c *config, value int)
	flat       bool   // the figures should stay within 1.3 times
	note       string // what makes them grow, or not
}

// usual is what a point has that is not its quantity's.
func usual() config {
	return config{Sessions: 1000, Attributes: 3, Size: 400, Nodes: 2, Copies: 2, Clients: 32}
}

func (q quantity) at(value int) config {
	c := usual()
	q.set(&c, value)
	// Each client has a session of its own, and many large ones do not fit into memory.
	c.Sessions = max(min(c.Sessions, memory/c.Size), c.Clients)
	return c
}

// memory of all sessions of a point, in bytes; one with many sessions has small ones.
const memory = 1 << 30

func quantities(most int) []quantity {
	upTo := func(values ...int) []int {
		return slices.DeleteFunc(values, func(v int) bool { return v > most })
	}
	sessions := func(c *config, v int) { c.Sessions = v }
	upToMillion := upTo(1000, 10_000, 100_000, 1_000_000)
	nodes := []int{1, 2, 4, 8, 16, 32, 64}
	return []quantity{
		{"sessions", "sessions", upToMillion, thousands, sessions, true, ""},
		{"sessions in the server's memory", "sticky", upToMillion, thousands, func(c *config, v int) {
			c.Sessions, c.Sticky = v, true
		}, true, "Sticky, each change sent to two nodes before the answer. Of many sessions none is in the processor's caches when its request comes."},
		{
			"attributes", "attributes",
			[]int{1, 10, 100, 1000},
			thousands, func(c *config, v int) { c.Attributes, c.Size = v, 16 }, false,
			"A session is read and written as a whole, so time grows with its size; allocations do not.",
		},
		{
			"size", "size",
			[]int{500, 4_000, 32_000, 256_000, 900_000},
			kilobytes, func(c *config, v int) { c.Size = v }, false,
			"As above: bytes are copied into and out of the kernel and summed up.",
		},
		{
			"nodes, one client", "nodes", nodes, thousands, func(c *config, v int) { c.Nodes, c.Copies, c.Clients = v, 1, 1 }, true,
			"One copy. A request asks the nodes of its session, however many there are.",
		},
		{
			"nodes, 32 clients", "nodes32", nodes, thousands, func(c *config, v int) { c.Nodes, c.Copies = v, 1 }, false,
			"One copy. Commands to one node at the same moment share a system call; the more nodes, the fewer do, up to what one client pays.",
		},
		{"copies", "copies", []int{1, 2, 3}, thousands, func(c *config, v int) { c.Nodes, c.Copies = 3, v }, false, "Of three nodes."},
		{
			"clients", "clients",
			[]int{1, 4, 16, 64, 256, 1024},
			thousands, func(c *config, v int) { c.Clients = v }, false,
			"Commands at the same moment share a system call.",
		},
	}
}

// thousands writes 1000000 as 1,000,000.
func thousands(v int) string {
	if v < 1000 {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%s,%03d", thousands(v/1000), v%1000)
}

func kilobytes(v int) string { return fmt.Sprintf("%g KB", float64(v)/1000) }
