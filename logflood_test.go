package holdfast_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// While one of two nodes is down and each session lies on one, requests of some sessions
// fail and those of others do not. That is one change for an operator to read of, and
// not two lines of the log for each pair of requests.
func TestAPartialOutageDoesNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		site := holdfasttest.Cluster(t, 1, 2)
		site.Options = &holdfast.Options{Copies: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		site.Handle(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
			if r.URL.Path == "/set" {
				textKey.Set(s, "x")
			}
			s.Exists()
		}))
		var users []*holdfasttest.SiteClient
		for range 10 {
			u := site.Client()
			u.Get("/set")
			users = append(users, u)
		}
		site.KillNode("n2")
		answers := map[int]int{}
		for range 20 {
			for _, u := range users {
				answers[u.Get("/").Code]++
			}
		}
		if n := strings.Count(log.String(), "the session store"); n > 2 {
			t.Errorf("%d lines about the session store in 200 requests, want at most 2; answers: %v", n, answers)
		}
	})
}
