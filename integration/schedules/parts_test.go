package schedules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestAScheduleIsTheSameFromItsText(t *testing.T) {
	for _, mode := range Modes() {
		s := Generate(7, mode, 50)
		again, err := Parse(s.String())
		if err != nil {
			t.Fatal(err)
		}
		if again.String() != s.String() {
			t.Errorf("%s:\n%s\nbecame\n%s", mode, s, again)
		}
	}
}

// A node that ignores compare-and-set loses updates: the history must show it, and
// the schedule must still show it when it is shrunk.
func TestAPlantedDefectIsFoundAndShrunk(t *testing.T) {
	s, err := Parse("schedule seed=1 mode=non-sticky-2 nodes=3\n" + strings.Repeat("9 u1 update:n@app1 update:n@app2 update:n@app3\n", 12))
	if err != nil {
		t.Fatal(err)
	}
	fails := func(s *Schedule) bool { return playInBubble(t, s, false, unconditional).Err != nil }
	if !fails(s) {
		t.Fatal("nodes that ignore compare-and-set lose no update")
	}
	if r := playInBubble(t, s, false, sane); r.Err != nil {
		t.Fatalf("and with sane nodes: %v", r.Err)
	}
	small := shrink(s, 60, fails)
	if len(small.Steps) > 3 || !slices.ContainsFunc(small.Steps, func(s Step) bool { return len(s.Words) > 2 }) {
		t.Errorf("shrunk to\n%s", small)
	}
}

// Each fault strikes where it was told to, and nothing is lost by it.
func TestEachFaultHappensAndIsMended(t *testing.T) {
	for _, mode := range Modes() {
		g := &generator{Schedule: Schedule{Nodes: 3}}
		g.mode, _ = modeOf(mode)
		for _, name := range g.possible() {
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				tellsOfItsFault(t, mode, name)
			})
		}
	}
}

func tellsOfItsFault(t *testing.T, mode, name string) {
	after := " after=2"
	if faults()[name].waits {
		after = ""
	}
	s, err := Parse(fmt.Sprintf("schedule seed=3 mode=%s nodes=3\n", mode) +
		"1 u1 update:n@app1\n2 u2 set:a@app2\n3 fault " + name + " home:u1 route:u1" + after +
		"\n4 u1 update:n@route update:n@route\n5 u1 update:n@route\n6 u2 read:a@app2\n7 mend\n8 u1 update:n@route read:n@route\n")
	if err != nil {
		t.Fatal(err)
	}
	r := playInBubble(t, s, true, sane)
	if r.Err != nil {
		t.Errorf("%v\n%s", r.Err, r.Story)
	}
	for _, want := range []string{"FAULT " + name, "MEND " + name} {
		if !strings.Contains(r.Story, want) {
			t.Errorf("no %s in\n%s", want, r.Story)
		}
	}
}

// A generated schedule has every fault and every operation some time.
func TestSchedulesHaveEverything(t *testing.T) {
	missing := map[string]bool{"mend": true, "skip": true, "expire": true}
	for name := range faults() {
		missing["fault "+name] = true
	}
	for kind := range kinds {
		missing[kind] = true
	}
	for seed := range uint64(400) {
		s := Generate(seed, Modes()[seed%5], 50)
		if len(s.Steps) < 50 {
			t.Fatalf("%d steps:\n%s", len(s.Steps), s)
		}
		for _, step := range s.Steps {
			delete(missing, step.Words[0])
			delete(missing, step.Words[0]+" "+step.Words[1%len(step.Words)])
			for _, word := range step.Words[1:] {
				kind, _, _ := strings.Cut(strings.ReplaceAll(word, "@", ":"), ":")
				delete(missing, kind)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no schedule has %q", slices.Sorted(maps.Keys(missing)))
	}
}

func TestWhatIsNoScheduleIsRefused(t *testing.T) {
	const head = "schedule seed=1 mode=locks nodes=2\n"
	for name, text := range map[string]string{
		"nothing":        "",
		"no such mode":   "schedule seed=1 mode=loose nodes=2\n",
		"no number":      head + "u1 read:a@app1\n",
		"only a number":  head + "1\n",
		"no operation":   head + "1 u1 read\n",
		"no such fault":  head + "1 fault rust home:u1\n",
		"no such client": head + "1 u9 read:a@app1\n",
		"no duration":    head + "1 skip tea\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(text)
			if err == nil {
				err = playInBubble(t, s, false, sane).Err
			}
			if err == nil {
				t.Errorf("%q is played", text)
			}
		})
	}
}
