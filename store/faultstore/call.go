package faultstore

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/store"
)

// A call is one that was sent. What it says is guarded by the node's mutex until
// done is closed.
type call struct {
	client *Client
	verb   string
	effect func() (store.Item, error) // what the node does when it comes to it

	over bool
	item store.Item
	err  error
	done chan struct{} // closed when item and err are there
}

// finish hands the answer to the caller, unless it was told that none comes.
func (c *call) finish(item store.Item, err error) {
	if c.over {
		return
	}
	c.over, c.item, c.err = true, item, err
	close(c.done)
}

// lose tells the caller that no answer comes.
func (c *call) lose() {
	c.finish(store.Item{}, fmt.Errorf("%w: connection lost", unanswered(c.verb)))
}

// unanswered is the error of a call that was sent and got no answer.
func unanswered(verb string) error {
	if verb == "get" || verb == "head" {
		return store.ErrUnavailable
	}
	return store.ErrUnknownOutcome
}

// A version that a client sees is the memory's, bound to the connection: its
// number is in the lower half of the generation.
const connectionBits = 32

func outward(v store.Version, connection uint32) store.Version {
	if v == store.Absent {
		return v
	}
	return store.Version{Generation: v.Generation<<connectionBits | uint64(connection), Token: v.Token}
}

// inward returns the memory's version, and false for one of another connection.
func inward(v store.Version, connection uint32) (store.Version, bool) {
	if v == store.Absent || v == store.Any {
		return v, true
	}
	inner := store.Version{Generation: v.Generation >> connectionBits, Token: v.Token}
	return inner, uint32(v.Generation) == connection
}
