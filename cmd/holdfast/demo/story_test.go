package demo

import (
	"testing"
	"time"
)

func TestStoryTellsWhatBecameOfTheSession(t *testing.T) {
	at := func(server, home string, copies ...string) sight {
		return sight{ID: "x", Server: server, Home: home, Copies: copies}
	}
	withCookie := func(s sight) sight { s.newCookie = true; return s }
	for name, c := range map[string]struct {
		sticky      bool
		dead        string
		before, now sight
		want        string
	}{
		"it was not seen before":      {false, "", sight{}, at("app1", "n1", "n2"), "app1 has your session. It lies on n1, with a copy on n2."},
		"nor has it copies":           {false, "", sight{}, at("app1", "n1"), "app1 has your session. It lies on n1, and nowhere else."},
		"nothing happened":            {false, "", at("app1", "n1", "n2"), at("app1", "n1", "n2"), ""},
		"another server's turn":       {false, "", at("app1", "n1", "n2"), at("app2", "n1", "n2"), ""},
		"a server died":               {false, "app1", at("app1", "n1", "n2"), at("app2", "n1", "n2"), "app1 died; app2 answers you, from the same nodes."},
		"a server with memory died":   {true, "app1", at("app1", "n1", "n2"), at("app2", "n1", "n2"), "app1 died; app2 took your session over from the nodes."},
		"the balancer was not sticky": {true, "", at("app1", "n1", "n2"), at("app2", "n1", "n2"), "app2 took your session over from the nodes."},
		"the home died": {
			false, "n1", at("app1", "n1", "n2"), withCookie(at("app1", "n2", "n3")),
			"n1 died; your session is served from its copy on n2; new hint in your cookie; new copy on n3.",
		},
		"it moved":                       {false, "", at("app1", "n1"), at("app1", "n3"), "your session has its home on n3 now."},
		"a copy died":                    {false, "n2", at("app1", "n1", "n2"), at("app1", "n1", "n3"), "n2 died; your session stays on n1 and has a new copy on n3."},
		"a copy died, and no node left":  {false, "n2", at("app1", "n1", "n2"), at("app1", "n1"), "n2 died; your session is on n1 alone now."},
		"more copies":                    {false, "", at("app1", "n1", "n2"), at("app1", "n1", "n2", "n3"), "your session stays on n1 and has a new copy on n3."},
		"fewer copies":                   {false, "", at("app1", "n1", "n2", "n3"), at("app1", "n1", "n2"), "your session is on n1 and n2 now."},
		"the home died, and nobody asks": {true, "n1", at("app1", "n1", "n2"), at("app1", "n1", "n2"), "n1 died; app1 has your session in its memory and asks no node; the next change finds it another home."},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{c.sticky, []part{{name: c.dead, state: dead}}}
			if got := w.tell(c.before, &c.now); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if again := w.tell(c.now, &c.now); again != "" {
				t.Errorf("and then again %q", again)
			}
		})
	}
}

func TestStoryNamesTheCause(t *testing.T) {
	for want, p := range map[string]part{
		"":               {name: "n1", state: up},
		"n1 died":        {name: "n1", state: dead, emptied: time.Now()},
		"n1 hangs":       {name: "n1", state: frozen},
		"n1 was emptied": {name: "n1", state: up, emptied: time.Now()},
	} {
		if got := (world{parts: []part{p}}).failed("n1"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w, now := world{sticky: true, parts: []part{{name: "n1", state: up, emptied: time.Now()}}}, sight{ID: "x", Server: "app1", Home: "n1"}
	if got, want := w.tell(now, &now), "n1 was emptied; app1 has your session in its memory, and puts it there again."; got != want {
		t.Errorf("in memory: got %q, want %q", got, want)
	}
	long := part{name: "n1", state: up, emptied: time.Now().Add(-2 * emptyFor)}
	if got := (world{parts: []part{long}}).failed("n1"); got != "" {
		t.Errorf("long after it was emptied: got %q", got)
	}
}
