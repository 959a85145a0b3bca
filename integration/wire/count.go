package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Step is what passed during one step of a test.
type Step struct {
	// Commands counts by verb what clients sent.
	Commands map[string]int
	// Waits is the number of sequential round trips: a command that is sent
	// after an answer has come back begins a new one. It means something when
	// a step is one request; requests that overlap add up to less.
	Waits int
}

func newStep() Step { return Step{Commands: map[string]int{}} }

// Total is the number of commands of these verbs, of all without any.
func (s Step) Total(verbs ...string) int {
	sum := 0
	for verb, n := range s.Commands {
		if len(verbs) == 0 || slices.Contains(verbs, verb) {
			sum += n
		}
	}
	return sum
}

// String is for messages of tests: "2 waits, mg 1, ms 1".
func (s Step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d waits", s.Waits)
	for _, verb := range slices.Sorted(maps.Keys(s.Commands)) {
		fmt.Fprintf(&b, ", %s %d", verb, s.Commands[verb])
	}
	return b.String()
}

// flight is how long answers are held back during a step: commands that are
// sent together must all have left before the first answer arrives.
const flight = 30 * time.Millisecond

// During runs request and returns what passed meanwhile, and shortly after: a
// command that nobody waits for may be sent behind the answer to the request.
func (p *Proxy) During(request func()) Step {
	p.Delay(flight)
	defer p.Delay(0)
	p.mu.Lock()
	p.step, p.answered = newStep(), true
	p.mu.Unlock()
	request()
	time.Sleep(2 * flight)
	p.mu.Lock()
	defer p.mu.Unlock()
	step := p.step
	p.step = newStep()
	return step
}

// arrived counts a command and returns what happens to it.
func (p *Proxy) arrived(cmd Command) Action {
	p.mu.Lock()
	p.step.Commands[cmd.Verb]++
	if p.answered {
		p.step.Waits++
		p.answered = false
	}
	decide := p.fault.decide
	p.mu.Unlock()
	if decide == nil {
		return Forward
	}
	return decide(cmd)
}

// answer notes that an answer is about to reach a client.
func (p *Proxy) answer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = true
}
