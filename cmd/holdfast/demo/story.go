package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A world is what is known of the cluster when a story is told.
type world struct {
	sticky bool
	parts  []part
}

// emptyFor is how long an emptied node is the cause of what happens.
const emptyFor = 30 * time.Second

// tell is what became of a session between two sights of it, as a sentence: "" if
// nothing did.
func (w world) tell(before sight, now *sight) string {
	if before.ID == "" {
		return begun(*now)
	}
	var all []string
	if before.Server != now.Server && (w.sticky || w.failed(before.Server) != "") {
		all = append(all, w.otherServer(before, *now)...)
	}
	switch {
	case before.Home != now.Home:
		all = append(all, w.otherHome(before, *now)...)
	case !slices.Equal(before.Copies, now.Copies):
		all = append(all, w.otherCopies(before, *now)...)
	case len(all) == 0:
		all = w.sameInMemory(now)
	}
	return sentence(all)
}

func begun(now sight) string {
	if len(now.Copies) == 0 {
		return fmt.Sprintf("%s has your session. It lies on %s, and nowhere else.", now.Server, now.Home)
	}
	return fmt.Sprintf("%s has your session. It lies on %s, with a copy on %s.", now.Server, now.Home, listed(now.Copies))
}

func (w world) otherServer(before, now sight) (all []string) {
	if cause := w.failed(before.Server); cause != "" {
		all = append(all, cause)
	}
	if w.sticky {
		return append(all, now.Server+" took your session over from the nodes")
	}
	return append(all, now.Server+" answers you, from the same nodes")
}

func (w world) otherHome(before, now sight) (all []string) {
	if cause := w.failed(before.Home); cause != "" {
		all = append(all, cause)
	}
	if slices.Contains(before.Copies, now.Home) {
		all = append(all, "your session is served from its copy on "+now.Home)
	} else {
		all = append(all, "your session has its home on "+now.Home+" now")
	}
	if now.newCookie {
		all = append(all, "new hint in your cookie")
	}
	if added := without(now.Copies, append(before.Copies, before.Home)); len(added) > 0 {
		all = append(all, "new copy on "+listed(added))
	}
	return all
}

func (w world) otherCopies(before, now sight) (all []string) {
	gone, added := without(before.Copies, now.Copies), without(now.Copies, before.Copies)
	for _, name := range gone {
		if cause := w.failed(name); cause != "" {
			all = append(all, cause)
		}
	}
	switch {
	case len(added) > 0:
		return append(all, fmt.Sprintf("your session stays on %s and has a new copy on %s", now.Home, listed(added)))
	case len(now.Copies) > 0:
		return append(all, fmt.Sprintf("your session is on %s and %s now", now.Home, listed(now.Copies)))
	}
	return append(all, fmt.Sprintf("your session is on %s alone now", now.Home))
}

// sameInMemory tells once that the failure of a node was not noticed.
func (w world) sameInMemory(now *sight) []string {
	cause := w.failed(now.Home)
	if cause == "" {
		now.toldOf = ""
	}
	if cause == "" || !w.sticky || now.toldOf == now.Home {
		return nil
	}
	now.toldOf = now.Home
	if w.isUp(now.Home) {
		return []string{cause, now.Server + " has your session in its memory, and puts it there again"}
	}
	return []string{cause, now.Server + " has your session in its memory and asks no node; the next change finds it another home"}
}

// failed says what is the matter with a part, or "".
func (w world) failed(name string) string {
	for _, p := range w.parts {
		switch {
		case p.name != name:
		case p.state == dead:
			return name + " died"
		case p.state == frozen:
			return name + " hangs"
		case !p.emptied.IsZero() && time.Since(p.emptied) < emptyFor:
			return name + " was emptied"
		}
	}
	return ""
}

func (w world) isUp(name string) bool {
	return slices.ContainsFunc(w.parts, func(p part) bool { return p.name == name && p.state == up })
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

func listed(names []string) string { return strings.Join(names, " and ") }

func sentence(clauses []string) string {
	if len(clauses) == 0 {
		return ""
	}
	text := strings.Join(clauses, "; ") + "."
	return text
}
