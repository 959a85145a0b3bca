package integration

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// echoWithSession answers each message with the word of the session as it is
// now, and then makes the message the new word.
func echoWithSession(sessions func() *holdfast.Manager) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := holdfast.From(r.Context()).ID()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var before string
			err = sessions().With(r.Context(), id, func(s *holdfast.Session) error {
				before, _ = word.Get(s)
				return word.Set(s, string(message))
			})
			if err != nil {
				before = "error: " + err.Error()
			}
			if conn.Write(r.Context(), websocket.MessageText, []byte(before)) != nil {
				return
			}
		}
	}
}

// TestWebSocketThroughNginx: the socket of one server and the requests that
// the other one serves use the same session.
func TestWebSocketThroughNginx(t *testing.T) {
	cache := servers.StartMemcached(t).Addr
	sites := make([]*site, 2)
	for i := range sites {
		sites[i] = startSite(t, cache, map[string]http.HandlerFunc{
			"POST /word": setWord, "GET /word": getWord,
			"GET /socket": echoWithSession(func() *holdfast.Manager { return sites[i].sessions }),
		})
	}
	balancer := startBalancer(t, sites[0].Listener.Addr().String(), sites[1].Listener.Addr().String())
	web := "http://" + balancer.Addr
	user := newBrowser()
	user.post(web+"/word", "word", "zero").want(t, http.StatusOK)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+balancer.Addr+"/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {user.jar()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for i := range 10 {
		before := user.get(web + "/word").body
		message := fmt.Sprint("message ", i)
		if got := say(t, ctx, conn, message); got != before {
			t.Errorf("the socket saw %q, requests see %q", got, before)
		}
		if got := user.get(web + "/word").body; got != message {
			t.Errorf("after the socket said %q, requests see %q", message, got)
		}
		user.post(web+"/word", "word", fmt.Sprint("request ", i)).want(t, http.StatusOK)
	}
}

func say(t *testing.T, ctx context.Context, conn *websocket.Conn, message string) string {
	t.Helper()
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, got, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
