package schedules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Generate makes a schedule of so many steps from its seed. One fault at a time is
// outstanding, which is what the promises speak of.
func Generate(seed uint64, modeName string, steps int) *Schedule {
	m, err := modeOf(modeName)
	if err != nil {
		panic(err)
	}
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), mode: m}
	g.Schedule = Schedule{Seed: seed, Mode: modeName, Nodes: 2 + g.IntN(2)}
	for len(g.Steps) < steps {
		g.next(steps - len(g.Steps))
	}
	return &g.Schedule
}

type generator struct {
	*rand.Rand
	Schedule
	mode   mode
	broken int // steps since the fault; 0: all is well
}

func (g *generator) add(words ...string) {
	g.Steps = append(g.Steps, Step{len(g.Steps) + 1, words})
	if g.broken > 0 {
		g.broken++
	}
}

func (g *generator) next(left int) {
	const shortest = 4 // with a fault: that, something, and its repair
	dice := g.IntN(100)
	switch {
	case g.broken > 0 && (left == 1 || g.broken > 3 && dice < 25):
		g.broken = 0
		g.add("mend")
	case g.broken == 0 && left >= shortest && dice < 20 && len(g.Steps) > 2:
		g.addFault()
	case dice >= 98:
		g.add("skip", fmt.Sprint(1+g.IntN(20), "s"))
	case dice == 97 && g.broken == 0 && g.IntN(3) == 0:
		g.add("expire", g.user())
	case dice >= 70:
		g.add(append([]string{g.user()}, g.burst()...)...)
	default:
		g.add(g.user(), g.single())
	}
}

func (g *generator) user() string { return fmt.Sprint("u", 1+g.IntN(userCount)) }
func (g *generator) app() string  { return fmt.Sprint("app", 1+g.IntN(serverCount)) }

// single is one operation.
func (g *generator) single() string {
	server := g.app()
	if g.mode.sticky() && g.IntN(4) > 0 {
		server = "route"
	}
	return g.pick("update 30 set 18 read 22 delete 5 login 5 renew 5 logout 3 former 5 ghost 5") + "@" + server
}

// burst is some operations at the same moment. In sticky mode a browser's requests go
// to one server: with two at work the older of two cookies may be the last to come.
func (g *generator) burst() (all []string) {
	kinds := "update 50 set 25 read 15 delete 4 renew 3 login 2"
	if g.IntN(10) == 0 {
		kinds = "update 50 set 25 read 15 delete 4 renew 3 logout 5"
	}
	for range 2 + g.IntN(3) {
		server := g.app()
		if g.mode.sticky() {
			server = "route"
		}
		all = append(all, g.pick(kinds)+"@"+server)
	}
	return all
}

// pick chooses by weight, and adds a key to what needs one.
func (g *generator) pick(weighted string) string {
	words := strings.Fields(weighted)
	sum := 0
	for i := 1; i < len(words); i += 2 {
		sum += atoi(words[i])
	}
	dice := g.IntN(sum)
	for i := 0; ; i += 2 {
		if dice -= atoi(words[i+1]); dice < 0 {
			return g.withKey(words[i])
		}
	}
}

func (g *generator) withKey(kind string) string {
	switch kind {
	case "update", "hold":
		return kind + ":" + counter
	case "set", "delete":
		return kind + ":" + []string{"a", "b"}[g.IntN(2)]
	case "read", "former", "ghost":
		return kind + ":" + []string{"a", "b", counter}[g.IntN(3)]
	}
	return kind
}

func (g *generator) addFault() {
	if g.mode.name == "locks" && g.IntN(4) == 0 {
		g.standStill()
		return
	}
	names := g.possible()
	name := names[g.IntN(len(names))]
	f := faults()[name]
	user := g.user()
	roles := []string{"home:", "copy:"}
	if g.Nodes > 2 && g.IntN(8) == 0 {
		roles = []string{"spare:"}
	}
	server := g.app()
	if g.mode.sticky() {
		server = "route:" + user
	}
	words := []string{"fault", name, roles[g.IntN(len(roles))] + user, server}
	if !f.waits && g.IntN(4) > 0 {
		words = append(words, fmt.Sprint("after=", 1+g.IntN(8)))
	}
	g.add(words...)
	g.broken = 1
	g.met(name, user, server)
}

// standStill cuts a server off from all nodes while one of its requests has a lock, for
// longer than the lease.
func (g *generator) standStill() {
	user, server := g.user(), g.app()
	g.add("fault", []string{"cutoff", "lonely"}[g.IntN(2)], server, fmt.Sprint("after=", 5+g.IntN(6)))
	g.broken = 1
	g.add(user, "hold:"+counter+"@"+server)
}

// met has requests meet the fault, on the server that it is about.
func (g *generator) met(name, user, server string) {
	switch {
	case g.mode.name == "locks" && g.IntN(2) == 0:
		g.add(user, "hold:"+counter+"@"+server, "update:"+counter+"@"+g.app())
	case g.mode.sticky() && (name == "crash" || name == "stop"):
		g.add(user, "update:"+counter+"@route")
	default:
		g.add(append([]string{user}, g.burst()...)...)
	}
}

// possible is the faults that the mode's promises speak of.
func (g *generator) possible() (names []string) {
	for name, f := range faults() {
		switch {
		case f.loses && g.mode.alone():
		case g.mode.sticky() && (name == "cutoff" || name == "lonely"): // such a server goes on alone, as docs/modes.md has it
		case (name == "remove" || name == "drain") && g.Nodes == 2 && !g.mode.alone():
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // of our own
	return n
}
