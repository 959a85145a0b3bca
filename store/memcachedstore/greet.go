package memcachedstore

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

const (
	// defaultMaxItem is memcached's own default, for servers that do not say.
	defaultMaxItem = 1 << 20

	// readBuffer holds the answers to a batch of small commands at once.
	readBuffer = 32 << 10
)

// open connects to the server and asks what must be known of it. It ends with
// ctx.
func open(ctx context.Context, network, addr string, o *Options) (wire, error) {
	raw, err := o.Dial(ctx, network, addr)
	if err != nil {
		return wire{}, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = raw.SetDeadline(time.Unix(1, 0)) // ends reads and writes under way
		close(interrupted)
	})
	w, err := greet(ctx, raw, addr, o)
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

func greet(ctx context.Context, raw net.Conn, addr string, o *Options) (wire, error) {
	w := wire{Conn: raw, raw: raw, patient: o.TLS == nil, maxItem: defaultMaxItem}
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
	return w, w.learn()
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

// learn makes sure that the server speaks meta commands with opaques and
// compare-and-set tokens, and reads its limit for items.
func (w *wire) learn() error {
	line, err := w.ask("mg holdfast-greeting O1\r\nstats settings\r\n")
	switch {
	case err != nil:
		return err
	case line == needsPassword:
		return errors.New("the server asks for a password: set Options.User and Options.Password")
	case line == "ERROR":
		return errors.New("the server knows no meta commands: memcached 1.6 or later is needed")
	case line != "EN O1" && line != "HD O1":
		return fmt.Errorf("unexpected greeting %q", line)
	}
	for {
		line, err := readLine(w.in)
		if err != nil {
			return err
		}
		setting, ok := bytes.CutPrefix(line, []byte("STAT "))
		if !ok {
			return nil // END, or a server that does not tell its settings
		}
		name, value, _ := bytes.Cut(setting, []byte(" "))
		switch {
		case string(name) == "item_size_max":
			if n, ok := parseUint(value, maxSize); ok {
				w.maxItem = int(n)
			}
		case string(name) == "cas_enabled" && string(value) == "no":
			return errors.New("the server keeps no compare-and-set tokens: start memcached without -C")
		}
	}
}

// ask sends commands and returns the first line of the answer.
func (w *wire) ask(commands string) (string, error) {
	if _, err := w.Write([]byte(commands)); err != nil {
		return "", fmt.Errorf("greeting: %w", err)
	}
	line, err := readLine(w.in)
	switch {
	case err != nil && w.patient && !errors.Is(err, os.ErrDeadlineExceeded):
		return "", fmt.Errorf("greeting: %w (does the server expect TLS?)", err)
	case err != nil:
		return "", fmt.Errorf("greeting: %w", err)
	}
	return string(excerpt(line)), nil
}
