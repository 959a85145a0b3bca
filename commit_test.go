package holdfast

import (
	"errors"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A request's changes are applied to a newer state of the session only if it
// is still the same user's, and the same login.
func TestChangesAreNotAppliedToASessionThatChangedHands(t *testing.T) {
	m, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Shutdown(t.Context())
	for name, c := range map[string]struct {
		newer record.Record
		err   error
	}{
		"as it was":     {record.Record{Revision: 1, Owner: "bob", Login: 1}, nil},
		"changed":       {record.Record{Revision: 5, Owner: "bob", Login: 1}, nil},
		"another owner": {record.Record{Revision: 2, Owner: "eve", Login: 1}, ErrConflict},
		"another login": {record.Record{Revision: 2, Owner: "bob", Login: 2}, ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			commit := &commit{
				m:    m,
				base: &store.View{Record: &record.Record{Revision: 1, Owner: "bob", Login: 1}},
				ops:  []op{{kind: opSet, attr: record.Attribute{Name: "a", Value: []byte("mine")}}},
			}
			if err := commit.apply(&c.newer); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("apply: %v, want %v", err, c.err)
			}
			if _, applied := c.newer.Get("a"); applied != (c.err == nil) {
				t.Errorf("applied: %v", applied)
			}
		})
	}
}
