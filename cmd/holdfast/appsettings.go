package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// sessionSettings are the settings of an app server's session manager.
type sessionSettings struct {
	Route            routeName   `placeholder:"NAME" help:"This app server's name in session cookies."`
	Copies           count       `placeholder:"N" help:"How many nodes hold a session, its home included (2, or 1 with one node)."`
	FailoverNodes    nodeNames   `placeholder:"LIST" help:"Names of nodes that get sessions only when no other is left, such as the one on this machine."`
	RefuseDegraded   bool        `help:"Answer 503 to a change that fewer than --copies nodes can store, instead of storing it on fewer."`
	OperationTimeout span        `default:"500ms" placeholder:"TIME" help:"The longest that one request waits for its session (${default})."`
	IdleTimeout      limit       `default:"30m" placeholder:"TIME" help:"End sessions not used for this long (${default}); 0 is never."`
	AbsoluteTimeout  limit       `default:"0" placeholder:"TIME" help:"End sessions this long after they began (${default}: never)."`
	Namespace        namespace   `placeholder:"NAME" help:"Keeps apart the sessions of several applications on the same nodes."`
	Ignore           pattern     `placeholder:"REGEX" help:"Requests whose path matches never touch a session."`
	IgnoreRequest    javaRequest `placeholder:"PATTERN" help:"As --ignore, but a pattern of Java for the whole of \"METHOD URI?query\", as memcached-session-manager has it."`
	KeyFile          keyRing     `placeholder:"FILE" help:"Encrypt sessions and sign cookies with the keys in FILE: each line 32 random bytes in base64 or hex; the first encrypts, all decrypt."`
	AllowPlain       bool        `help:"Accept sessions and cookies from before there was a --key-file."`

	stickySettings
	lockSettings
	cookieSettings
}

// stickySettings are those of servers that keep sessions in their memory.
type stickySettings struct {
	Sticky          bool     `help:"Keep sessions in this server's memory too, behind a balancer that sends a browser to the server whose route its cookie names."`
	BackupAsync     bool     `help:"With --sticky: answer before a change is on the nodes."`
	MaxUnsent       count    `placeholder:"N" help:"With --backup-async: requests wait while more than N sessions have unsent changes (200000)."`
	MaxIdleSwap     limit    `default:"0" placeholder:"TIME" help:"With --sticky: drop sessions from memory that were not used for this long, the nodes have them; 0 (the default) is never."`
	MaxLocalBytes   maximum  `placeholder:"SIZE" help:"With --sticky: the memory for sessions, such as 512m (1g); above it those not used for longest are dropped, the nodes have them; 0 is no bound."`
	MaxSessions     maximum  `placeholder:"N" help:"With --sticky: refuse new sessions above this many; 0 (the default) is no bound."`
	AttributeFilter javaText `placeholder:"PATTERN" help:"With --sticky: only attributes whose whole name matches are stored on the nodes, others stay in memory."`
}

// lockSettings are about requests of one session that wait for each other.
type lockSettings struct {
	Locking   locking `placeholder:"MODE" help:"Which requests have their session to themselves: none (the default), all, auto (all that change it, as learned), uriPattern:PATTERN (for \"METHOD URI?query\", as memcached-session-manager has it), or app (those that ask for it)."`
	LockWait  span    `default:"5s" placeholder:"TIME" help:"The longest that a request waits for the lock (${default})."`
	LockLease span    `default:"4s" placeholder:"TIME" help:"How long the lock of a server that died stays in the way (${default})."`
}

// cookieSettings are those of the session cookie.
type cookieSettings struct {
	CookieName        cookieName `placeholder:"NAME" help:"Name of the session cookie (__Host-session, or session with --insecure-cookie, --cookie-domain or --cookie-path)."`
	CookieDomain      string     `placeholder:"DOMAIN" help:"Send the session cookie to all hosts below this domain."`
	CookiePath        string     `placeholder:"PATH" help:"Send the session cookie to the URLs below this path only."`
	CookieSameSite    sameSite   `placeholder:"MODE" help:"Whether other sites' pages send the session cookie: lax (the default), strict or none."`
	CookieAllowScript bool       `help:"Show the session cookie to the page's JavaScript."`
	CookiePartitioned bool       `help:"Keep one session cookie for each site that embeds this one (CHIPS)."`
	InsecureCookie    bool       `help:"Send the cookie over plain HTTP too."`
}

func (s *sessionSettings) options(log *slog.Logger) *holdfast.Options {
	return &holdfast.Options{
		IdleTimeout:      s.IdleTimeout.option(),
		AbsoluteTimeout:  s.AbsoluteTimeout.option(),
		OperationTimeout: time.Duration(s.OperationTimeout),
		Copies:           int(s.Copies),
		FailoverNodes:    s.FailoverNodes,
		RefuseDegraded:   s.RefuseDegraded,
		Sticky:           s.Sticky,
		BackupAsync:      s.BackupAsync,
		MaxUnsent:        int(s.MaxUnsent),
		MaxIdleSwap:      max(time.Duration(s.MaxIdleSwap), 0),
		MaxLocalBytes:    int64(s.MaxLocalBytes),
		MaxSessions:      max(int(s.MaxSessions), 0),
		AttributeFilter:  s.AttributeFilter.Regexp,
		Locking:          s.locks(),
		Cookie:           s.cookie(),
		Namespace:        string(s.Namespace),
		Route:            string(s.Route),
		Keys:             s.KeyFile,
		AllowPlain:       s.AllowPlain,
		Ignore:           s.Ignore.Regexp,
		IgnoreRequest:    s.IgnoreRequest.match(),
		Logger:           log,
	}
}

func (s *lockSettings) locks() holdfast.Locking {
	return holdfast.Locking{
		Mode:    s.Locking.mode,
		Request: s.Locking.request.match(),
		Wait:    time.Duration(s.LockWait),
		Lease:   time.Duration(s.LockLease),
	}
}

func (s *cookieSettings) cookie() holdfast.Cookie {
	return holdfast.Cookie{
		Name:          string(s.CookieName),
		Domain:        s.CookieDomain,
		Path:          s.CookiePath,
		SameSite:      http.SameSite(s.CookieSameSite),
		AllowInsecure: s.InsecureCookie,
		AllowScript:   s.CookieAllowScript,
		Partitioned:   s.CookiePartitioned,
	}
}
