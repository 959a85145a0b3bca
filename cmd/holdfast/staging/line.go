package staging

import (
	"bytes"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// A line carries what one app server and one node say to each other. It can be
// troubled in ways of which neither end knows.
type line struct {
	net.Listener
	node     string // its address
	carrying sync.WaitGroup

	mu      sync.Mutex
	trouble trouble           // guarded by mu
	conns   map[net.Conn]bool // both ends of all connections; guarded by mu
	closed  bool              // guarded by mu
}

// A trouble is what is wrong with a line. Nothing is zero.
type trouble struct {
	latency time.Duration // each way
	rate    int           // bytes a second, each way of each connection; zero: as fast as it goes
	cut     bool          // no connection, and no new one
}

// newLine listens on a free port.
func newLine(node string) (*line, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	this := &line{Listener: l, node: node, conns: map[net.Conn]bool{}}
	this.carrying.Go(this.accept)
	return this, nil
}

func (l *line) accept() {
	for {
		near, err := l.Accept()
		if err != nil {
			return // closed
		}
		l.carrying.Go(func() { l.connect(near) })
	}
}

func (l *line) connect(near net.Conn) {
	if l.has().cut {
		reset(near)
		return
	}
	far, err := net.DialTimeout("tcp", l.node, time.Second)
	if err != nil {
		reset(near)
		return
	}
	if !l.keep(near, far) {
		return
	}
	l.carrying.Go(func() { l.carry(near, far) })
	l.carrying.Go(func() { l.carry(far, near) })
}

// keep is false if the line was cut or closed meanwhile.
func (l *line) keep(near, far net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.trouble.cut {
		reset(near)
		reset(far)
		return false
	}
	l.conns[near], l.conns[far] = true, true
	return true
}

// reset closes so that the other end gets an error at once.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// A parcel is what one read gave.
type parcel struct {
	due  time.Time
	data []byte
}

// carry reads on while what it has read is still to be delivered: latency is no limit
// of how much may be under way.
func (l *line) carry(from, to net.Conn) {
	parcels := make(chan parcel, 1024)
	l.carrying.Go(func() { l.deliver(parcels, from, to) })
	defer close(parcels)
	for buf := make([]byte, 32<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			parcels <- parcel{time.Now().Add(l.has().latency), bytes.Clone(buf[:n])}
		}
		if err != nil {
			return
		}
	}
}

// deliver ends with both connections. What comes after one has failed goes nowhere.
func (l *line) deliver(parcels <-chan parcel, from, to net.Conn) {
	var failed error
	for p := range parcels {
		if failed != nil {
			continue
		}
		time.Sleep(time.Until(p.due))
		if _, failed = to.Write(p.data); failed != nil {
			l.drop(from, to)
		}
		if rate := l.has().rate; rate > 0 {
			time.Sleep(time.Duration(len(p.data)) * time.Second / time.Duration(rate))
		}
	}
	l.drop(from, to)
}

func (l *line) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.conns, c)
		_ = c.Close()
	}
}

func (l *line) has() trouble {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble
}

// set has the line be so from now on.
func (l *line) set(t trouble) {
	l.mu.Lock()
	l.trouble = t
	l.mu.Unlock()
	if t.cut {
		l.reset()
	}
}

// reset ends all connections.
func (l *line) reset() {
	l.mu.Lock()
	conns := slices.Collect(maps.Keys(l.conns))
	clear(l.conns)
	l.mu.Unlock()
	for _, c := range conns {
		reset(c)
	}
}

// Close ends the line and all it carries.
func (l *line) Close() error {
	l.mu.Lock()
	l.closed, l.trouble = true, trouble{}
	l.mu.Unlock()
	err := l.Listener.Close()
	l.reset()
	l.carrying.Wait()
	return err
}
