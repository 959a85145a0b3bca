package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// A slowLine stands between an app server and a node, and holds each answer back for a
// while. Answers that come together are held together.
type slowLine struct {
	delay    time.Duration
	node     string
	listener net.Listener
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func openSlowLine(ctx context.Context, node string, delay time.Duration) (*slowLine, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &slowLine{delay: delay, node: node, listener: listener}
	l.ctx, l.stop = context.WithCancel(ctx)
	l.running.Go(l.accept)
	return l, nil
}

func (l *slowLine) addr() string { return l.listener.Addr().String() }

func (l *slowLine) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		node, err := net.Dial("tcp", l.node)
		if err != nil {
			client.Close()
			continue
		}
		l.join(client, node)
	}
}

// join forwards until either side or the line ends.
func (l *slowLine) join(client, node net.Conn) {
	ctx, stop := context.WithCancel(l.ctx)
	l.running.Go(func() {
		<-ctx.Done()
		client.Close()
		node.Close()
	})
	answers := make(chan piece, 1024)
	l.running.Go(func() {
		defer stop()
		_ = forward(client, func(b []byte) error {
			_, err := node.Write(b)
			return err
		})
	})
	l.running.Go(func() {
		defer close(answers)
		_ = forward(node, func(b []byte) error {
			select {
			case answers <- piece{due: time.Now().Add(l.delay), bytes: append([]byte(nil), b...)}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	l.running.Go(func() {
		defer stop()
		deliver(client, answers)
	})
}

// A piece of an answer.
type piece struct {
	due   time.Time
	bytes []byte
}

func forward(from net.Conn, to func([]byte) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return err
		}
		if err := to(buf[:n]); err != nil {
			return err
		}
	}
}

func deliver(to net.Conn, answers <-chan piece) {
	for p := range answers {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.bytes); err != nil {
			return
		}
	}
}

func (l *slowLine) close() {
	l.stop()
	l.listener.Close()
	l.running.Wait()
}
