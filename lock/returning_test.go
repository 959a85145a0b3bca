package lock_test

import (
	"testing"
	"time"
)

// While its node was down a lock lay on the next one. Who comes when the node is back
// locks there, and the former holder does not hear of it: the fence decides.
func TestANodeThatComesBackMayLetTwoHoldALock(t *testing.T) {
	inScene(t, func(s *scene) {
		former := s.take(s.server("app1"))
		s.nodes[0].Kill()
		s.markDown(0)
		time.Sleep(lease / 2) // it moves
		s.nodes[0].Revive()
		s.mu.Lock()
		s.away[0] = false
		s.mu.Unlock()
		k := s.take(s.server("app2"))
		s.wantLost(former, false)
		s.wantLost(k, false)
		former.Release()
		s.wantLost(k, false)
		s.wantKeys(0, onNode)
		k.Release()
		s.wantKeys(0)
		s.wantKeys(1)
	})
}
