package tomcat

import (
	"fmt"
	"strings"
)

// A Class is a set of kinds of session managers.
type Class uint8

// The kinds.
const (
	MSM Class = 1 << iota
	Standard
	Persistent

	everyManager = MSM | Standard | Persistent
)

var classes = []struct {
	class Class
	name  string
}{
	{MSM, "de.javakaffee.web.msm.MemcachedBackupSessionManager"},
	{Standard, "org.apache.catalina.session.StandardManager"},
	{Persistent, "org.apache.catalina.session.PersistentManager"},
}

// String names the kinds as their Java classes, without the packages.
func (c Class) String() string {
	var names []string
	for _, row := range classes {
		if c&row.class != 0 {
			names = append(names, row.name[strings.LastIndexByte(row.name, '.')+1:])
		}
	}
	return strings.Join(names, " or ")
}

// classOf returns what m is. Without a className it is a StandardManager to
// Tomcat, which nobody means who lists cache nodes.
func classOf(m *element) (Class, error) {
	name, named := m.attribute("className")
	if _, lists := m.attribute("memcachedNodes"); lists && !named {
		return 0, fmt.Errorf(`line %d: <Manager> has memcachedNodes but no className, so Tomcat takes its StandardManager; write className=%q`, m.line, classes[0].name)
	}
	if !named {
		return Standard, nil
	}
	for _, row := range classes {
		if name == row.name {
			return row.class, nil
		}
	}
	return 0, fmt.Errorf("line %d: <Manager> has className %q: only the settings of %v can be read", m.line, name, everyManager)
}
