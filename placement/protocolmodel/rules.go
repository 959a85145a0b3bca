package protocolmodel

// Rules are the rules of the protocol. With all of them on, the promises hold;
// with any one off but OneDecider and OwnValue, there is a configuration in which
// Check finds what goes wrong. docs/protocol.md tells the stories.
type Rules struct {
	// Writes.
	ConditionalCopies bool // copies are written with the version read, not blindly
	AwaitCopies       bool // an acknowledgement waits for the copies
	HeedRefusal       bool // a copy's refusal is a conflict
	HomeFirstIfAhead  bool // a copy ahead of its home: home first, then the copy
	ConfirmDegraded   bool // with a member missing, READ comes before the acknowledgement
	SettleEverywhere  bool // a change found at home is done when every reachable member has it
	RaiseUnheard      bool // while a member does not answer a change is two revisions above: that member may be one ahead, and must be seen to lag when it is back
	SettleRaised      bool // so a change found at home is written again, if a member does not answer: that may have what another has made of the same state
	CommitIDs         bool // a retry looks for its commit id before it applies its change again
	ForgottenIsError  bool // an id that may have been forgotten is an error, never a second application
	UnsureIfSent      bool // that counts from the first write that was sent, not from the first silence
	DoubtByEpoch      bool // as long as the epoch and the home are the same, it counts from where the home tells that it is without the id
	DoubtByHome       bool // but of an id that it may have forgotten only if it has refused each write
	DoneInEpoch       bool // a change that the home has done is part of what it tells, whatever ids that has, as long as its epoch lasts
	BoundVersions     bool // a version is good only on the connection on which it was read

	// Reads.
	DoubtHint      bool // a reader asks more than the node of its hint
	AskAll         bool // all nodes are asked when the view is not clean
	AbsentByAll    bool // "absent" only if all nodes answered
	MembersSpeak   bool // nothing is concluded as long as no member of the truth has answered
	ReadRepair     bool // behind a READ whose view is not clean there is a commit of no change
	HomeIsBase     bool // the home's record is the base, also when a copy is ahead of it
	OneDecider     bool // of a lost home, the first node after it in list order that holds its epoch decides
	HomeAskedAgain bool // a home that answers without what a copy has is asked again: it was read before, or has lost it
	MembersFirst   bool // and that a member, if a member holds it
	EpochFirst     bool // the newest epoch counts, whatever the revisions
	OwnValue       bool // a value counts for the node that told it, not for another with the same flags

	// Failover.
	EmptyHomeSilent bool // an empty home is not filled in its own epoch
	NewEpoch        bool // a change of the home is a new epoch
	DecideFirst     bool // a new epoch is written at one node before any other
	ForcedFurther   bool // a change that a fault forces raises the epoch further than a planned one
	Arbiter         bool // of two homes with one epoch, the one counts whose record another node holds too
	ListUnheard     bool // a forced new epoch lists members that did not answer as leaving, until it has a copy
	FenceLeaving    bool // members that leave get the new record too, before the acknowledgement
	UnknownIsError  bool // a member that is not in a server's list is not replaced by it
	CreateFurther   bool // each try of CREATE has an epoch of its own

	// Ends.
	Tombstones            bool // a tombstone, not a delete
	TombstonesOnCopies    bool // not at the home alone
	TombstonesOnAll       bool // also on nodes that are no members
	ConfirmBurial         bool // unless all said yes at the first try, READ comes before the acknowledgement
	ConditionalTombstones bool // in the place of what was read, so that DESTROY meets a renewal

	// Life.
	TouchBehind       bool // a touch follows the READ, by the time to live that the record tells
	TouchAll          bool // all members, not the home alone
	TouchTruth        bool // only members whose record is the truth
	TouchChecks       bool // where something else lies by then, that gets its own life back
	LongestLife       bool // the last use is the latest that any member tells
	TombstoneOutlives bool // a tombstone lives as long as any forgotten copy
	LongestTTL        bool // a time to live never becomes shorter, though the idle timeout does
	QueueTombstones   bool // a tombstone that did not reach a node is brought there when it is back
	TombstonesFirst   bool // and before that node is asked again
	TombstonesWait    bool // also when every item that was there must have expired

	// Renewal.
	AliasDecides bool // the alias names the version that it replaces
	SettleAlias  bool // an alias is on every reachable member before a change goes through it
}

// AllRules returns the protocol as it is.
func AllRules() Rules {
	return Rules{
		ConditionalCopies: true, AwaitCopies: true, HeedRefusal: true, HomeFirstIfAhead: true, ConfirmDegraded: true,
		SettleEverywhere: true, RaiseUnheard: true, SettleRaised: true, CommitIDs: true, ForgottenIsError: true, UnsureIfSent: true, DoubtByEpoch: true, DoubtByHome: true, DoneInEpoch: true, BoundVersions: true,
		DoubtHint: true, AskAll: true, AbsentByAll: true, MembersSpeak: true, ReadRepair: true,
		HomeIsBase: true, OneDecider: true, HomeAskedAgain: true, MembersFirst: true, EpochFirst: true, OwnValue: true,
		EmptyHomeSilent: true, NewEpoch: true, DecideFirst: true, ForcedFurther: true, FenceLeaving: true,
		Arbiter: true, ListUnheard: true, UnknownIsError: true, CreateFurther: true,
		Tombstones: true, TombstonesOnCopies: true, TombstonesOnAll: true, ConfirmBurial: true, ConditionalTombstones: true,
		TouchBehind: true, TouchAll: true, TouchTruth: true, TouchChecks: true, LongestLife: true,
		TombstoneOutlives: true, LongestTTL: true, QueueTombstones: true, TombstonesFirst: true, TombstonesWait: true,
		AliasDecides: true, SettleAlias: true,
	}
}
