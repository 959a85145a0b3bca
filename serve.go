package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// drainTimeout bounds how long Serve waits for requests under way.
const drainTimeout = 30 * time.Second

// Serve runs srv until ctx ends, then stops both in order: no new requests, the
// requests under way finish, m stores what is left. It returns nil after a
// clean stop. Requests that go on for 30 seconds more are cut, which is an
// error: end streams and WebSockets with ctx. With srv.TLSConfig it serves
// HTTPS.
func Serve(ctx context.Context, srv *http.Server, m *Manager) error {
	listener, err := net.Listen("tcp", cmp.Or(srv.Addr, ":http"))
	if err != nil {
		return err
	}
	return ServeListener(ctx, srv, listener, m)
}

// ServeListener is Serve on a listener of the caller's, which it closes.
func ServeListener(ctx context.Context, srv *http.Server, listener net.Listener, m *Manager) error {
	served := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			served <- srv.ServeTLS(listener, "", "")
			return
		}
		served <- srv.Serve(listener)
	}()
	var failure error
	select {
	case failure = <-served:
	case <-ctx.Done():
	}
	ctx = context.WithoutCancel(ctx)
	drain, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := srv.Shutdown(drain)
	if err != nil {
		err = fmt.Errorf("holdfast: requests under way for %v after the stop were cut: %w", drainTimeout, errors.Join(err, srv.Close()))
	}
	if failure == nil {
		failure = <-served
	}
	if errors.Is(failure, http.ErrServerClosed) {
		failure = nil
	}
	last, cancelLast := context.WithTimeout(ctx, drainTimeout) // of its own, whatever the drain took
	defer cancelLast()
	return errors.Join(failure, err, m.Shutdown(last))
}
