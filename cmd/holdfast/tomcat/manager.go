package tomcat

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// findManager returns the <Manager> of the application called context; "" is the
// only one there is.
func findManager(root *element, context string) (*element, error) {
	managers := slices.Collect(func(yield func(*element) bool) {
		for e := range root.all() {
			if e.name == "Manager" && !yield(e) {
				return
			}
		}
	})
	switch {
	case len(managers) == 0:
		return nil, noManager(root)
	case context == "" && len(managers) > 1:
		return nil, fmt.Errorf("several applications have a <Manager>: choose one with --context: %s", listed(managers))
	case context == "":
		return managers[0], nil
	}
	return chosen(managers, context)
}

func noManager(root *element) error {
	for e := range root.all() {
		if strings.EqualFold(e.name, "Manager") {
			return fmt.Errorf("line %d: <%s> means nothing to Tomcat; write <Manager>", e.line, e.name)
		}
	}
	return errors.New("there is no <Manager> in it: is it the file with the session manager's settings? (comments do not count)")
}

// chosen returns the one of managers that serves context, which is a path or,
// for files with several hosts, a host and a path. Those that say no path, such as
// in a context.xml, serve any.
func chosen(managers []*element, context string) (*element, error) {
	for _, matches := range []func(*element) bool{
		func(m *element) bool { path, known := pathOf(m); return known && samePath(context, path) },
		func(m *element) bool { path, known := pathOf(m); return known && samePath(context, hostOf(m)+path) },
		func(m *element) bool { _, known := pathOf(m); return !known },
	} {
		found := slices.Collect(func(yield func(*element) bool) {
			for _, m := range managers {
				if matches(m) && !yield(m) {
					return
				}
			}
		})
		if len(found) > 1 {
			return nil, fmt.Errorf("--context %s: several <Manager> serve it: choose one of %s", context, listed(found))
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return nil, fmt.Errorf("--context %s: no <Manager> serves it; choose one of %s", context, listed(managers))
}

// pathOf returns the path of the application that m serves, "" for the root.
func pathOf(m *element) (path string, known bool) {
	if context := m.within("Context"); context != nil {
		return context.attribute("path")
	}
	return "", false
}

func hostOf(m *element) string {
	if host := m.within("Host"); host != nil {
		name, _ := host.attribute("name")
		return name
	}
	return ""
}

func samePath(a, b string) bool {
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

func listed(managers []*element) string {
	var names []string
	for _, m := range managers {
		path, known := pathOf(m)
		name := hostOf(m) + cmp.Or(path, "/")
		if !known {
			name = "one without a path"
		}
		names = append(names, fmt.Sprintf("%s (line %d)", name, m.line))
	}
	return strings.Join(names, ", ")
}
