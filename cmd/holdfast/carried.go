package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/tomcat"
)

// carried is what an app server tells about settings from elsewhere than its
// command line.
type carried struct {
	notes      []string
	understood []string // "name = value (place)" each
}

// carry adds the settings of the file contextXML to given, which wins over them,
// and replaces those in given that have the names of memcached-session-manager.
func (c *appCommand) carry(given settings, contextXML, context, sticky string, flags map[string]*kong.Flag) (settings, error) {
	all := settings{}
	if contextXML != "" {
		config, err := tomcat.ReadFile(contextXML, context)
		if err != nil {
			return nil, err
		}
		if all, err = c.take(config, flags); err != nil {
			return nil, err
		}
	} else if context != "" {
		return nil, errors.New("--context says which application of --context-xml is meant: give that too, or leave it out")
	}
	sticky = cmp.Or(sticky, given["sticky"].value, all["sticky"].value)
	named, err := c.translate(given, isOn.MatchString(sticky), flags)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, named)
	c.carried.understood = all.lines(flags)
	return all, nil
}

// isOn matches how a flag is switched on.
var isOn = regexp.MustCompile(`(?i)^(true|1|yes)$`)

// translate takes msm's names out of given and puts what they mean in.
func (c *appCommand) translate(given settings, sticky bool, flags map[string]*kong.Flag) (settings, error) {
	values, file := map[string]string{}, ""
	for _, name := range tomcat.Names() {
		if g, ok := given[name]; ok && flags[name] == nil {
			values[name], file = g.value, strings.TrimSuffix(g.origin, ": "+name)
			delete(given, name)
		}
	}
	if len(values) == 0 {
		return given, nil
	}
	values["sticky"] = fmt.Sprint(sticky)
	config, err := tomcat.FromNames(file, values)
	if err != nil {
		return nil, err
	}
	translated, err := c.take(config, flags)
	if err != nil {
		return nil, err
	}
	delete(translated, "sticky")
	return translated, translated.merge(given)
}

// merge adds what was given under its own name. The environment wins, but a file
// that has both names of one setting is wrong.
func (s settings) merge(given settings) error {
	var wrong []error
	for name, g := range given {
		if other, ok := s[name]; ok && !strings.HasPrefix(g.origin, variablePrefix) {
			wrong = append(wrong, fmt.Errorf("%s and %s are the same setting: leave one out", g.origin, other.origin))
		}
		s[name] = g
	}
	return errors.Join(wrong...)
}

// take checks the settings of config and keeps its notes.
func (c *appCommand) take(config tomcat.Config, flags map[string]*kong.Flag) (settings, error) {
	found, wrong := settings{}, []error{}
	for _, s := range config.Settings {
		given := setting{s.Value, s.Origin}
		if other, ok := found[s.Flag]; ok && other.value != s.Value {
			wrong = append(wrong, fmt.Errorf("%s and %s contradict each other", other.origin, s.Origin))
		}
		found[s.Flag] = given
		wrong = append(wrong, given.check(flags[s.Flag]))
	}
	c.carried.notes = append(c.carried.notes, config.Notes...)
	return found, errors.Join(wrong...)
}
