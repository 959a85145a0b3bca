package faultstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A Client is one user's connection to a Node: a store.Store. It connects
// again by itself.
type Client struct {
	node       *Node
	name       string
	connection uint32 // 0: none; guarded by node.mu
	closed     bool   // guarded by node.mu
}

var _ store.Store = (*Client)(nil)

// Client returns a new client. Several may have one name, as the handles of an
// app server that was started again.
func (n *Node) Client(name string) *Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &Client{node: n, name: name}
	n.clients = append(n.clients, c)
	return c
}

// Get reads the item under key.
func (c *Client) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	verb := "get"
	if part == store.Head {
		verb = "head"
	}
	return c.do(ctx, verb, key, store.Any, func(store.Version) (store.Item, error) {
		return c.node.memory.Get(context.Background(), key, part)
	})
}

// Put writes item under key if the version there is at.
func (c *Client) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	item.Value = bytes.Clone(item.Value) // it may be written when Put has returned
	written, err := c.do(ctx, "put", key, at, func(at store.Version) (store.Item, error) {
		c.node.keys[key] = struct{}{}
		v, err := c.node.memory.Put(context.Background(), key, item, at)
		return store.Item{Version: v}, err
	})
	return written.Version, err
}

// Touch sets the time to live of the item under key.
func (c *Client) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	touched, err := c.do(ctx, "touch", key, store.Any, func(store.Version) (store.Item, error) {
		v, err := c.node.memory.Touch(context.Background(), key, ttl)
		return store.Item{Version: v}, err
	})
	return touched.Version, err
}

// Delete removes the item under key if its version is at.
func (c *Client) Delete(ctx context.Context, key string, at store.Version) error {
	_, err := c.do(ctx, "delete", key, at, func(at store.Version) (store.Item, error) {
		return store.Item{}, c.node.memory.Delete(context.Background(), key, at)
	})
	return err
}

// Close ends the connection; every later call is store.ErrClosed. What was sent
// to a frozen node still happens.
func (c *Client) Close() error {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	c.closed = true
	c.node.disconnectLocked(func(other *Client) bool { return other == c })
	return nil
}

// do makes a call. effect is what the node does, with the memory's own version.
func (c *Client) do(ctx context.Context, verb, key string, at store.Version, effect func(store.Version) (store.Item, error)) (store.Item, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Item{}, err
	}
	var item store.Item
	next := func() (err error) {
		item, err = c.send(ctx, verb, at, effect)
		return err
	}
	if err := c.node.interceptor()(ctx, Call{Client: c.name, Verb: verb, Key: key}, next); err != nil {
		return store.Item{}, err
	}
	return item, nil
}

// interceptor counts a call and returns what it goes through.
func (n *Node) interceptor() Interceptor {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	return n.between
}

func pass(_ context.Context, _ Call, next func() error) error { return next() }

func (c *Client) send(ctx context.Context, verb string, at store.Version, effect func(store.Version) (store.Item, error)) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return store.Item{}, fmt.Errorf("%w: not sent: %w", store.ErrUnavailable, err)
	}
	call, err := c.accept(verb, at, effect)
	if err != nil {
		return store.Item{}, err
	}
	select {
	case <-call.done:
		return call.item, call.err
	case <-ctx.Done():
		return store.Item{}, fmt.Errorf("%w: %w", unanswered(verb), ctx.Err())
	}
}

// accept sends the call, and does it unless the node is frozen.
func (c *Client) accept(verb string, at store.Version, effect func(store.Version) (store.Item, error)) (*call, error) {
	n := c.node
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case c.closed:
		return nil, store.ErrClosed
	case n.state == dead || n.cut[c.name]:
		return nil, fmt.Errorf("%w: connection refused", store.ErrUnavailable)
	}
	connection := c.connectLocked()
	inner, known := inward(at, connection)
	if !known {
		return nil, store.ErrConflict // as said by the client itself
	}
	call := &call{client: c, verb: verb, done: make(chan struct{})}
	call.effect = func() (store.Item, error) {
		item, err := effect(inner)
		item.Version = outward(item.Version, connection)
		return item, err
	}
	if n.state == frozen {
		n.sent = append(n.sent, call)
	} else {
		call.finish(call.effect())
	}
	return call, nil
}

func (c *Client) connectLocked() uint32 {
	if c.connection == 0 {
		c.node.connections++
		c.connection = c.node.connections
	}
	return c.connection
}
