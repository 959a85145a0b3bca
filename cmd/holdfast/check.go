package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// check is what --check does: it makes a manager with the settings, but connects
// to nothing.
func (c *appCommand) check(p *process) error {
	options := c.nodeOptions()
	options.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("--check connects to nothing")
	}
	nodes, err := memcachedstore.Nodes(cmp.Or(c.Nodes, "n1:127.0.0.1:11211"), options)
	if err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	m, err := holdfast.New(nodes, c.options(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	c.report(p)
	return m.Shutdown(p.ctx)
}

// lines tells of each setting, in the order of their names.
func (s settings) lines(flags map[string]*kong.Flag) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		value := s[name].value
		if flags[name].Target.Type() == reflect.TypeFor[secret]() {
			value = fmt.Sprint(secret(value))
		}
		lines = append(lines, fmt.Sprintf("%s = %s    (%s)", name, value, s[name].origin))
	}
	return lines
}

// remarks are what somebody who starts the server should know of its settings.
func (c *appCommand) remarks() []string {
	return slices.Concat(c.carried.notes, c.IgnoreRequest.doubts(), c.Locking.request.doubts())
}

// report is what --check prints.
func (c *appCommand) report(p *process) {
	for _, line := range c.carried.understood {
		p.say("%s", line)
	}
	for _, remark := range c.remarks() {
		p.say("note: %s", remark)
	}
	p.say("The settings are right.")
}
