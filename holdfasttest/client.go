package holdfasttest

import (
	"cmp"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/holdfast-sessions/holdfast"
)

// A Client is one visitor. It calls a handler without a network, and keeps
// cookies like a browser that speaks HTTPS. It does not follow redirects.
//
// Its methods are safe for concurrent use.
type Client struct {
	cookies *cookies
	calls   origin
}

// cookies are those that one browser has.
type cookies struct {
	jar  *cookiejar.Jar
	home atomic.Pointer[url.URL] // where the jar's latest cookie is sent
}

// An origin answers requests.
type origin interface {
	answer(r *http.Request) *httptest.ResponseRecorder
	manager() *holdfast.Manager // of the sessions that a request finds here
}

// program is the origin with one manager.
type program struct {
	m       *holdfast.Manager
	handler http.Handler
}

func (p program) manager() *holdfast.Manager { return p.m }

func (p program) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

// NewClient returns a visitor, without cookies, of handler: the whole program,
// with m.Handler in it.
func NewClient(m *holdfast.Manager, handler http.Handler) *Client {
	return newClient(program{m, handler})
}

func newClient(of origin) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no way to fail
	}
	c := &cookies{jar: jar}
	c.home.Store(&url.URL{Scheme: "https", Host: "example.com", Path: "/"}) // as httptest has it
	return &Client{cookies: c, calls: of}
}

// Get asks for target, a path or a URL.
func (c *Client) Get(target string) *httptest.ResponseRecorder {
	return c.Do(httptest.NewRequest(http.MethodGet, target, nil))
}

// Post sends form to target, a path or a URL.
func (c *Client) Post(target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.Do(r)
}

// Do sends r with the client's cookies and those that it carries itself.
func (c *Client) Do(r *http.Request) *httptest.ResponseRecorder {
	return c.cookies.send(r, c.calls.answer)
}

// Session runs fn with the client's session, as a request between those to the
// handler: before them to prepare it, after them to look at it. It panics like
// [With].
func (c *Client) Session(fn func(*holdfast.Session)) {
	r := httptest.NewRequest(http.MethodGet, c.cookies.home.Load().String(), nil)
	c.cookies.send(r, func(r *http.Request) *httptest.ResponseRecorder { return visit(c.calls.manager(), fn, r) })
}

// send adds the cookies to a copy of r, and keeps those that answer sends.
func (c *cookies) send(r *http.Request, answer func(*http.Request) *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	page := &url.URL{Scheme: "https", Host: cmp.Or(r.Host, r.URL.Host), Path: r.URL.Path}
	r = r.Clone(r.Context())
	for _, cookie := range c.jar.Cookies(page) {
		r.AddCookie(cookie)
	}
	w := answer(r)
	fresh := w.Result().Cookies()
	c.jar.SetCookies(page, fresh)
	for _, cookie := range fresh {
		c.home.Store(&url.URL{Scheme: page.Scheme, Host: page.Host, Path: cmp.Or(cookie.Path, page.Path)})
	}
	return w
}
