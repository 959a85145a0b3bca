package memcachedstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Options says how to reach a memcached. Nil is all defaults, and so is the zero
// of each field, or a negative duration.
type Options struct {
	// User and Password are for servers with an authentication file
	// (memcached -Y). Both or none. A server that asks for no password is
	// refused: it would store it as an item. Default: none.
	User, Password string

	// TLS, if not nil, encrypts the connection (memcached -Z). A ServerName
	// that is not set is the host of the address. Default: no TLS.
	TLS *tls.Config

	// DialTimeout bounds one attempt to connect: name lookup, connection, TLS,
	// password and first answers. Default: 2 seconds.
	DialTimeout time.Duration

	// CallTimeout bounds a call whose context has no deadline. Default: 5 seconds.
	CallTimeout time.Duration

	// StallTimeout is how long calls wait without any answer coming before the
	// connection is given up. Noticed up to a quarter later. Default: 2 seconds.
	StallTimeout time.Duration

	// Dial makes the connection, for tests and tunnels. Its context ends with
	// DialTimeout or Close. The connection must heed deadlines, and closing it
	// must end reads and writes under way. Default: net.Dialer, which looks up names each time.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// String hides the password.
func (o Options) String() string {
	return fmt.Sprintf("memcachedstore.Options{User: %q, Password: %t, TLS: %t}", o.User, o.Password != "", o.TLS != nil)
}

// GoString is String, for the verb %#v.
func (o Options) GoString() string { return o.String() }

// withDefaults is o with its zeros replaced. o may be nil.
func (o *Options) withDefaults() (Options, error) {
	var set Options
	if o != nil {
		set = *o
	}
	if (set.User == "") != (set.Password == "") {
		return set, errors.New("memcachedstore: Options has one of User and Password: set both or none")
	}
	if strings.ContainsAny(set.User, " :\r\n") || strings.ContainsAny(set.Password, "\r\n") {
		return set, errors.New("memcachedstore: Options.User must have no space, colon or line end, Password no line end")
	}
	setDefault(&set.DialTimeout, 2*time.Second)
	setDefault(&set.CallTimeout, 5*time.Second)
	setDefault(&set.StallTimeout, 2*time.Second)
	if set.Dial == nil {
		set.Dial = new(net.Dialer).DialContext
	}
	return set, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}
