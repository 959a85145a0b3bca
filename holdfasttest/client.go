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
	m       *holdfast.Manager
	handler http.Handler
	jar     *cookiejar.Jar
	home    atomic.Pointer[url.URL] // where the jar's latest cookie is sent
}

// NewClient returns a visitor, without cookies, of handler: the whole program,
// with m.Handler in it.
func NewClient(m *holdfast.Manager, handler http.Handler) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no way to fail
	}
	c := &Client{m: m, handler: handler, jar: jar}
	c.home.Store(&url.URL{Scheme: "https", Host: "example.com", Path: "/"}) // as httptest has it
	return c
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
	return c.send(r, func(w *httptest.ResponseRecorder, r *http.Request) { c.handler.ServeHTTP(w, r) })
}

// Session runs fn with the client's session, as a request between those to the
// handler: before them to prepare it, after them to look at it. It panics like
// [With].
func (c *Client) Session(fn func(*holdfast.Session)) {
	r := httptest.NewRequest(http.MethodGet, c.home.Load().String(), nil)
	c.send(r, func(w *httptest.ResponseRecorder, r *http.Request) { visit(c.m, fn, w, r) })
}

func (c *Client) send(r *http.Request, serve func(*httptest.ResponseRecorder, *http.Request)) *httptest.ResponseRecorder {
	page := &url.URL{Scheme: "https", Host: cmp.Or(r.Host, r.URL.Host), Path: r.URL.Path}
	r = r.Clone(r.Context())
	for _, cookie := range c.jar.Cookies(page) {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	serve(w, r)
	fresh := w.Result().Cookies()
	c.jar.SetCookies(page, fresh)
	for _, cookie := range fresh {
		c.home.Store(&url.URL{Scheme: page.Scheme, Host: page.Host, Path: cmp.Or(cookie.Path, page.Path)})
	}
	return w
}
