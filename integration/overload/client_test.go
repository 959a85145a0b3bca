package overload

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A client is one connection of a browser, with little work in this process: the app
// server needs the machine.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	cookie string // of the session, without its name; "": none
}

// answerTimeout is above every wait that an app server grants.
const answerTimeout = 30 * time.Second

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, answerTimeout)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, reader: bufio.NewReader(conn)}, nil
}

type answer struct {
	status int
	body   string
}

func (c *client) do(method, path, form string) (answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return answer{}, err
	}
	if _, err := io.WriteString(c.conn, c.header(method, path, len(form))+form); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if set, isOurs := strings.CutPrefix(resp.Header.Get("Set-Cookie"), cookieName+"="); isOurs {
		c.cookie, _, _ = strings.Cut(set, ";")
	}
	return answer{resp.StatusCode, string(body)}, err
}

func (c *client) header(method, path string, size int) string {
	var h strings.Builder
	fmt.Fprintf(&h, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path)
	if c.cookie != "" {
		fmt.Fprintf(&h, "Cookie: %s=%s\r\n", cookieName, c.cookie)
	}
	if size > 0 {
		fmt.Fprintf(&h, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", size)
	}
	h.WriteString("\r\n")
	return h.String()
}
