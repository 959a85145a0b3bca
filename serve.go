package holdfast

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// drainTimeout bounds how long Serve waits for requests under way.
const drainTimeout = 30 * time.Second

// Serve runs srv until ctx ends, then stops both in order: no new requests, the
// requests under way finish, m stores what is left. It returns nil after a
// clean stop. With srv.TLSConfig it serves HTTPS.
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
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := srv.Shutdown(drain)
	if failure == nil {
		failure = <-served
	}
	if errors.Is(failure, http.ErrServerClosed) {
		failure = nil
	}
	return errors.Join(failure, err, m.Shutdown(drain))
}
