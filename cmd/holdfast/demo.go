package main

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/demo"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/drill"
)

// demoCommand is "holdfast demo".
type demoCommand struct {
	Config    string  `placeholder:"FILE" help:"Read settings from this TOML file."`
	Listen    address `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where to listen, host:port (${default})."`
	Drill     bool    `help:"No page: kill and revive servers and nodes under load, and count what is lost."`
	Seconds   count   `default:"30" placeholder:"N" help:"How long the drill lasts, in all modes together (${default})."`
	Copies    count   `placeholder:"N" help:"How many nodes hold a session, its home included (2)."`
	Memcached bool    `help:"Run memcached processes as nodes, which have to be installed, in place of nodes inside this process."`
}

// Help is kong's detailed help.
func (demoCommand) Help() string {
	return `holdfast demo runs three app servers, three cache nodes and a balancer in this process and
prints the address of a page. There one sees where one's session lies, kills, freezes, empties
and revives servers and nodes, changes mode and copies, and watches what simulated users were
promised. Everybody who reaches the page can do that: it listens on this machine only, unless
--listen says otherwise. Ctrl-C ends it.

holdfast demo --drill runs three app servers and three cache nodes on free ports of this
machine, in each mode for a third of the time: non-sticky, sticky with synchronous and sticky
with asynchronous backup. 48 clients use 200 sessions on them: they add to counters, many of
them to the same, set values, read, log out and in again. Meanwhile servers and nodes are
killed and revived in turn, one node freezes and one is emptied: one fault at a time, and the
next when all sessions have recovered. 30 seconds are enough for some of these in each mode,
90 for all. In sticky modes a client goes to the server that its cookie names, and to another
when that one is dead.

A ledger of what clients were told is compared with every answer. At the end there are a
table and, as the last line, a JSON object with the same figures. The exit code is 0 if no
session and no acknowledged change was lost, nothing happened twice, no logout was undone,
and faults, relocations, take-overs and replays of conflicts did happen; else 1. With
asynchronous backup changes may be lost with a killed server, in no more sessions than it
says it had not sent: they count as unsent_lost.

All of it shares this machine, so requests may wait a second for their session, not half of
one. Times are as the clients see them, with the 0 to 40 ms that every increment takes in the
app. A machine too busy to answer at all within that second spoils the drill.

With --copies 1 a session lies on one node, and the drill must find some that are lost.`
}

// Run runs the page, or the drill.
func (c *demoCommand) Run(p *process) error {
	if c.Drill {
		return c.drill(p)
	}
	return demo.Run(p.ctx, demo.Options{
		Listen: string(c.Listen), Copies: int(c.Copies), Memcached: c.Memcached,
		App: func(m *holdfast.Manager, route string) http.Handler {
			return newApp(m, route, p.log, p.ctx.Done()).handler()
		},
		Ready: func(at net.Addr) {
			p.say("Three app servers, three cache nodes and a balancer. Ctrl-C ends them.")
			p.say("Open http://%s/", at)
		},
	})
}

func (c *demoCommand) drill(p *process) error {
	report, err := drill.Run(p.ctx, drill.Options{
		Length: time.Duration(c.Seconds) * time.Second, Copies: int(c.Copies), Memcached: c.Memcached, Say: p.say,
	})
	if report == nil {
		return err
	}
	if p.ctx.Err() != nil {
		return errors.Join(errors.New("stopped before the end: the figures are of what happened until then"), report.Print(p.stdout))
	}
	return errors.Join(err, report.Err(), report.Print(p.stdout))
}
