package history

import (
	"fmt"
	"maps"
	"slices"
)

// checkSession returns everything that is wrong with one session: its life, and
// each of its attributes.
func checkSession(session string, ops []Op, faults []fault) (wrong []error) {
	if err := explain(claimsOf(ops, faults), checkLifetime, claim.weaker); err != nil {
		wrong = append(wrong, fmt.Errorf("session %s: %w", session, err))
	}
	attributes := grouped(ops, func(op Op) string { return op.Key })
	delete(attributes, "")
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		if err := checkAttribute(attributes[key], faults); err != nil {
			wrong = append(wrong, fmt.Errorf("session %s, key %s: %w", session, key, err))
		}
	}
	return wrong
}

// grouped splits ops by what of returns.
func grouped(ops []Op, of func(Op) string) map[string][]Op {
	groups := map[string][]Op{}
	for _, op := range ops {
		groups[of(op)] = append(groups[of(op)], op)
	}
	return groups
}
