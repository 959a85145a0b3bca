// Package tomcat reads what Tomcat's files, and the settings of
// memcached-session-manager (msm), say about sessions, and writes it as settings
// of "holdfast app".
package tomcat

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A Config is what was read.
type Config struct {
	Settings []Setting
	Notes    []string // what is not honoured and why, and what is different here
}

// A Setting is the value of a flag of "holdfast app".
type Setting struct {
	Flag, Value string
	Origin      string // where it stands
}

// ReadFile reads a context.xml or a server.xml. context is the path of the
// application, "/shop" or "shop.example.org/shop"; it may be "" if only one has a
// <Manager>. Errors name the place in the file.
func ReadFile(path, context string) (Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	config, err := read(path, string(content), context)
	if err != nil {
		return Config{}, prefixed(path, err)
	}
	return config, nil
}

// prefixed puts the name of the file before each of the errors joined in err.
func prefixed(path string, err error) error {
	var lines []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, fmt.Errorf("%s: %s", path, line))
	}
	return errors.Join(lines...)
}

func read(path, content, context string) (Config, error) {
	root, err := parseXML(strings.NewReader(content))
	if err != nil {
		return Config{}, err
	}
	manager, err := findManager(root, context)
	if err != nil {
		return Config{}, err
	}
	c := &carrier{file: path, given: map[key]given{}}
	if c.class, err = classOf(manager); err != nil {
		return Config{}, err
	}
	c.locate(manager, context)
	c.collect(manager)
	c.carryAll()
	c.compare()
	return c.out, errors.Join(c.wrong...)
}

// FromNames writes settings that have the names of msm's and the cookie's
// attributes, as a config file may hold them. Where msm's default differs,
// Holdfast's is meant.
func FromNames(file string, values map[string]string) (Config, error) {
	c := &carrier{file: file, class: MSM, byName: true, given: map[key]given{}}
	elements := elementsByName()
	for name, value := range values {
		c.give(key{elements[name], name}, value, 0)
	}
	c.carryAll()
	if len(c.wrong) > 0 {
		return Config{}, prefixed(file, errors.Join(c.wrong...))
	}
	return c.out, nil
}

// Names are the names that FromNames takes.
func Names() []string { return slices.Sorted(maps.Keys(elementsByName())) }

// elementsByName has the attributes that mean something without their element.
func elementsByName() map[string]string {
	elements := map[string]string{}
	for _, a := range Attributes() {
		ofManager := a.Element == "Manager" && a.Of&MSM != 0
		ofAnother := a.Flag != "" && (a.Element == "Context" || a.Element == "CookieProcessor" || a.Element == "Engine")
		if (ofManager || ofAnother) && a.Name != "className" {
			elements[a.Name] = a.Element
		}
	}
	return elements
}
