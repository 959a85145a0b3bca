package holdfast

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Never is the timeout of a session that does not end by it.
const Never time.Duration = -1

// What a zero field of Options means.
const (
	defaultIdleTimeout      = 30 * time.Minute
	defaultOperationTimeout = 500 * time.Millisecond
	defaultRenewGrace       = 10 * time.Second
	defaultMaxLocalBytes    = 1 << 30
)

// Options of a Manager. A nil *Options and every zero field mean the default.
type Options struct {
	// IdleTimeout ends a session that no request used for so long. Zero: 30
	// minutes; Never: no such end. Session.SetIdleTimeout overrides it.
	IdleTimeout time.Duration

	// AbsoluteTimeout ends a session so long after it was created. Zero or
	// Never: no such end. It needs the clocks of the app servers to agree.
	AbsoluteTimeout time.Duration

	// OperationTimeout bounds all the session work of one request, retries
	// included. Zero: 500 milliseconds.
	OperationTimeout time.Duration

	// RenewGrace is how long requests with the former id still get the session
	// after a Renew, so that requests sent at the same moment are not logged
	// out. Zero: 10 seconds; negative: none. After a Login there is never any.
	RenewGrace time.Duration

	// Copies is how many nodes hold a session, its home included. Zero: two, or one
	// if there is one node. With one the death of a node loses its sessions.
	Copies int

	// FailoverNodes are the names of nodes that get sessions only when no other is
	// left, such as the one on the same machine, so that a machine's death does not
	// take both.
	FailoverNodes []string

	// RefuseDegraded answers 503 to a change while one of the session's nodes does
	// not answer and no other can take its place. By default it is stored with fewer
	// copies and counted. That is safe, but for two groups of app servers that are cut
	// off from different nodes at once: each group goes on with the node that it
	// reaches, and what one of them stored is lost.
	RefuseDegraded bool

	// Sticky keeps sessions in this server's memory, for balancers that send a
	// browser to the server whose Route its cookie names. Every change goes to the
	// nodes too, so that any other server can take over. See docs/modes.md.
	Sticky bool

	// BackupAsync answers a request before its change is on the nodes. What was
	// not yet sent when this server dies is lost: Stats.Local says how much that
	// is. Sticky only.
	BackupAsync bool

	// MaxUnsent bounds how many sessions with unsent changes wait in memory: above
	// it requests wait until theirs is sent. Zero: 200,000. Sticky only.
	MaxUnsent int

	// MaxIdleSwap drops a session from memory when it was not used for so long; the
	// nodes have it. Zero or Never: only when MaxLocalBytes asks for it. Sticky only.
	MaxIdleSwap time.Duration

	// MaxLocalBytes bounds the memory for sessions, roughly: above it those that were
	// not used for longest are dropped; the nodes have them. Zero: a gibibyte; negative:
	// no bound. Sticky only.
	MaxLocalBytes int64

	// MaxSessions bounds how many sessions this server holds: above it a new one
	// fails with ErrTooManySessions. Zero: no bound. Sticky only.
	MaxSessions int

	// AttributeFilter matches the names of the attributes that are stored on the
	// nodes, from the first character to the last. All others stay in this server's
	// memory and are lost with it, with a swap-out, and with a take-over. Nil: all
	// are stored. Sticky only.
	AttributeFilter *regexp.Regexp

	// Locking lets requests of one session go one after the other.
	Locking Locking

	// Cookie is how the browser keeps the id.
	Cookie Cookie

	// Namespace keeps applications that share nodes apart. Any characters.
	Namespace string

	// Route is this app server's name, 1 to 64 of [A-Za-z0-9_-]. It stands at
	// the end of the cookie, ".app1", for balancers that look there. "": none, or
	// with Sticky a random one.
	Route string

	// Keys encrypt the stored sessions and sign the ids in cookies, so that an
	// invented id is not looked for: each of 32 random bytes; the first encrypts
	// and signs, all decrypt and verify. To rotate, put a new key second on all
	// servers, then first; leave the old one out when every session in use has
	// been read once more, which stores it and sends its cookie again: after the
	// longest idle timeout. A cookie that no key verifies is as none. None: stored
	// sessions are plain, and cookies are not signed.
	Keys [][]byte

	// AllowPlain accepts sessions and cookies from before there were Keys. Use it
	// while keys are introduced, until every session in use has been read once
	// more, and no longer: who can write to a node can make plain sessions.
	AllowPlain bool

	// AppVersion, if not "", is stored with each session that this program
	// writes, for people who look into the store. Nothing depends on it.
	AppVersion string

	// Ignore matches the URL paths of requests that have nothing to do with
	// sessions, such as images. They never load, save or extend one.
	Ignore *regexp.Regexp

	// IgnoreRequest is asked beside Ignore, for whom the path is not enough.
	IgnoreRequest func(*http.Request) bool

	// Hooks tell of what happens to sessions.
	Hooks Hooks

	// OnUnavailable answers a request whose session could not be read or
	// stored, instead of 503 with Retry-After. err matches ErrUnavailable.
	OnUnavailable func(w http.ResponseWriter, r *http.Request, err error)

	// Logger gets what an operator should know. Nil: nothing is logged.
	Logger *slog.Logger
}

// A Cookie says how browsers keep a session's id. The zero Cookie is the safest
// one: __Host-session, Secure, HttpOnly, SameSite=Lax, for the whole site and
// no other host.
type Cookie struct {
	// Name, if not "", replaces "__Host-session"; or "session", which is the
	// default where AllowInsecure, Domain or Path forbid the prefix.
	Name string

	// Domain, if not "", sends the cookie to all hosts below it, too.
	Domain string

	// Path, if not "", sends the cookie to the URLs below it only.
	Path string

	// SameSite, if not zero, replaces http.SameSiteLaxMode.
	SameSite http.SameSite

	// AllowInsecure sends the cookie over plain HTTP, where everybody on the
	// way can read it. For development.
	AllowInsecure bool

	// AllowScript shows the cookie to the page's JavaScript, and so to every
	// script that somebody smuggles into it.
	AllowScript bool

	// Partitioned keeps one cookie for each site that embeds this one (CHIPS).
	Partitioned bool
}

// withDefaults returns a copy of o with its defaults filled in and "never"
// written as zero, as records have it.
func (o *Options) withDefaults() (Options, error) {
	out := Options{}
	if o != nil {
		out = *o
	}
	out.IdleTimeout = max(cmp.Or(out.IdleTimeout, defaultIdleTimeout), 0)
	out.AbsoluteTimeout = max(out.AbsoluteTimeout, 0)
	out.RenewGrace = max(cmp.Or(out.RenewGrace, defaultRenewGrace), 0)
	out.OperationTimeout = cmp.Or(out.OperationTimeout, defaultOperationTimeout)
	out.Logger = cmp.Or(out.Logger, slog.New(slog.DiscardHandler))
	if out.OperationTimeout < 0 {
		return out, errors.New("holdfast: OperationTimeout is negative: waiting must be bounded")
	}
	if out.Route != "" && !isName(out.Route, isRouteChar, maxRouteSize) {
		return out, fmt.Errorf("holdfast: Route %q: take 1 to %d of A-Z a-z 0-9 _ -", out.Route, maxRouteSize)
	}
	if len(out.Keys) == 0 && out.AllowPlain {
		return out, errors.New("holdfast: AllowPlain without Keys: all sessions are plain; leave it out or give a key")
	}
	var err error
	if out.Locking, err = out.Locking.withDefaults(); err != nil {
		return out, err
	}
	if err := out.checkSticky(); err != nil || !out.Sticky {
		return out, err
	}
	out.Route = cmp.Or(out.Route, newRoute())
	out.MaxIdleSwap = max(out.MaxIdleSwap, 0)
	out.MaxLocalBytes = max(cmp.Or(out.MaxLocalBytes, defaultMaxLocalBytes), 0)
	return out, nil
}

// checkSticky refuses sticky settings that contradict others. A server that is not
// sticky has no memory for them to bound: who set one expects what will not be.
func (o *Options) checkSticky() error {
	rows := []struct {
		name string
		set  bool
	}{
		{"BackupAsync", o.BackupAsync},
		{"MaxUnsent", o.MaxUnsent != 0},
		{"MaxIdleSwap", o.MaxIdleSwap > 0},
		{"MaxLocalBytes", o.MaxLocalBytes != 0},
		{"MaxSessions", o.MaxSessions != 0},
		{"AttributeFilter", o.AttributeFilter != nil},
	}
	for _, row := range rows {
		if row.set && !o.Sticky {
			return fmt.Errorf("holdfast: %s without Sticky: only a sticky server keeps sessions in its memory; set Sticky or leave %s out", row.name, row.name)
		}
	}
	switch {
	case o.MaxUnsent < 0:
		return errors.New("holdfast: MaxUnsent is negative: what a server's death loses must be bounded")
	case o.MaxUnsent > 0 && !o.BackupAsync:
		return errors.New("holdfast: MaxUnsent without BackupAsync: every change is sent before the answer; set BackupAsync or leave MaxUnsent out")
	case o.MaxSessions < 0:
		return errors.New("holdfast: MaxSessions is negative: zero is no bound")
	}
	return nil
}

const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// build returns the http.Cookie without a value, or what contradicts what.
func (c Cookie) build() (http.Cookie, error) {
	bound := c.Domain == "" && (c.Path == "" || c.Path == "/") && !c.AllowInsecure
	name := "session"
	if bound {
		name = hostPrefix + name
	}
	out := http.Cookie{
		Name: cmp.Or(c.Name, name), Domain: c.Domain, Path: cmp.Or(c.Path, "/"),
		SameSite: cmp.Or(c.SameSite, http.SameSiteLaxMode),
		Secure:   !c.AllowInsecure, HttpOnly: !c.AllowScript, Partitioned: c.Partitioned,
		Value: "x", // so that Valid looks at the rest
	}
	switch {
	case hasPrefix(out.Name, hostPrefix) && !bound:
		return out, fmt.Errorf("holdfast: cookie %q: browsers refuse the prefix %s together with a Domain, a Path other than / or AllowInsecure; choose another name", out.Name, hostPrefix)
	case hasPrefix(out.Name, securePrefix) && c.AllowInsecure:
		return out, fmt.Errorf("holdfast: cookie %q: browsers refuse the prefix %s together with AllowInsecure; choose another name", out.Name, securePrefix)
	case out.Path[0] != '/':
		return out, fmt.Errorf("holdfast: cookie Path %q: browsers ignore a path that does not begin with /", c.Path)
	case c.SameSite < 0 || c.SameSite > http.SameSiteNoneMode:
		return out, fmt.Errorf("holdfast: cookie SameSite %d: take one of the modes of package http", c.SameSite)
	case c.SameSite == http.SameSiteNoneMode && c.AllowInsecure:
		return out, errors.New("holdfast: browsers refuse a cookie with SameSite=None together with AllowInsecure")
	case c.Partitioned && c.AllowInsecure:
		return out, errors.New("holdfast: browsers refuse a Partitioned cookie together with AllowInsecure")
	}
	if err := out.Valid(); err != nil {
		return out, fmt.Errorf("holdfast: cookie %q: %w", out.Name, err)
	}
	out.Value = ""
	return out, nil
}

// hasPrefix compares as browsers do: any case is the prefix.
func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
