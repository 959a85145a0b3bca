package holdfast

import (
	"bufio"
	"errors"
	"fmt"
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
	noCookie atomic.Bool // the connection is being given away
	answered atomic.Bool // by an error page in place of the handler's response
	replaced error       // why
	varies   [1]string   // what the header says

	mu     sync.Mutex
	cookie cookieAction // guarded by mu
}

// A cookieAction is what the response header will do to the browser's cookie.
type cookieAction uint8

const (
	keepCookie   cookieAction = iota
	repeatCookie              // the id is known: for its hints, or a longer life
	grantCookie
	revokeCookie
)

// goesOn reports whether the handler is at work after its header has left.
func (w *response) goesOn() bool       { return w.left.Load() && !w.answered.Load() }
func (w *response) canSetCookie() bool { return !w.left.Load() && !w.noCookie.Load() }

// sendCookie has the header set the cookie and reports whether that is possible.
func (w *response) sendCookie() bool {
	w.setCookie(grantCookie)
	return w.canSetCookie()
}

// repeatCookie has the header set the cookie if there will be one.
func (w *response) repeatCookie() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cookie == keepCookie {
		w.cookie = repeatCookie
	}
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
// browser would have to be told a new id, which nobody could send any more, and
// when the handler has overlooked an error. It can then still answer.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	err := w.replaced
	if !w.left.Load() {
		err = w.s.gated(w.beforeHijackGated)
	}
	if err != nil {
		return nil, nil, err
	}
	conn, buf, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.left.Store(true)
	}
	w.noCookie.Store(false)
	return conn, buf, err
}

func (w *response) beforeHijackGated() error {
	if w.cookieAction() == grantCookie || w.s.needsNewID() {
		return fmt.Errorf("%w with a hijacked connection: begin or renew a session in a request before", ErrTooLate)
	}
	w.noCookie.Store(true) // from here on no commit may need a cookie
	err := w.s.commitGated()
	if err == nil {
		err = w.s.unseen()
	}
	if err != nil {
		w.noCookie.Store(false)
	}
	return err
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
	w.answered.Store(true)
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
		text = "Your session cannot be reached just now. It is kept; please try again in a moment."
	case http.StatusLocked:
		w.Header().Set("Retry-After", "1")
		text = "Your session is in use by another request. Please try again in a moment."
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
	t, r := s.token, s.currentLocked()
	presented, aliased := len(s.tokens) > 0, s.view != nil && s.view.Aliased
	s.mu.Unlock()

	if read {
		w.vary(h)
	}
	switch action := w.cookieAction(); {
	case r != nil && !aliased && (action == grantCookie || action == repeatCookie):
		s.m.transport.grant(h, t, cookieLife(r))
	case action == revokeCookie && presented:
		s.m.transport.revoke(h)
	default:
		return
	}
	if _, chosen := h["Cache-Control"]; !chosen {
		h.Set("Cache-Control", "no-store")
	}
}

func (w *response) vary(h http.Header) {
	if len(h["Vary"]) > 0 {
		h.Add("Vary", "Cookie")
		return
	}
	w.varies = [1]string{"Cookie"}
	h["Vary"] = w.varies[:]
}

// The longest that browsers keep a cookie.
const maxCookieLife = 400 * 24 * time.Hour

// cookieLife returns how long the browser keeps the cookie of r over its own
// restart; zero: it does not. The store decides when the session ends: a cookie
// that ended with the idle timeout would have to be sent again at each use, also
// by responses that have nothing to do with the session.
func cookieLife(r *record.Record) time.Duration {
	if !r.Persistent {
		return 0
	}
	life := maxCookieLife
	if !r.Deadline.IsZero() {
		life = min(life, time.Until(r.Deadline))
	}
	return max(life, time.Second)
}

// finish ends the handler's work with the session.
func (w *response) finish() {
	if !w.left.Load() {
		_ = w.beforeHeader() // an error has become the response
	}
	if w.answered.Load() {
		return
	}
	w.s.close() // first: what a goroutine of the handler's adds later must fail
	err := w.s.gated(w.s.commitAtEndGated)
	if err == nil {
		err = w.s.unseen()
	}
	if err != nil {
		w.s.m.counts.tooLate.Add(1)
		w.s.m.options.Logger.Warn("a session failed too late for an error page, and the handler did not look at Session.Err", "path", w.r.URL.Path, "error", err)
	}
}
