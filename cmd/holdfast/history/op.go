package history

import (
	"fmt"
	"strings"
)

// A Kind is what a client did to its session.
type Kind string

const (
	Begin  Kind = "begin"  // the first change of a session: it exists from here on
	Set    Kind = "set"    // Key = Value; no two Sets of one key of one session have the same value
	Delete Kind = "delete" // Key is gone
	Update Kind = "update" // a counter, read and raised by one in one step; Value is what it gave, decimal
	Read   Kind = "read"   // Value is what was there; "" nothing
	Login  Kind = "login"  // Value is the new owner; the former id stops at once
	Renew  Kind = "renew"  // a new id; the former stays good for the grace
	Logout Kind = "logout" // the session is gone and never comes back
	Expire Kind = "expire" // the client did not use the session for longer than its idle timeout plus slack: Span is that pause; it must be gone after it
)

// An Op is one operation of a client, and what it was told. The client always sends
// the newest cookie that it was given, unless Former says otherwise: Span starts
// before that cookie is looked up, and ends after that of the answer is kept.
type Op struct {
	Session string // the client's own name of it, never an id
	Server  string
	Kind    Kind
	Key     string // of Set, Delete, Update, Read; a Read without one asks for the session alone
	Value   string
	Owner   string // that the answer named, of Read: the session's own user; "" if nobody
	Missing bool   // the answer said that there is no such session, whatever was asked for
	Former  bool   // sent with an id from before the last acknowledged login or renewal
	Span    Span
	Outcome Outcome
}

// Add notes an operation on a session.
func (h *History) Add(op Op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

// Len returns how many operations were added.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops)
}

// UnknownShare returns which part of the added operations has an unknown outcome:
// from 0 to 1, and 0 if there are none.
func (h *History) UnknownShare() float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	unknown := 0
	for _, op := range h.ops {
		if op.Outcome == Unknown {
			unknown++
		}
	}
	return float64(unknown) / float64(max(1, len(h.ops)))
}

// absent is true when the answer is that there is no such session. What was asked
// for did not happen then.
func (op Op) absent() bool { return op.Missing && op.Outcome != Unknown }

// done is true when the answer is that op happened.
func (op Op) done() bool { return !op.Missing && op.Outcome == Accepted }

// String is op as a verdict shows it.
func (op Op) String() string {
	var text strings.Builder
	text.WriteString(string(op.Kind))
	if op.Key != "" {
		text.WriteString(" " + op.Key)
	}
	switch {
	case op.absent():
		text.WriteString(" was told that there is no such session")
	case op.Kind == Read:
		fmt.Fprintf(&text, " gave %q, owner %q", op.Value, op.Owner)
	case op.Value != "":
		fmt.Fprintf(&text, " %q", op.Value)
	}
	if op.Former {
		text.WriteString(" with a former id")
	}
	if op.Server != "" {
		text.WriteString(" on " + op.Server)
	}
	fmt.Fprintf(&text, " [%v to %v]", op.Span.Start, op.Span.End)
	return text.String()
}
