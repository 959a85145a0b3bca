package memcachedstore

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

const (
	// defaultMaxItem is memcached's own default, for servers that do not say.
	defaultMaxItem = 1 << 20

	// readBuffer holds the answers to a batch of small commands at once.
	readBuffer = 64 << 10
)

// open connects to the server and asks what must be known of it. It ends with
// ctx. A proxy may close the connection on a command that it does not know: one
// that does so twice, so that it is no accident, is asked in classic commands.
func open(ctx context.Context, network, addr string, o *Options) (wire, error) {
	w, err := openWith(ctx, network, addr, o, (*wire).learn)
	if !hungUp(err) || o.User != "" {
		return w, err
	}
	w, again := openWith(ctx, network, addr, o, (*wire).learn)
	if again == nil {
		return w, nil
	}
	if !hungUp(again) {
		return w, err
	}
	w, classicErr := openWith(ctx, network, addr, o, (*wire).learnClassic)
	if classicErr != nil {
		return w, fmt.Errorf("%w; asked in classic commands: %w", err, classicErr)
	}
	return w, nil
}

// hungUp reports whether the server closed the connection, in the middle of a
// command or after it.
func hungUp(err error) bool {
	for _, how := range []error{errHungUp, syscall.ECONNRESET, syscall.EPIPE, io.ErrClosedPipe} {
		if errors.Is(err, how) {
			return true
		}
	}
	return false
}

// openWith opens a connection on which learn asks what the server can do.
func openWith(ctx context.Context, network, addr string, o *Options, learn func(*wire) error) (wire, error) {
	raw, err := o.Dial(ctx, network, addr)
	if err != nil {
		return wire{}, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = raw.SetDeadline(time.Unix(1, 0)) // ends reads and writes under way
		close(interrupted)
	})
	w, err := greet(ctx, raw, addr, o, learn)
	if !stop() {
		<-interrupted
		err = cmp.Or(err, ctx.Err())
	}
	if err != nil {
		_ = raw.Close() // the error that counts is there already
		return wire{}, err
	}
	return w, nil
}

func greet(ctx context.Context, raw net.Conn, addr string, o *Options, learn func(*wire) error) (wire, error) {
	w := wire{Conn: raw, raw: raw, patient: o.TLS == nil, maxItem: defaultMaxItem, speaks: meta{}}
	if o.TLS != nil {
		secure := tls.Client(raw, tlsConfig(o.TLS, addr))
		if err := secure.HandshakeContext(ctx); err != nil {
			return w, fmt.Errorf("TLS: %w", err)
		}
		w.Conn = secure
	}
	w.in = bufio.NewReaderSize(w.Conn, readBuffer)
	if o.User != "" {
		if err := w.logIn(o.User, o.Password); err != nil {
			return w, err
		}
	}
	return w, learn(&w)
}

func tlsConfig(config *tls.Config, addr string) *tls.Config {
	if config.ServerName != "" {
		return config
	}
	config = config.Clone()
	config.ServerName, _, _ = net.SplitHostPort(addr)
	return config
}

// logIn authenticates with memcached's ASCII authentication: a set whose value
// is user and password. A server that asks for no password would store them, so
// it is asked first whether it wants any.
func (w *wire) logIn(user, password string) error {
	line, err := w.ask("mn\r\n")
	switch {
	case err != nil:
		return err
	case line == "MN":
		return errors.New("the server asks for no password: start memcached with -Y, or leave Options.User and Password empty")
	case line != needsPassword:
		return fmt.Errorf("unexpected greeting %q", line)
	}
	secret := user + " " + password
	line, err = w.ask(fmt.Sprintf("set auth 0 0 %d\r\n%s\r\n", len(secret), secret))
	switch {
	case err != nil:
		return err
	case line != "STORED":
		return errors.New("the server refuses Options.User and Password")
	}
	return nil
}

const needsPassword = "CLIENT_ERROR unauthenticated"
