package record

// Rebased returns what r says of its session, with the place and the history of
// onto: members, epoch, revision, commits and time to live.
func (r *Record) Rebased(onto *Record) *Record {
	c := onto.Clone()
	c.Take(r)
	return c
}

// Take makes r say of its session what from says, but for what Rebased keeps.
func (r *Record) Take(from *Record) {
	place := *r
	*r = *from
	r.attributes = append(place.attributes[:0], from.attributes...)
	r.Epoch, r.Revision, r.Members, r.Leaving, r.Commits = place.Epoch, place.Revision, place.Members, place.Leaving, place.Commits
	r.TTL, r.Outdated = place.TTL, place.Outdated
}

// Behind reports whether r cannot follow known: where that was, it has been lost since,
// and r is what an older copy was stored as. A failover goes on from the revision that
// it finds, which is lower only if several changes were on their way to the home at once.
func (r *Record) Behind(known *Record) bool { return r.Revision < known.Revision }

// SameState reports whether r and other are one state of a session: a commit id
// is random, so who follows the same one is the same.
func (r *Record) SameState(other *Record) bool {
	return r.Revision == other.Revision && r.Epoch == other.Epoch && r.lastCommit() == other.lastCommit()
}

// Follows reports whether r is what one commit has made of other.
func (r *Record) Follows(other *Record) bool {
	n := len(r.Commits)
	return n >= 2 && r.Commits[n-2] == other.lastCommit()
}

func (r *Record) lastCommit() uint64 {
	if len(r.Commits) == 0 {
		return 0
	}
	return r.Commits[len(r.Commits)-1]
}
