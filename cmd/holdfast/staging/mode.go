package staging

import (
	"fmt"
	"strings"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A Mode is how the app servers keep sessions.
type Mode struct {
	rig.Mode
	flags []string // of holdfast app
}

func modes() []Mode {
	of := func(m rig.Mode, name string, flags ...string) Mode {
		m.Name = name
		return Mode{m, flags}
	}
	return []Mode{
		of(rig.NonSticky(), "non-sticky"),
		of(rig.StickySync(), "sticky-sync", "--sticky"),
		of(rig.StickyAsync(), "sticky-async", "--sticky", "--backup-async"),
		of(rig.NonSticky(), "locked", "--locking", "all"),
	}
}

// ModeNamed returns non-sticky, sticky-sync, sticky-async or locked: that is
// non-sticky, and each request has its session to itself.
func ModeNamed(name string) (Mode, error) {
	var names []string
	for _, m := range modes() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Mode{}, fmt.Errorf("no mode %q: take one of %s", name, strings.Join(names, ", "))
}
