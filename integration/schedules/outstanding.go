package schedules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// outstanding is the fault that has not been mended.
type outstanding struct {
	fault
	name   string
	at     target
	struck bool
	began  time.Duration
	sent   time.Duration // what was acknowledged before is on the nodes
}

// begin has a fault happen, as a step says: fault freeze home:u1 app2 after=3.
func (s *site) beginFault(words []string) error {
	f, known := faults()[words[0]]
	if !known {
		return fmt.Errorf("schedules: there is no fault %q", words[0])
	}
	if s.fault != nil {
		return nil // the repair of the one before was taken out
	}
	o := &outstanding{fault: f, name: words[0], at: s.targetOf(words[1:]), sent: never}
	s.fault = o
	after := 0
	for _, word := range words[1:] {
		if n, ok := strings.CutPrefix(word, "after="); ok {
			after, _ = strconv.Atoi(n)
		}
	}
	by := ""
	if f.server {
		by = o.at.server
	}
	s.net.arm(by, after, func() { s.strike(o) })
	return nil
}

const never = time.Duration(1<<63 - 1)

func (s *site) strike(o *outstanding) {
	o.struck, o.began = true, s.now()
	if life := s.server(o.at.server); s.mode.async() && o.server && !o.waits {
		if local := life.m.Stats().Local; local.Unsent > 0 {
			o.sent = s.now() - local.OldestUnsent
		}
	}
	s.story.say("FAULT %s %s %s", o.name, o.at.node.name, o.at.server)
	o.strike(s, o.at)
}

// mend ends the fault, and waits until nothing is left of it.
func (s *site) mend() {
	o := s.fault
	if o == nil {
		return
	}
	s.fault = nil
	if s.net.disarm(); !o.struck {
		return
	}
	s.story.say("MEND %s", o.name)
	if o.mend != nil {
		o.mend(s, o.at)
	}
	if o.server && !s.mode.async() {
		return // any app server may be dead beside a fault: nothing is to be repaired
	}
	s.recover()
	end := s.now()
	if o.sent != never || !o.server {
		s.history.Loss(history.Span{Start: o.began, End: end}, s.repaired, o.sent)
	}
	s.repaired = end
}
