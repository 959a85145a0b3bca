package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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
func (p *Proxy) During(request func()) Step { return During(request, p) }

// During is the same for what passes through several proxies, as one.
func During(request func(), through ...*Proxy) Step {
	c := &count{step: newStep(), answered: true}
	for _, p := range through {
		p.Delay(flight)
		defer p.Delay(0)
		p.counted(c)
		defer p.counted(nil)
	}
	request()
	time.Sleep(2 * flight)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.step
}

// A count is what passed so far during one step.
type count struct {
	mu       sync.Mutex // guards what follows
	step     Step
	answered bool // an answer passed since the last command
}

func (p *Proxy) counted(by *count) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = by
}

// arrived counts a command and returns what happens to it.
func (p *Proxy) arrived(cmd Command) Action {
	p.mu.Lock()
	count, decide := p.count, p.fault.decide
	p.mu.Unlock()
	if !strings.HasPrefix(cmd.Key, "watch-") { // a sticky server looks after its node
		count.command(cmd.Verb)
	}
	if decide == nil {
		return Forward
	}
	return decide(cmd)
}

// command counts a command. A nil count counts nothing.
func (c *count) command(verb string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step.Commands[verb]++
	if c.answered {
		c.step.Waits++
		c.answered = false
	}
}

// answer notes that an answer is about to reach a client.
func (c *count) answer() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = true
}
