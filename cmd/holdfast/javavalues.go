package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/tomcat"
)

// The types of this file read values as memcached-session-manager has them.

// javaText is a pattern of Java for whole texts. Its zero value is none.
type javaText struct{ *regexp.Regexp }

func (p *javaText) UnmarshalText(text []byte) (err error) {
	if p.Regexp, err = tomcat.CompilePattern(string(text)); err != nil {
		return fmt.Errorf("want a pattern such as user|cart.*: %w", err)
	}
	return nil
}

// javaRequest is a pattern of Java for whole requests. Its zero value is none.
type javaRequest struct{ *tomcat.RequestPattern }

func (p *javaRequest) UnmarshalText(text []byte) (err error) {
	if p.RequestPattern, err = tomcat.NewRequestPattern(string(text)); err != nil {
		return fmt.Errorf(`want a pattern such as GET /static/.*: %w`, err)
	}
	return nil
}

// match is the pattern as holdfast.Options has it, nil for none.
func (p javaRequest) match() func(*http.Request) bool {
	if p.RequestPattern == nil {
		return nil
	}
	return p.Match
}

func (p javaRequest) doubts() []string {
	if p.RequestPattern == nil {
		return nil
	}
	return p.Doubts
}

// locking says which requests lock their session.
type locking struct {
	mode    holdfast.LockMode
	request javaRequest
}

func (l *locking) UnmarshalText(text []byte) error {
	if java, ok := strings.CutPrefix(string(text), "uriPattern:"); ok {
		l.mode = holdfast.LockRequests
		return l.request.UnmarshalText([]byte(java))
	}
	mode, ok := map[string]holdfast.LockMode{
		"none": holdfast.LockNone, "app": holdfast.LockNone, "all": holdfast.LockAll, "auto": holdfast.LockAuto,
	}[strings.ToLower(string(text))]
	if !ok {
		return fmt.Errorf("want none, all, auto, app or uriPattern: and a pattern, such as uriPattern:GET /cart.*, not %q", text)
	}
	*l = locking{mode: mode}
	return nil
}
