package storetest

import (
	"context"
	"io"

	"github.com/holdfast-sessions/holdfast/store"
)

// Started is s with each Get and Put started and then waited for, where s can do
// that: the contract holds for such calls as for others. s must be a
// [store.Starter].
func Started(s store.Store) store.Store {
	if c, ok := s.(io.Closer); ok {
		return startedCloser{started{s, s.(store.Starter)}, c}
	}
	return started{s, s.(store.Starter)}
}

type started struct {
	store.Store
	starter store.Starter
}

func (s started) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	if p := s.starter.StartGet(ctx, key, part); p != nil {
		return p.Wait(ctx)
	}
	return s.Store.Get(ctx, key, part)
}

func (s started) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	if p := s.starter.StartPut(ctx, key, item, at); p != nil {
		written, err := p.Wait(ctx)
		return written.Version, err
	}
	return s.Store.Put(ctx, key, item, at)
}

type startedCloser struct {
	started
	io.Closer
}
