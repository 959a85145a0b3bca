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

// SameState reports whether r and other are one state of a session: a commit id
// is random, so who follows the same one is the same.
func (r *Record) SameState(other *Record) bool {
	return r.Revision == other.Revision && r.Epoch == other.Epoch && r.lastCommit() == other.lastCommit()
}

func (r *Record) lastCommit() uint64 {
	if len(r.Commits) == 0 {
		return 0
	}
	return r.Commits[len(r.Commits)-1]
}
