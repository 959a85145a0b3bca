package schedules

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A story is what happened in one run, for people. A nil one is not told.
type story struct {
	began time.Time
	mu    sync.Mutex // guards text
	text  strings.Builder
}

func (s *story) say(format string, args ...any) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, "%12v ", time.Since(s.began).Round(time.Microsecond))
	fmt.Fprintf(&s.text, format+"\n", args...)
}

func (s *story) message(m *message) {
	if s == nil || m.kind == data && bytes.Contains(m.data, []byte("watch-")) {
		return
	}
	arrow := "<-"
	if m.toNode {
		arrow = "->"
	}
	what := [...]string{"", "dial", "close", "accepted", "refused"}[m.kind]
	if m.kind == data {
		what = linesOf(m.data)
	}
	s.say("    %s %s %s #%d %s", m.link.server, arrow, m.link.node, m.wire.number, what)
}

// linesOf leaves out the values.
func linesOf(b []byte) string {
	var lines []string
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		if text := string(line); len(line) > 0 && strings.Trim(text, printable) == "" && len(line) < 200 {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, " | ")
}

const printable = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_:.#"

func (s *story) String() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
