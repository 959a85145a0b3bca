package holdfast

import (
	"sync/atomic"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/sticky"
)

// Stats counts what happened since New.
type Stats struct {
	Created     uint64 `json:"created"`     // sessions stored for the first time
	Destroyed   uint64 `json:"destroyed"`   // by Session.Destroy
	Renewed     uint64 `json:"renewed"`     // new ids given
	Commits     uint64 `json:"commits"`     // changes stored
	Replays     uint64 `json:"replays"`     // changes applied again to a newer record
	Overwritten uint64 `json:"overwritten"` // sets of an attribute that replaced another request's set
	Failures    uint64 `json:"failures"`    // operations that failed
	Replaced    uint64 `json:"replaced"`    // responses replaced by an error page
	TooLate     uint64 `json:"too_late"`    // failures after the response header, when no error page was possible
	Forged      uint64 `json:"forged"`      // presented ids that were not looked for: with Keys, their MAC is missing or wrong
	HookPanics  uint64 `json:"hook_panics"` // recovered panics of hooks

	Locks     LockStats       `json:"locks"`     // of sessions
	Placement placement.Stats `json:"placement"` // of the nodes
	Local     sticky.Stats    `json:"local"`     // of the sessions in this server's memory, in sticky mode
}

// LockStats counts what happened to the locks of sessions.
type LockStats struct {
	lock.Stats

	// Fenced commits were refused with ErrLockLost.
	Fenced uint64 `json:"fenced"`
}

type counts struct {
	created, destroyed, renewed   atomic.Uint64
	commits, replays, overwritten atomic.Uint64
	failures, replaced, tooLate   atomic.Uint64
	hookPanics, fenced            atomic.Uint64
}

// Stats returns the counts so far.
func (m *Manager) Stats() Stats {
	n := &m.counts
	return Stats{
		Created: n.created.Load(), Destroyed: n.destroyed.Load(), Renewed: n.renewed.Load(),
		Commits: n.commits.Load(), Replays: n.replays.Load(), Overwritten: n.overwritten.Load(),
		Failures: n.failures.Load(), Replaced: n.replaced.Load(), TooLate: n.tooLate.Load(),
		Forged: m.macs.forged.Load(), HookPanics: n.hookPanics.Load(),
		Locks:     LockStats{m.locks.Stats(), n.fenced.Load()},
		Placement: m.cluster.Stats(), Local: m.localStats(),
	}
}
