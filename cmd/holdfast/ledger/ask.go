package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A Reply is an answer with the cookie that came with it.
type Reply struct {
	Answer
	Cookie string // "": none came
}

// Ask sends one request with cookie, if that is not "".
func Ask(client *http.Client, method, url, cookie string) (r Reply, err error) {
	// No context of the caller's: a request whose client leaves tells nothing.
	req, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	if err != nil {
		return r, err
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: rig.CookieName, Value: cookie})
	}
	res, err := client.Do(req)
	if err != nil {
		return r, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&r.Answer); err != nil {
		return r, fmt.Errorf("%s: %w", res.Status, err)
	}
	for _, cookie := range res.Cookies() {
		if cookie.Name == rig.CookieName && cookie.MaxAge >= 0 {
			r.Cookie = cookie.Value
		}
	}
	return r, nil
}

// NeverSent reports whether a request failed before anything of it was sent.
func NeverSent(err error) bool {
	failure, ok := errors.AsType[*net.OpError](err)
	return ok && failure.Op == "dial"
}
