package history

import "slices"

// claimsOf are the operations of one session that say something of its lifetime,
// after the faults.
func claimsOf(ops []Op, faults []fault) []claim {
	given := idsGiven(ops)
	var claims []claim
	for _, op := range ops {
		if !op.telling() {
			continue
		}
		c := claim{op: op, sent: given.at(op), gives: given.by(op)}
		switch {
		case op.Kind == Begin: // it may have been on one server alone; all other changes of a lifetime wait for the nodes
			c.op.Outcome = judged(op.Outcome, op.Span, faults)
		case op.Kind == Expire && interrupted(op, ops):
			c.op.Outcome = Unknown
		}
		claims = append(claims, c)
	}
	return withoutDoubtfulClaims(claims, faults)
}

// telling is true when op proves or changes whether its session is there.
func (op Op) telling() bool {
	switch op.Outcome {
	case Refused:
		return op.Missing
	case Unknown:
		return op.changesLifetime()
	}
	return true
}

func (op Op) changesLifetime() bool {
	return !op.absent() && op.Outcome != Refused && slices.Contains([]Kind{Begin, Login, Renew, Logout, Expire}, op.Kind)
}

// interrupted is true when something with unknown outcome may have used the session
// within the pause after which it was to be gone.
func interrupted(pause Op, ops []Op) bool {
	return slices.ContainsFunc(ops, func(op Op) bool {
		return op.Outcome == Unknown && op.Span.Start < pause.Span.End && op.Span.End > pause.Span.Start
	})
}

// withoutDoubtfulClaims no longer hears who may have seen a change that vanished by
// a fault.
func withoutDoubtfulClaims(claims []claim, faults []fault) []claim {
	for _, f := range faults {
		var doubtful []Op
		for _, c := range claims {
			if c.op.changesLifetime() && f.mayUndo(c.op.Span, c.op.Outcome) {
				doubtful = append(doubtful, c.op)
			}
		}
		for i, c := range claims {
			saw := func(change Op) bool { return f.saw(c.op.Span, change.Span) }
			claims[i].unheard = c.unheard || slices.ContainsFunc(doubtful, saw)
		}
	}
	return slices.DeleteFunc(claims, func(c claim) bool { return c.unheard && !c.op.changesLifetime() })
}

// weaker is what holds of c if nobody believes its answer.
func (c claim) weaker() (claim, bool) {
	c.op.Outcome = Unknown
	return c, c.op.changesLifetime()
}

func (c claim) answer() (Op, bool) {
	return c.op, c.op.absent() || c.op.Outcome == Accepted
}
