package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-sessions/holdfast"
)

// counterName is the attribute of the page's counter button.
const counterName = "clicks"

// pageData is what templates/session.html shows.
type pageData struct {
	Server  string
	Now     time.Time
	Notices []string
	Ended   bool  // the browser comes from a logout
	Session *view // nil: there is none
	Why     []holdfast.Explanation
	Idle    string
	Expires time.Time // zero: never
	Rows    []row
	Clicks  int64
}

// errorData is what templates/error.html shows.
type errorData struct {
	Server      string
	Status      int
	Title, Text string
}

// A row is one attribute of the table.
type row struct{ Name, Type, Value string }

// pageData reads the session and takes its notices.
func (a *app) pageData(r *http.Request, s *holdfast.Session) (pageData, error) {
	d := pageData{Server: a.server(r), Now: time.Now().UTC(), Ended: r.URL.Query().Has("ended")}
	d.Notices = notice.Take(s)
	v, err := a.viewOf(r, s)
	if err == errNoSession {
		d.Why = explanations(s)
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Session, d.Ended = &v, false
	d.Idle = spoken(s.IdleTimeout())
	d.Expires = s.Expires().UTC()
	d.Rows = rows(s)
	_ = s.Err() // an unreadable attribute has its row, and costs no page
	d.Clicks, _ = v.Attributes[counterName].(int64)
	return d, nil
}

func rows(s *holdfast.Session) []row {
	var all []row
	for name := range s.Names() {
		value, ok := s.Raw(name)
		if !ok {
			all = append(all, row{name, "unreadable", "this program cannot read it; it is kept as it is"})
			continue
		}
		kind, text := display(value)
		all = append(all, row{name, kind, shortened(text)})
	}
	return all
}

// display returns the type of value in a person's words, and value as text.
func display(value any) (kind, text string) {
	switch v := value.(type) {
	case string:
		return "text", v
	case []byte:
		return "bytes", base64.StdEncoding.EncodeToString(v)
	case bool:
		return "yes or no", fmt.Sprint(v)
	case time.Time:
		return "time", v.UTC().Format(time.RFC3339Nano)
	case json.RawMessage:
		return "JSON", string(v)
	}
	return "number", fmt.Sprint(value)
}

// shortened cuts text that would fill the page.
func shortened(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:cut], len(text))
}

// spoken is d as people write it: 30m, 1h30m.
func spoken(d time.Duration) string {
	if d <= 0 {
		return "never"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
