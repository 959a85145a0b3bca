package demo

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// modes are those that the page offers.
func modes() []rig.Mode {
	return []rig.Mode{rig.NonSticky(), rig.StickySync(), rig.StickyAsync()}
}

func modeNamed(name string) (rig.Mode, error) {
	for _, m := range modes() {
		if m.Name == name {
			return m, nil
		}
	}
	return rig.Mode{}, refused("there is no mode %q", name)
}

func spoken(m rig.Mode) string {
	switch {
	case m.Async:
		return "sticky sessions with asynchronous backup"
	case m.Sticky:
		return "sticky sessions with synchronous backup"
	}
	return "non-sticky sessions"
}

func copiesSpoken(n int) string {
	if n == 1 {
		return "each on one node only"
	}
	return fmt.Sprintf("each on %d nodes", n)
}

// described is the mode's title, and what it means.
func described(m rig.Mode) (title, text string) {
	switch {
	case m.Async:
		return "Sticky, async", "Sessions in the server's memory. A change is answered first and sent to the nodes behind."
	case m.Sticky:
		return "Sticky, sync", "Sessions in the server's memory. A change is on the nodes before it is answered."
	}
	return "Non-sticky", "Any server takes any request. Sessions lie on the nodes only."
}
