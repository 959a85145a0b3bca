package wire

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// An Action is what happens to one command.
type Action uint8

const (
	Forward     Action = iota // the server gets it
	Drop                      // it never arrives, and the line stays open
	ResetBefore               // it never arrives, and the line is reset
	ResetAfter                // the server does it; its answer is lost and the line is reset
	Refuse                    // the server gets a command that it does not know: it answers ERROR
)

// fault is how the line is broken at the moment.
type fault struct {
	decide     func(Command) Action // nil forwards
	delay      time.Duration        // before each answer
	loseAnswer bool
	answered   func() // after each answer, if not nil
}

// Intercept lets decide choose the fate of every command from now on; nil ends
// that. The connections call decide in parallel.
func (p *Proxy) Intercept(decide func(Command) Action) {
	p.change(func(f *fault) { f.decide = decide })
}

// Once lets the fate of the next command with this verb be a, and forwards all
// others.
func (p *Proxy) Once(verb string, a Action) {
	var done atomic.Bool
	p.Intercept(func(c Command) Action {
		if c.Verb == verb && done.CompareAndSwap(false, true) {
			return a
		}
		return Forward
	})
}

// Answered returns a channel that is closed when the next command with this
// verb has been answered.
func (p *Proxy) Answered(verb string) <-chan struct{} {
	answered := make(chan struct{})
	var sent atomic.Bool
	once := sync.OnceFunc(func() { close(answered) })
	p.change(func(f *fault) {
		f.decide = func(c Command) Action {
			if c.Verb == verb {
				sent.Store(true)
			}
			return Forward
		}
		f.answered = func() {
			if sent.Load() {
				once()
			}
		}
	})
	return answered
}

// Hang drops all commands: connections stay open and nothing answers.
func (p *Proxy) Hang() {
	p.Intercept(func(Command) Action { return Drop })
}

// LoseAnswers lets commands pass and drops all answers.
func (p *Proxy) LoseAnswers() {
	p.change(func(f *fault) { f.loseAnswer = true })
}

// Delay holds each answer back for d.
func (p *Proxy) Delay(d time.Duration) {
	p.change(func(f *fault) { f.delay = d })
}

// Reset resets all connections; new ones are accepted.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.lines {
		l.reset()
	}
}

// Cut resets all connections and refuses new ones until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.Reset()
}

// Mend ends every fault. Connections on which an answer was lost are reset:
// they would never be in step again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	broken := p.fault.decide != nil || p.fault.loseAnswer
	p.fault = fault{}
	refusing := p.listener == nil
	p.mu.Unlock()
	if broken {
		p.Reset()
	}
	if !refusing {
		return
	}
	listener, err := servers.Listen(p.Addr)
	if err != nil {
		p.t.Errorf("the proxy cannot listen on %s again: %v", p.Addr, err)
		return
	}
	p.serve(listener)
}

func (p *Proxy) change(set func(*fault)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set(&p.fault)
}

// passAnswer gives an answer to the client, when and if the fault lets it.
func (p *Proxy) passAnswer(l *line, answer []byte) error {
	p.mu.Lock()
	now, count := p.fault, p.count
	p.mu.Unlock()
	l.sleep(now.delay)
	if now.loseAnswer {
		return nil
	}
	count.answer()
	if _, err := l.client.Write(answer); err != nil {
		return err
	}
	if now.answered != nil {
		now.answered()
	}
	return nil
}
