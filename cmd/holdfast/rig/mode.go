package rig

import (
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A Mode is how app servers keep sessions.
type Mode struct {
	Name   string
	Sticky bool // in their memory: each goes to the server that its cookie names
	Async  bool // they answer before a change is on the nodes
}

// NonSticky is the mode in which any server takes any request.
func NonSticky() Mode { return Mode{Name: "non_sticky"} }

// StickySync is the one in which a change is on the nodes before it is answered.
func StickySync() Mode { return Mode{"sticky_sync", true, false} }

// StickyAsync is the one in which it is sent behind the answer.
func StickyAsync() Mode { return Mode{"sticky_async", true, true} }

// CookieName is that of the sessions of all servers. Browsers send it to all ports of
// a host, so it is none that a program which is being tried there has too.
const CookieName = "holdfast-demo"

// Patience is the time that a request may wait for its session. It is above the
// default: a machine that runs everything at once is slow.
const Patience = time.Second

// Options are those of an app server in this mode. Zero copies: two.
func (m Mode) Options(route string, copies int) *holdfast.Options {
	return &holdfast.Options{
		Sticky: m.Sticky, BackupAsync: m.Async, Copies: copies, Route: route,
		Cookie: holdfast.Cookie{Name: CookieName, AllowInsecure: true}, OperationTimeout: Patience,
	}
}
