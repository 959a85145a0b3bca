package memcachedstore

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.RunInBubble(t, fakeHarness)
}

func TestContractOfStartedCalls(t *testing.T) {
	storetest.RunInBubble(t, func(t *testing.T) storetest.Harness {
		h := fakeHarness(t)
		h.Store = storetest.Started(h.Store)
		return h
	})
}

func fakeHarness(t *testing.T) storetest.Harness {
	server := newFake(t)
	return storetest.Harness{
		Store:       newStore(t, "fake:11211", &Options{Dial: server.dial}),
		Restart:     func(testing.TB) { server.restart() },
		MaxItem:     1 << 20,
		Granularity: time.Second,
	}
}
