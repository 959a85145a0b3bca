package schedules

import (
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A mode is how the managers keep sessions.
type mode struct {
	name    string
	options holdfast.Options
}

const (
	operationTimeout = 500 * time.Millisecond
	idleTimeout      = 90 * time.Second
	lockWait         = 3 * time.Second
	lease            = time.Second

	namespace = "schedules"
)

// Modes are the names of all modes.
func Modes() []string {
	var names []string
	for _, m := range modes() {
		names = append(names, m.name)
	}
	return names
}

func modes() []mode {
	return []mode{
		{"non-sticky-2", holdfast.Options{}},
		{"non-sticky-1", holdfast.Options{Copies: 1}},
		{"sticky-sync", holdfast.Options{Sticky: true}},
		{"sticky-async", holdfast.Options{Sticky: true, BackupAsync: true}},
		{"locks", holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll, Wait: lockWait, Lease: lease}}},
	}
}

func modeOf(name string) (mode, error) {
	for _, m := range modes() {
		if m.name == name {
			m.options.OperationTimeout, m.options.IdleTimeout = operationTimeout, idleTimeout
			m.options.Namespace, m.options.Cookie.AllowInsecure = namespace, true
			return m, nil
		}
	}
	return mode{}, fmt.Errorf("schedules: there is no mode %q, only %q", name, Modes())
}

func (m *mode) sticky() bool { return m.options.Sticky }
func (m *mode) async() bool  { return m.options.BackupAsync }
func (m *mode) alone() bool  { return m.options.Copies == 1 } // what a node loses is lost

// longest is what no request takes longer than.
func (m *mode) longest() time.Duration {
	const answer = 10 * time.Millisecond
	if m.options.Locking.Mode == holdfast.LockNone {
		return operationTimeout + answer
	}
	return operationTimeout + lockWait + answer
}
