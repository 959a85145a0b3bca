package holdfast_test

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var unread = holdfast.NewKey[int]("unread")

// streamUnread sends the number of unread messages at every tick, until the
// visitor leaves or logs out. Refresh shows the session as other requests have
// left it, and keeps it alive.
func streamUnread(w http.ResponseWriter, r *http.Request, ticks <-chan bool) {
	s := holdfast.From(r.Context())
	w.Header().Set("Content-Type", "text/event-stream")
	for range ticks {
		if s.Refresh(); s.Err() != nil {
			return // Err marks the error as seen
		}
		n, _ := unread.Get(s)
		fmt.Fprintf(w, "data: %d unread\n\n", n)
		http.NewResponseController(w).Flush()
	}
}

// Server-sent events: a response that goes on while the session changes.
func ExampleSession_Refresh() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	ticks := make(chan bool, 1)
	server := httptest.NewServer(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		streamUnread(w, r, ticks)
	})))
	defer server.Close()

	r, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	r = holdfasttest.With(r, m, func(s *holdfast.Session) { unread.Set(s, 1) })
	ticks <- true
	response, err := server.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewReader(response.Body)
	for _, news := range []func(*holdfast.Session){
		func(s *holdfast.Session) { unread.Set(s, 2) },
		func(s *holdfast.Session) { s.Destroy() },
	} {
		var n int
		fmt.Fscanf(events, "data: %d unread\n\n", &n)
		fmt.Println(n, "unread")
		holdfasttest.With(r, m, news)
		ticks <- true
	}
	// Output:
	// 1 unread
	// 2 unread
}
