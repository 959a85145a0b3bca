package schedules

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// A Result is what came of playing a schedule.
type Result struct {
	Err        error // what is wrong
	Counts     Counts
	Operations int
	Unknown    int
	Digest     uint64 // of what clients were told
	Messages   uint64 // the same of every message, its time and size
	Story      string // if it was asked for
}

// play plays s. It must be called in a bubble of package synctest.
func play(s *Schedule, tell bool, mood mood) Result {
	var tale *story
	if tell {
		tale = &story{began: time.Now()}
	}
	at, err := newSite(s, tale, mood)
	if err != nil {
		return Result{Err: err}
	}
	for _, step := range s.Steps {
		if err = at.do(step); err != nil {
			break
		}
	}
	at.step(1 << 30)
	at.mend()
	at.lookAtTheEnd()
	counts := at.finish()
	return Result{
		Err: errors.Join(err, at.verdict()), Counts: counts, Operations: at.history.Len(), Unknown: at.unknown(),
		Digest: at.digest.Sum64(), Messages: at.net.digest.Sum64(), Story: tale.String(),
	}
}

// do plays one step.
func (s *site) do(step Step) error {
	s.step(step.Number)
	s.pass(time.Duration(100+s.random(20_000)) * time.Microsecond)
	s.story.say("STEP %s", step)
	words := step.Words
	switch words[0] {
	case "fault":
		return s.beginFault(words[1:])
	case "mend":
		s.mend()
		return nil
	case "skip":
		d, err := time.ParseDuration(words[1])
		s.pass(d)
		return err
	case "expire":
		s.expire(words[1])
		return nil
	}
	for _, u := range s.users {
		if u.name == words[0] {
			return s.burst(u, step)
		}
	}
	return fmt.Errorf("schedules: what is %q?", step)
}

// burst has a browser send all requests of a step at about the same moment.
func (s *site) burst(u *user, step Step) error {
	var requests sync.WaitGroup
	defer requests.Wait()
	for i, word := range step.Words[1:] {
		w, err := parseWant(word)
		if err != nil {
			return err
		}
		value := fmt.Sprintf("v%d.%d", step.Number, i)
		late := time.Duration(s.random(300)+1)*time.Microsecond + time.Duration(i) // no two at the same moment
		if i == 0 {
			u.begin(w.server)
		}
		requests.Go(func() {
			time.Sleep(late)
			u.act(w, value)
		})
	}
	return nil
}

// expire lets one session end, while the others are used.
func (s *site) expire(name string) {
	for _, u := range s.users {
		if u.name != name {
			continue
		}
		var others sync.WaitGroup
		stop := make(chan struct{})
		others.Go(func() { s.keepAlive(name, stop) })
		u.expire()
		close(stop)
		others.Wait()
	}
}

func (s *site) keepAlive(but string, stop chan struct{}) {
	tick := time.NewTicker(idleTimeout / 3)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for _, u := range s.users {
			if u.name != but && u.hasSession() {
				u.send(want{"read", "a", "route"}, "")
			}
		}
	}
}

// lookAtTheEnd reads everything that must be there, and what must not.
func (s *site) lookAtTheEnd() {
	s.untilSent()
	for _, u := range s.users {
		for _, server := range s.serverNames() {
			if s.mode.sticky() {
				server = "route"
			}
			for _, key := range []string{"a", "b", counter} {
				if u.hasSession() {
					u.send(want{"read", key, server}, "")
				}
			}
			u.haunt(want{"read", "a", server})
		}
	}
}

func (s *site) verdict() error {
	err := s.history.Check()
	if len(s.wrong) > 0 {
		err = errors.Join(err, errors.New(strings.Join(s.wrong, "\n")))
	}
	return err
}

func (s *site) unknown() (n int) {
	for _, op := range s.done {
		if op.Outcome == history.Unknown {
			n++
		}
	}
	return n
}
