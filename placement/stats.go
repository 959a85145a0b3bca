package placement

import (
	"sync/atomic"
)

// Stats counts what happened since New.
type Stats struct {
	Conflicts       uint64 `json:"conflicts"`        // writes that met a newer record; a commit is then applied to that
	Uncertain       uint64 `json:"uncertain_writes"` // writes whose answer did not come
	Settled         uint64 `json:"settled_writes"`   // uncertain writes found to have happened
	Touches         uint64 `json:"touches"`          // lives extended behind reads, and sessions mended there
	TouchesFailed   uint64 `json:"touches_failed"`   // of these, not answered
	TouchesPutOff   uint64 `json:"touches_put_off"`  // not begun, since too many were under way; a later read begins them
	UnknownIDs      uint64 `json:"unknown_ids"`      // loads that found nothing
	UnknownRepeated uint64 `json:"unknown_repeated"` // of these, answered from memory
	Unavailable     uint64 `json:"unavailable"`      // loads, commits and destroys that the store did not answer
	Unreadable      uint64 `json:"unreadable"`       // records kept but not understood
	TombstonesMet   uint64 `json:"tombstones_met"`   // reads that met a destroyed session
	AliasesFollowed uint64 `json:"aliases_followed"` // reads through the former id of a renewed session
	RenewalsLost    uint64 `json:"renewals_lost"`    // renewals that met another one
	ExpiredInStore  uint64 `json:"expired_in_store"` // sessions found past their time and ended
	LostInStore     uint64 `json:"lost_in_store"`    // writes that found their record gone from the nodes

	Relocations uint64 `json:"relocations"`  // sessions that got other members
	Repairs     uint64 `json:"repairs"`      // sessions written again behind a read that found a member without them
	Degraded    uint64 `json:"degraded"`     // commits acknowledged while a member did not answer and no node was free
	MendsOwed   uint64 `json:"mends_owed"`   // sessions to be written again when a node is back; now, not since New
	EndsOwed    uint64 `json:"ends_owed"`    // tombstones and aliases that nodes which were away have not got yet; now
	EndsDropped uint64 `json:"ends_dropped"` // not kept for such a node, since it is owed too many
}

type counters struct {
	conflicts, uncertain, settled     atomic.Uint64
	unknown, unknownRepeated          atomic.Uint64
	unavailable, unreadable           atomic.Uint64
	tombstones, aliases, lostRenewals atomic.Uint64
	expired, lost                     atomic.Uint64
	relocations, repairs, degraded    atomic.Uint64
	endsDropped                       atomic.Uint64
}

// Stats returns the counts so far.
func (c *Cluster) Stats() Stats {
	n := &c.counts
	return Stats{
		Conflicts: n.conflicts.Load(), Uncertain: n.uncertain.Load(), Settled: n.settled.Load(),
		Touches: c.behind.begun.Load(), TouchesFailed: c.behind.failed.Load(), TouchesPutOff: c.behind.putOff.Load(),
		UnknownIDs: n.unknown.Load(), UnknownRepeated: n.unknownRepeated.Load(),
		Unavailable: n.unavailable.Load(), Unreadable: n.unreadable.Load(),
		TombstonesMet: n.tombstones.Load(), AliasesFollowed: n.aliases.Load(), RenewalsLost: n.lostRenewals.Load(),
		ExpiredInStore: n.expired.Load(), LostInStore: n.lost.Load(),
		Relocations: n.relocations.Load(), Repairs: n.repairs.Load(), Degraded: n.degraded.Load(),
		MendsOwed: uint64(c.mends.size()), EndsOwed: uint64(c.owing()), EndsDropped: n.endsDropped.Load(),
	}
}
