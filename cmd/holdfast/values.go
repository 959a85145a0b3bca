package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// The types of this file read the value of one setting, from wherever it was
// given. Their errors say what to write.

// An address is a TCP address to listen on, "host:port".
type address string

func (a *address) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, " /") {
		return fmt.Errorf("want host:port such as 127.0.0.1:8081 (port 0: any free one), not %q", text)
	}
	*a = address(text)
	return nil
}

// A routeName names an app server in session cookies.
type routeName string

func (n *routeName) UnmarshalText(text []byte) error {
	if !routeNames.Match(text) {
		return fmt.Errorf("want 1 to 64 of A-Z a-z 0-9 _ - such as app1, not %q", text)
	}
	*n = routeName(text)
	return nil
}

var routeNames = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// A cookieName is a token as RFC 6265 section 4.1.1 has it.
type cookieName string

func (n *cookieName) UnmarshalText(text []byte) error {
	if !cookieNames.Match(text) {
		return fmt.Errorf("want a cookie's name, letters and digits without spaces, such as session, not %q", text)
	}
	*n = cookieName(text)
	return nil
}

var cookieNames = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// A pattern is a regular expression. Its zero value is none.
type pattern struct{ *regexp.Regexp }

func (p *pattern) UnmarshalText(text []byte) (err error) {
	p.Regexp, err = regexp.Compile(string(text))
	if err != nil {
		return fmt.Errorf(`want a regular expression of Go such as ^/static/: %w`, err)
	}
	return nil
}

// A span is a length of time above zero.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("want a length of time above zero such as 500ms or 2s, not %q", text)
	}
	*s = span(d)
	return nil
}

// A limit is a length of time; zero or less is without limit.
type limit time.Duration

func (l *limit) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("want a length of time such as 30m or 12h, or 0 for never, not %q", text)
	}
	*l = limit(d)
	return nil
}

// option is the limit as holdfast.Options has it, where zero means the default.
func (l limit) option() time.Duration {
	if l <= 0 {
		return holdfast.Never
	}
	return time.Duration(l)
}

// A count is a number from 1 on.
type count int

func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil || n == 0 {
		return fmt.Errorf("want a number from 1 on, not %q", text)
	}
	*c = count(n)
	return nil
}

// nodeNames are names of cache nodes, separated by commas, white space or both.
type nodeNames []string

func (n *nodeNames) UnmarshalText(text []byte) error {
	*n = strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	for _, name := range *n {
		if !nodeName.MatchString(name) {
			return fmt.Errorf("want names of cache nodes, each 1 to 32 of A-Z a-z 0-9 _, such as n1, not %q", name)
		}
	}
	return nil
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)

// A size is a number of bytes.
type size int64

func (s *size) UnmarshalText(text []byte) error {
	n, err := parseSize(string(text))
	if err != nil {
		return fmt.Errorf("want a number of bytes above zero such as 1048576, 512k, 64m or 1g, not %q", text)
	}
	*s = size(n)
	return nil
}

// A maximum is a number, with a unit or without. Its zero value is the default.
type maximum int64

func (m *maximum) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*m = unbounded
		return nil
	}
	n, err := parseSize(string(text))
	if err != nil {
		return fmt.Errorf("want a number such as 1000, 512k, 64m or 1g, or 0 for no bound, not %q", text)
	}
	*m = maximum(n)
	return nil
}

// unbounded is a maximum that was set to none.
const unbounded = -1

// A namespace is any text but none: an empty one is a variable that was not set.
type namespace string

func (n *namespace) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("want any text such as shop; for none leave the setting out")
	}
	*n = namespace(text)
	return nil
}

// A secret shows nothing of itself.
type secret string

func (s *secret) UnmarshalText(text []byte) error {
	*s = secret(text)
	return nil
}

// Format keeps the secret out of everything that is printed.
func (s secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "…") }

// A sameSite is the SameSite mode of a cookie.
type sameSite http.SameSite

func (s *sameSite) UnmarshalText(text []byte) error {
	mode, ok := map[string]http.SameSite{
		"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
	}[strings.ToLower(string(text))]
	if !ok {
		return fmt.Errorf("want lax, strict or none, not %q", text)
	}
	*s = sameSite(mode)
	return nil
}

// parseSize reads digits with an optional unit k, m or g, as memcached does.
func parseSize(text string) (int64, error) {
	lower := strings.ToLower(text)
	digits := strings.TrimRight(lower, "kmg")
	shift, ok := map[string]uint{"": 0, "k": 10, "m": 20, "g": 30}[lower[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !ok || n <= 0 || n > math.MaxInt64>>shift {
		return 0, errors.New("not a size")
	}
	return n << shift, nil
}
