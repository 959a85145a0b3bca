package measure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Caller asks h for a page, without a network, with each of the cookies in turn.
func Caller(h http.Handler, path string, cookies []string) func(n int) error {
	r, cookie := request(path, ""), []string{""}
	r.Header["Cookie"] = cookie
	w := &sink{header: http.Header{}}
	return func(n int) error {
		clear(w.header)
		cookie[0] = cookies[n%len(cookies)]
		h.ServeHTTP(w, r)
		return w.err()
	}
}

func request(path, cookie string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

// Visit asks h for a page once, and returns the cookie that the browser has then.
func Visit(h http.Handler, path, cookie string) (string, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(path, cookie))
	if w.Code != http.StatusOK {
		return "", fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
	for _, set := range w.Result().Cookies() {
		cookie = set.Name + "=" + set.Value
	}
	return cookie, nil
}

// A sink is a ResponseWriter that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (w *sink) Header() http.Header         { return w.header }
func (w *sink) WriteHeader(status int)      { w.status = status }
func (w *sink) Write(b []byte) (int, error) { return len(b), nil }

// err is an answer that is no page.
func (w *sink) err() error {
	if w.status != 0 && w.status != http.StatusOK {
		return fmt.Errorf("the answer has status %d", w.status)
	}
	return nil
}
