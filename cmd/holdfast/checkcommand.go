package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/staging"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// checkCommand is "holdfast check".
type checkCommand struct {
	Config       string    `placeholder:"FILE" help:"Read settings from this TOML file."`
	Nodes        string    `placeholder:"LIST" help:"Your cache nodes, such as \"n1:10.0.0.1:11211 n2:10.0.0.2:11211\". They are used, and never stopped or emptied."`
	Spawn        count     `placeholder:"N" help:"Start N memcached processes as nodes, which have to be installed, and let them fail too."`
	NodeUser     string    `placeholder:"NAME" help:"User of the cache nodes that ask for a password (memcached -Y)."`
	NodePassword secret    `placeholder:"TEXT" help:"Its password; better in the environment or the file, where other users do not see it."`
	Servers      count     `default:"3" placeholder:"N" help:"How many app servers to start (${default})."`
	Mode         checkMode `default:"non-sticky" placeholder:"MODE" help:"How they keep sessions: non-sticky (the default), sticky-sync, sticky-async or locked."`
	Seconds      count     `default:"60" placeholder:"N" help:"How long the load lasts (${default})."`
	Seed         uint64    `default:"1" placeholder:"K" help:"Of the faults: the same seed has the same fail, one after the other (${default})."`
	JSON         bool      `help:"Print the report as JSON."`
	HTML         string    `placeholder:"FILE" help:"Write the report as one page to FILE, too."`
}

// A checkMode is how the app servers of "holdfast check" keep sessions.
type checkMode struct{ staging.Mode }

func (m *checkMode) UnmarshalText(text []byte) (err error) {
	m.Mode, err = staging.ModeNamed(string(text))
	return err
}

func (m checkMode) String() string { return m.Name }

// Help is kong's detailed help.
func (checkCommand) Help() string {
	return `holdfast check finds out on real processes whether sessions survive. It starts app servers
(holdfast app) on free ports of this machine, has clients set, delete, count, read, log in, renew and
log out over HTTP, in parallel and at several servers, and leaves some sessions alone until they
expire. Meanwhile one thing at a time fails, and the next when everything has recovered: app servers are
killed and stopped; the connections to a node are reset, slowed down, narrowed, or cut for one server.

With --spawn it starts memcached processes of its own, and they are killed, stopped, restarted empty and
flushed as well. With --nodes it uses yours, and never stops, ends or flushes them: what fails lies in
front of them, in proxies of this command. All keys have a namespace of their own and expire within
seconds. Two copies of each session need two nodes.

All that clients were told goes into a history, and a checker decides whether the promises of the mode
allow it: no acknowledged change is lost or made twice, no logout undone, no session ended early or too late,
no user sees another one's. With sticky-async a killed server may lose what it had not sent, and no more.
Requests without an answer may have happened or not; they are at most 5 %.

The exit status is 1 if a promise was broken, and also if too much is unknown or too little was done to
prove anything. Progress goes to standard error, the report to standard output. Ctrl-C ends all that was
started, and reports what was seen.`
}

// Validate is called by kong.
func (c *checkCommand) Validate() error {
	switch {
	case (c.Nodes == "") == (c.Spawn == 0):
		return errors.New("which nodes? Give either --nodes with yours, or --spawn 3 to start some")
	case c.Spawn == 1:
		return errors.New("--spawn 1: want at least 2, since a session lies on two nodes")
	case c.Servers < 2:
		return fmt.Errorf("--servers %d: want at least 2, of which one may fail", c.Servers)
	case c.Nodes != "":
		_, err := c.nodes()
		return err
	}
	return nil
}

// nodes are those of --nodes, each name:host:port.
func (c *checkCommand) nodes() (list []string, err error) {
	if c.Nodes == "" {
		return nil, nil
	}
	stores, err := memcachedstore.Nodes(c.Nodes, nil)
	if err != nil {
		return nil, fmt.Errorf("--nodes: %w", err)
	}
	for _, n := range stores {
		if s, ok := n.Store.(io.Closer); ok {
			_ = s.Close() // nothing was asked
		}
	}
	list = strings.FieldsFunc(c.Nodes, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	for i, entry := range list {
		if strings.Contains(entry, "/") {
			return nil, fmt.Errorf("--nodes: %s is a unix socket, and there can be no proxy in front of it: want name:host:port", entry)
		}
		if strings.Count(entry, ":") == 1 || strings.HasPrefix(entry, "[") { // the only one, without a name
			list[i] = "n1:" + entry
		}
	}
	return list, nil
}

// Run makes the check.
func (c *checkCommand) Run(p *process) error {
	nodes, err := c.nodes()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	report, err := staging.Run(p.ctx, staging.Options{
		Program: program, Environment: c.environment(os.Environ()),
		Nodes: nodes, Spawn: int(c.Spawn), Servers: int(c.Servers), Mode: c.Mode.Mode,
		Length: time.Duration(c.Seconds) * time.Second, Seed: c.Seed, Say: p.progress,
	})
	if report == nil {
		return err
	}
	return errors.Join(err, report.Err(), c.show(p, report))
}

// environment is what app servers get of environ: not the settings of this command,
// but the nodes' password, which other users would see on a command line.
func (c *checkCommand) environment(environ []string) []string {
	own := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, variablePrefix) })
	if c.NodeUser != "" {
		own = append(own, variablePrefix+"NODE_USER="+c.NodeUser, variablePrefix+"NODE_PASSWORD="+string(c.NodePassword))
	}
	return own
}

// writeFile has write fill a new file.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// show writes the report wherever it is wanted.
func (c *checkCommand) show(p *process, r *staging.Report) error {
	var failed error
	if c.HTML != "" {
		failed = writeFile(c.HTML, r.HTML)
	}
	if c.JSON {
		return errors.Join(failed, r.JSON(p.stdout))
	}
	return errors.Join(failed, r.Text(p.stdout))
}
