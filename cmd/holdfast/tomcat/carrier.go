package tomcat

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/spelling"
)

// A key names an attribute by its element.
type key struct{ element, name string }

type given struct {
	value string
	line  int // 0: unknown
}

// A carrier turns attributes into settings.
type carrier struct {
	file      string
	class     Class
	host      string // "" if the file does not say
	path      string // of the application
	pathKnown bool
	byName    bool // the attributes are names in a config file, with Holdfast's defaults
	given     map[key]given
	at        key // the one that is carried
	out       Config
	wrong     []error
}

// collect takes the attributes that concern m: its own and those of what is in it
// and around it.
func (c *carrier) collect(m *element) {
	c.collectFrom(m)
	for _, name := range []string{"SessionIdGenerator", "Store"} {
		c.collectFrom(m.child(name))
	}
	if !c.has("SessionIdGenerator", "jvmRoute") {
		c.collectFrom(m.within("Engine"))
	}
	if context := m.within("Context", "DefaultContext"); context != nil {
		c.collectFrom(context)
		c.collectFrom(context.child("CookieProcessor"))
	}
}

// locate notes where the application is; context is what --context says.
func (c *carrier) locate(m *element, context string) {
	c.host = hostOf(m)
	if c.path, c.pathKnown = pathOf(m); !c.pathKnown && context != "" {
		host, path, _ := strings.Cut(context, "/")
		c.host, c.path, c.pathKnown = cmp.Or(c.host, host), strings.TrimSuffix("/"+path, "/"), true
	}
}

func (c *carrier) collectFrom(e *element) {
	if e == nil {
		return
	}
	name := e.name
	if name == "DefaultContext" {
		name = "Context"
	}
	for _, a := range e.attributes {
		if a.Name.Space != "" || a.Name.Local == "xmlns" { // of XML itself
			continue
		}
		c.give(key{name, a.Name.Local}, a.Value, e.line)
	}
}

func (c *carrier) give(k key, value string, line int) {
	c.given[k] = given{value, line}
}

// value returns what the attribute called name of the manager says, otherwise if
// it is not there.
func (c *carrier) value(name, otherwise string) string {
	if g, ok := c.given[key{"Manager", name}]; ok {
		return g.value
	}
	return otherwise
}

func (c *carrier) has(element, name string) bool {
	_, ok := c.given[key{element, name}]
	return ok
}

// sticky reports whether sessions stay in the memory of a server. Tomcat's own
// managers know nothing else.
func (c *carrier) sticky() bool {
	if c.class != MSM {
		return true
	}
	return strings.EqualFold(c.value("sticky", fmt.Sprint(!c.byName)), "true")
}

// set gives a setting, from the attribute that is carried.
func (c *carrier) set(flag, value string) {
	c.out.Settings = append(c.out.Settings, Setting{flag, value, c.origin()})
}

// note tells what becomes of the attribute that is carried.
func (c *carrier) note(format string, args ...any) {
	c.out.Notes = append(c.out.Notes, c.origin()+": "+fmt.Sprintf(format, args...))
}

// origin is the place of the attribute that is carried.
func (c *carrier) origin() string { return c.file + ": " + c.place() }

func (c *carrier) place() string {
	g, ok := c.given[c.at]
	switch {
	case c.byName:
		return c.at.name
	case !ok:
		return c.at.element
	}
	return fmt.Sprintf("line %d: %s %s", g.line, c.at.element, c.at.name)
}

func (c *carrier) fail(err error) {
	c.wrong = append(c.wrong, fmt.Errorf("%s: %w", c.place(), err))
}

// carryAll goes through what was given, in the order of the file.
func (c *carrier) carryAll() {
	table := map[key]Attribute{}
	for _, a := range Attributes() {
		table[key{a.Element, a.Name}] = a
	}
	order := func(a, b key) int {
		return cmp.Or(cmp.Compare(c.given[a].line, c.given[b].line), cmp.Compare(a.name, b.name))
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.given), order) {
		c.at = k
		if err := c.carry(table, k); err != nil {
			c.fail(err)
		}
	}
}

func (c *carrier) carry(table map[key]Attribute, k key) error {
	a, known := table[k]
	value := c.given[k].value
	switch {
	case !known:
		return c.unknown(table, k)
	case a.carry == nil:
		return nil
	case strings.Contains(value, "${"):
		return errors.New("${…} is filled in by Tomcat from its system properties; write the value itself") // not what it is: it may be a password
	case k.element == "Manager" && a.Of&c.class == 0:
		return fmt.Errorf("%s is a setting of %v, but this is the %v", k.name, a.Of, c.class)
	}
	return a.carry(c, value)
}

// unknown refuses a name that is not in the table. What stands in a Context and
// resembles nothing there may be for a part of Tomcat that is not about sessions.
func (c *carrier) unknown(table map[key]Attribute, k key) error {
	var known []string
	for other := range table {
		if other.element == k.element {
			known = append(known, other.name)
		}
	}
	slices.Sort(known)
	near, ok := spelling.Nearest(k.name, known)
	switch {
	case ok:
		return fmt.Errorf("unknown attribute; did you mean %s?", near)
	case k.element == "Manager":
		return fmt.Errorf("unknown attribute")
	}
	return nil
}

// compare tells what is not in the file and different here.
func (c *carrier) compare() {
	if len(c.wrong) > 0 {
		return
	}
	c.at = key{element: c.class.String()}
	c.compareManager()
	c.compareCookie()
}

func (c *carrier) compareManager() {
	sticky := c.sticky()
	if sticky && !c.has("Manager", "sticky") {
		c.set("sticky", "true")
	}
	if sticky && c.class == MSM && !c.has("Manager", "sessionBackupAsync") {
		c.note(`sessionBackupAsync is not set: there it is true and loses changes when a server dies, here it is false; write sessionBackupAsync="true" for that`)
	}
	if c.class != MSM {
		c.note("%v has no list of cache nodes: give it with --nodes", c.class)
	}
	if sticky && !c.has("Engine", "jvmRoute") && !c.has("SessionIdGenerator", "jvmRoute") {
		c.note("no jvmRoute: unless --route gives one, this server's name in cookies is a random one, and no balancer can know it")
	}
}

func (c *carrier) compareCookie() {
	if strings.Trim(c.path, "/") != "" && !c.has("Context", "sessionCookiePath") {
		c.note("the session cookie goes to the whole site, not only to %s as Tomcat's; --cookie-path=%s changes that", c.path, c.path)
	}
	if !c.has("Context", "sessionCookieName") {
		c.note("the session cookie has Holdfast's own name, not JSESSIONID: a balancer that looks for that needs --cookie-name=JSESSIONID, or sessionCookieName in <Context>")
	}
}
