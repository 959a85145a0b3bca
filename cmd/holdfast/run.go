package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"
)

// commands is the command line: a field a subcommand, each in a file of its
// own, its flags as fields.
type commands struct {
	App     appCommand     `cmd:"" help:"Run an app server: a page that shows and changes a session, and a JSON API."`
	Node    nodeCommand    `cmd:"" help:"Run a cache node in this process's memory, for trying and testing."`
	Demo    demoCommand    `cmd:"" help:"Show what happens to sessions when servers and nodes die."`
	Check   checkCommand   `cmd:"" help:"Check on real processes, under load and faults, whether sessions survive: for a staging cluster."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// A process is what a subcommand gets from its surroundings.
type process struct {
	ctx    context.Context // ends when the process is asked to stop
	stdout io.Writer       // what a person or a script asked for
	stderr io.Writer       // how far it is
	log    *slog.Logger    // what happens, on standard error
}

// say prints a line that a person or a script asked for.
func (p *process) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stdout, format+"\n", args...) // nobody reads it: no reason to stop
}

// progress prints a line for a person who waits.
func (p *process) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format+"\n", args...)
}

// Exit codes of Run.
const (
	exitOK     = 0
	exitFailed = 1 // the command ran and failed
	exitUsage  = 2 // the command line, the environment or the config file is wrong
)

// Run runs the command line args with the environment environ ("NAME=value")
// until it is done or ctx ends, and returns the exit code.
func Run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	helped := false
	parser := newParser(new(commands), environ, stdout, stderr, func(int) { helped = true })
	selected, err := parser.Parse(args)
	switch {
	case helped:
		return exitOK
	case err != nil:
		complain(stderr, err)
		_, _ = fmt.Fprintln(stderr, `"holdfast --help" and "holdfast COMMAND --help" list what there is.`)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if err := selected.Run(&process{ctx, stdout, stderr, log}); err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// newParser returns the parser that fills c. It calls exit after it printed a
// help.
func newParser(c *commands, environ []string, stdout, stderr io.Writer, exit func(int)) *kong.Kong {
	return kong.Must(c,
		kong.Name("holdfast"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(environment(environ)),
	)
}

// complain prints err, which has a line for each of the errors joined in it.
func complain(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "holdfast: ")
		_, _ = fmt.Fprintln(stderr, "holdfast:", line)
	}
}

const description = `Sessions for clusters of Go web servers.

Every flag is also an environment variable (--idle-timeout: HOLDFAST_IDLE_TIMEOUT)
and a key of the TOML file that --config names (idle-timeout = "30m"). A flag wins
over the environment, the environment over the file. A setting that does not exist
stops the start.`
