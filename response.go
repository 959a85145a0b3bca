package holdfast

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

// A response is the handler's http.ResponseWriter. It stores the session before
// the header leaves: only then can a cookie still be set, and an error become
// an error page.
type response struct {
	http.ResponseWriter
	s     *Session
	r     *http.Request
	outer http.Header // what handlers outside of ours had set

	left     atomic.Bool // the header has left, or is about to
	replaced error       // why an error page went out in place of the handler's response

	mu     sync.Mutex
	cookie cookieAction // guarded by mu
}

// A cookieAction is what the response header will do to the browser's cookie.
type cookieAction uint8

const (
	keepCookie cookieAction = iota
	grantCookie
	revokeCookie
)

func (w *response) headerLeft() bool   { return w.left.Load() }
func (w *response) canSetCookie() bool { return !w.left.Load() }

// sendCookie has the header set the cookie and reports whether that is possible.
func (w *response) sendCookie() bool {
	w.setCookie(grantCookie)
	return w.canSetCookie()
}

// dropCookie has the header revoke the cookie.
func (w *response) dropCookie() { w.setCookie(revokeCookie) }

func (w *response) setCookie(a cookieAction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cookie = a
}

func (w *response) cookieAction() cookieAction {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cookie
}

// WriteHeader stores the session and sends the header. Informational responses
// pass by: the real one is still to come.
func (w *response) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.beforeHeader() == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write stores the session before the first byte. When an error page went out
// in place of the handler's response it returns that error.
func (w *response) Write(b []byte) (int, error) {
	if err := w.beforeHeader(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(b)
}

// WriteString is Write.
func (w *response) WriteString(s string) (int, error) {
	if err := w.beforeHeader(); err != nil {
		return 0, err
	}
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom is Write for whole files, which the kernel sends by itself where the
// inner writer can have it so.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if err := w.beforeHeader(); err != nil {
		return 0, err
	}
	return io.Copy(w.ResponseWriter, src)
}

// Flush is FlushError for those who do not ask.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError stores the session and sends what was written so far.
func (w *response) FlushError() error {
	if err := w.beforeHeader(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack stores the session and gives the connection away. It fails when the
// browser would have to be told a new id, which nobody could send any more.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.left.Load() {
		return http.NewResponseController(w.ResponseWriter).Hijack()
	}
	w.left.Store(true) // a commit that needs a cookie must fail
	err := w.s.Commit()
	if err == nil && w.cookieAction() == grantCookie {
		err = w.s.fail(ErrTooLate)
	}
	if err != nil {
		w.left.Store(false) // the handler can still answer with an error
		return nil, nil, err
	}
	conn, buf, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		w.left.Store(false)
	}
	return conn, buf, err
}

// Unwrap gives http.ResponseController what this type does not change.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// beforeHeader stores the session and writes its cookie into the header, once.
// When the handler has overlooked an error, it sends an error page and returns
// the error from then on.
func (w *response) beforeHeader() error {
	if w.left.Load() {
		return w.replaced
	}
	err := w.s.gated(func() error {
		err := w.s.commitAtEndGated()
		w.left.Store(true) // from here on no commit may need a cookie
		return err
	})
	w.left.Store(true)
	if unseen := w.s.unseen(); unseen != nil {
		err = unseen
	}
	if err == nil {
		w.setHeaders()
		return nil
	}
	w.replaced = err
	w.replace(err)
	return err
}

// replace sends an error page in place of the handler's response.
func (w *response) replace(err error) {
	h := w.Header()
	clear(h)
	maps.Copy(h, w.outer)
	w.setHeaders()
	w.s.m.reportFailure(w.r, err)
	if errors.Is(err, ErrUnavailable) && w.s.m.options.OnUnavailable != nil {
		w.s.m.options.OnUnavailable(w.ResponseWriter, w.r, err)
		return
	}
	errorPage(w.ResponseWriter, err)
}

// errorPage says what a visitor needs to know, and nothing of the inside.
func errorPage(w http.ResponseWriter, err error) {
	status := StatusOf(err)
	text := "Something went wrong with your session. It is kept; please try again later."
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
		text = "Your session cannot be reached just now. Nothing is lost; please try again in a moment."
	case http.StatusConflict:
		text = "Your session was changed or ended by another request. Please reload the page and try again."
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}

// setHeaders writes what the session means for browser and caches.
func (w *response) setHeaders() {
	s, h := w.s, w.Header()
	s.mu.Lock()
	read := s.state != unloaded
	value, r := s.token.value(), s.currentLocked()
	presented := len(s.tokens) > 0
	s.mu.Unlock()

	if read {
		h.Add("Vary", "Cookie")
	}
	switch action := w.cookieAction(); {
	case r != nil && action == grantCookie:
		s.m.transport.grant(h, value, cookieLife(r))
	case action == revokeCookie && presented:
		s.m.transport.revoke(h)
	default:
		return
	}
	if _, chosen := h["Cache-Control"]; !chosen {
		h.Set("Cache-Control", "no-store")
	}
}

// The longest that browsers keep a cookie.
const maxCookieLife = 400 * 24 * time.Hour

// cookieLife returns how long the browser keeps the cookie of r over its own
// restart; zero: it does not. It is longer than the session may be idle, since the
// cookie is not sent again at every request; the store decides.
func cookieLife(r *record.Record) time.Duration {
	if !r.Persistent {
		return 0
	}
	life := maxCookieLife
	if r.IdleTimeout > 0 {
		life = min(life, r.IdleTimeout+r.IdleTimeout/8)
	}
	if !r.Deadline.IsZero() {
		life = min(life, time.Until(r.Deadline))
	}
	return max(life, time.Second)
}

// finish ends the handler's work with the session.
func (w *response) finish() {
	if !w.left.Load() {
		_ = w.beforeHeader() // an error has become the response
		return
	}
	if err := w.s.gated(w.s.commitAtEndGated); err != nil {
		w.s.m.counts.tooLate.Add(1)
		w.s.m.options.Logger.Warn("a session change made after the response header was not stored", "path", w.r.URL.Path, "error", err)
	}
}
