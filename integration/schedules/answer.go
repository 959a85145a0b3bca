package schedules

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// What a browser makes of an answer and of its cookies.

// outcome is what a client knows after w. Nil: the server has died under it.
func outcome(w *httptest.ResponseRecorder) history.Outcome {
	if w == nil {
		return history.Unknown
	}
	switch w.Header().Get(outcomeHeader) {
	case sDone:
		return history.Accepted
	case sRefused, sMissing:
		return history.Refused
	}
	return history.Unknown
}

func missing(w *httptest.ResponseRecorder) bool {
	return w != nil && w.Header().Get(outcomeHeader) == sMissing
}

// cookieOf is the session's cookie that w sets; "": none.
func cookieOf(w *httptest.ResponseRecorder) string {
	if w == nil {
		return ""
	}
	for _, c := range (&http.Response{Header: w.Header()}).Cookies() {
		if c.Name == "session" && c.MaxAge >= 0 {
			return c.Value
		}
	}
	return ""
}

func idOf(cookie string) string {
	end := strings.IndexAny(cookie, "~-.")
	if end < 0 {
		return cookie
	}
	return cookie[:end]
}

var (
	homeForm  = regexp.MustCompile(`-(n\d+)`)
	routeForm = regexp.MustCompile(`\.(app\d+)`)
)

// homeOf is the node that a cookie names; "": none.
func homeOf(cookie string) string { return part(homeForm, cookie) }

// routeOf is the server that a cookie names; "": none.
func routeOf(cookie string) string { return part(routeForm, cookie) }

func part(form *regexp.Regexp, cookie string) string {
	if m := form.FindStringSubmatch(cookie); m != nil {
		return m[1]
	}
	return ""
}
