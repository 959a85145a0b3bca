package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/tomcat"
)

//go:generate go test -run TestSettingsDocumentIsUpToDate -update .

// An environment is the process's: "NAME=value" each.
type environment []string

// variablePrefix begins the names of the environment variables that are ours.
const variablePrefix = "HOLDFAST_"

// A setting is the value of a flag that was given elsewhere than on the
// command line.
type setting struct {
	value  string
	origin string // the variable, or the file and key, for messages
}

// settings are kept by the name of the flag. As a kong.Resolver they give
// values to the flags that the command line left alone.
type settings map[string]setting

// BeforeResolve adds the settings of the environment and of the config file to
// the command line just parsed.
func (c *commands) BeforeResolve(line *kong.Context, env environment) error {
	flags := settableFlags(line.Selected())
	if len(flags) == 0 {
		return nil
	}
	fromEnv, err := env.settings(flags, everyFlagName(line.Model.Node))
	if err != nil {
		return err
	}
	given := func(name string, from settings) string {
		if text, _ := line.FlagValue(flags[name]).(string); text != "" {
			return text
		}
		return from[name].value
	}
	all, err := fileSettings(given("config", fromEnv), flags)
	if err != nil {
		return err
	}
	maps.Copy(all, fromEnv)
	if _, ok := flags["context-xml"]; ok {
		if all, err = c.App.carry(all, given("context-xml", all), given("context", all), stickyFlag(line, flags), flags); err != nil {
			return err
		}
	}
	line.AddResolver(all)
	return nil
}

// stickyFlag is what the command line says of --sticky, "" if nothing.
func stickyFlag(line *kong.Context, flags map[string]*kong.Flag) string {
	for _, at := range line.Path {
		if at.Flag == flags["sticky"] {
			return fmt.Sprint(line.FlagValue(at.Flag))
		}
	}
	return ""
}

// Validate is part of kong.Resolver. All was checked when it was read.
func (settings) Validate(*kong.Application) error { return nil }

// Resolve returns the value of flag, nil if it was not set.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if given, ok := s[flag.Name]; ok {
		return given.value, nil
	}
	return nil, nil
}

// settings picks ours out of the environment: those of flags, the command that
// runs. The settings of other commands are left alone, names that are no
// command's are errors.
func (env environment) settings(flags map[string]*kong.Flag, known []string) (settings, error) {
	found, wrong := settings{}, []error{}
	for _, entry := range env {
		variable, value, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(variable, variablePrefix)
		if !ours || notSetting.MatchString(entry) {
			continue
		}
		name := strings.ReplaceAll(strings.ToLower(rest), "_", "-")
		switch flag, here := flags[name]; {
		case here && variable == variableOf(name):
			found[name] = setting{value, variable}
			wrong = append(wrong, found[name].check(flag))
		case !slices.Contains(known, name) || variable != variableOf(name):
			wrong = append(wrong, unknown("environment variable", variable, mapped(known, variableOf)))
		}
	}
	return found, errors.Join(wrong...)
}

// notSetting matches the entries with our prefix that are not settings: the
// switches of this project's tests, and what Kubernetes sets in every container
// for a service whose name begins with "holdfast".
var notSetting = regexp.MustCompile(`^HOLDFAST_(REQUIRE_SERVERS|TEST_.+|` +
	`(.+_)?SERVICE_(HOST|PORT(_.+)?)|(.+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|(.+_)?PORT=(tcp|udp|sctp)://.*)(=|$)`)

func variableOf(name string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// fileSettings reads the config file at path. No path is no settings.
func fileSettings(path string, flags map[string]*kong.Flag) (settings, error) {
	if path == "" {
		return settings{}, nil
	}
	var keys map[string]any
	if _, err := toml.DecodeFile(path, &keys); err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(flags)), func(name string) bool { return name == "config" })
	if _, ok := flags["context-xml"]; ok {
		known = append(known, tomcat.Names()...)
	}
	found, wrong := settings{}, []error{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, key) {
			wrong = append(wrong, unknown("setting in "+path+":", key, known))
			continue
		}
		given, err := fileSetting(path, key, keys[key])
		if flag, ok := flags[key]; ok && err == nil {
			err = given.check(flag)
		}
		found[key] = given
		wrong = append(wrong, err)
	}
	return found, errors.Join(wrong...)
}

func fileSetting(path, key string, value any) (setting, error) {
	origin := path + ": " + key
	switch value.(type) {
	case string, bool, int64:
		return setting{fmt.Sprint(value), origin}, nil
	}
	return setting{}, fmt.Errorf(`%s: write the value in quotes, as for the flag: %s = "…"`, origin, key)
}

// check tries the value on a scratch copy of the flag, so that a message names
// the place where the value stands, also when a flag would win over it.
func (s setting) check(flag *kong.Flag) error {
	scratch := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(s.value, kong.FlagValueToken)
	err := flag.Parse(scan, scratch)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s", s.origin, strings.TrimPrefix(err.Error(), "--"+flag.Name+": "))
}

// settableFlags returns the flags of command by name, none for no command.
func settableFlags(command *kong.Node) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	if command == nil {
		return flags
	}
	for _, group := range command.AllFlags(false) {
		for _, flag := range group {
			if flag.Name != "help" {
				flags[flag.Name] = flag
			}
		}
	}
	return flags
}

// everyFlagName returns the names of the flags of all commands below root.
func everyFlagName(root *kong.Node) []string {
	names := map[string]bool{}
	for _, command := range root.Leaves(false) {
		for name := range settableFlags(command) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
