package protocolmodel

import (
	"reflect"
	"strings"
	"testing"
)

// needed says, for each rule, in which configuration its absence is found.
var needed = []struct {
	rule   string
	config Config
}{
	{"ConditionalCopies", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"AwaitCopies", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"HeedRefusal", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"HomeFirstIfAhead", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"ConfirmDegraded", one(2, Faults{Crashes: 2, Repaired: true}, Writer, Writer)},
	{"SettleEverywhere", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"RaiseUnheard", hangThenCrash},
	{"SettleRaised", hangThenCrash},
	{"CommitIDs", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"ForgottenIsError", one(2, Faults{Silences: 1}, Writer, Writer).and(oneID)},
	{"UnsureIfSent", one(2, Faults{}, Writer, Writer).and(oneID)},
	{"DoubtByEpoch", one(2, Faults{Crashes: 1}, Writer, Writer, Writer).and(oneID)},
	{"DoneInEpoch", one(2, Faults{Crashes: 1}, Writer, Writer).and(oneID)},
	{"DoubtByHome", one(2, Faults{Silences: 1}, Writer, Writer).and(oneID)},
	{"BoundVersions", one(2, Faults{Crashes: 2, Repaired: true}, Writer, Writer)},
	{"DoubtHint", one(3, Faults{Crashes: 1}, Reader, Reader).and(buried)},
	{"AskAll", one(3, Faults{Crashes: 1}, Writer, Writer).and(moved)},
	{"AbsentByAll", one(2, Faults{Silences: 1}, Reader).and(emptied)},
	{"MembersSpeak", one(3, Faults{Silences: 2}, Writer, Writer).and(fenced)},
	{"MembersSpeak", one(3, Faults{Silences: 2}, Writer, Reader).and(fenced)},
	{"HomeIsBase", one(2, Faults{Silences: 1}, Writer, Writer, Writer)},
	{"HomeAskedAgain", one(2, Faults{}, Writer, Writer, Writer).and(parted)},
	{"MembersFirst", one(3, Faults{Crashes: 1}, Writer, Writer).and(drains(n2, n2))},
	{"EpochFirst", one(2, Faults{Silences: 1}, Writer, Writer, Writer)},
	{"EmptyHomeSilent", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"NewEpoch", one(2, Faults{Silences: 1}, Writer, Writer)},
	{"DecideFirst", one(2, Faults{Crashes: 1}, Writer, Writer)},
	{"ForcedFurther", one(3, Faults{Silences: 2, Node: 1}, Writer, Writer).and(drains(n2, n2))},
	{"FenceLeaving", one(3, Faults{Crashes: 1}, Writer, Writer).and(drains(n2, 0))},
	{"Arbiter", one(3, Faults{}, Writer, Writer).and(apart)},
	{"Arbiter", one(3, Faults{Silences: 2}, Writer, Writer)},
	{"ListUnheard", one(3, Faults{}, Writer, Writer, Reader).and(apart).and(probing)},
	{"UnknownIsError", one(3, Faults{Crashes: 1}, Writer, Writer).and(lacks(n1, 0))},
	{"CreateFurther", one(2, Faults{Hangs: 1}, Creator, Writer, Writer).and(unborn)},
	{"ReadRepair", one(2, Faults{Crashes: 2, Used: true}, Reader, Reader)},
	{"Tombstones", one(2, Faults{}, Writer, Destroyer)},
	{"TombstonesOnCopies", one(2, Faults{Crashes: 1}, Writer, Destroyer)},
	{"TombstonesOnAll", one(3, Faults{Crashes: 2}, Destroyer, Reader).and(moved)},
	{"ConfirmBurial", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Reader)},
	{"ConfirmBurial", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Writer)},
	{"ConditionalTombstones", one(2, Faults{}, Renewer, Destroyer)},
	{"TouchBehind", one(2, Faults{}, Writer, Reader).and(lives(6)).and(resets(4))},
	{"TouchAll", one(2, Faults{Crashes: 1}, Reader, Reader).and(lives(6))},
	{"TouchTruth", one(2, Faults{Crashes: 1}, Writer, Reader).and(lives(6)).and(resets(4))},
	{"TouchChecks", one(2, Faults{}, Writer, Reader).and(lives(6)).and(resets(4))},
	{"LongestLife", one(2, Faults{Silences: 1}, Reader, Reader).and(lives(6)).and(slack(2))},
	{"TombstoneOutlives", one(2, Faults{Silences: 1}, Destroyer, Reader).and(lives(6))},
	{"LongestTTL", one(2, Faults{Silences: 1}, Writer, Reader).and(lives(6)).and(resets(1))},
	{"QueueTombstones", one(2, Faults{Hangs: 1}, Destroyer, Writer).and(lives(6))},
	{"QueueTombstones", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Reader)},
	{"TombstonesFirst", one(3, Faults{Hangs: 1}, Creator, Destroyer).and(lives(6)).and(unborn)},
	{"TombstonesWait", one(3, Faults{Hangs: 1}, Creator, Destroyer).and(lives(6)).and(unborn)},
	{"AliasDecides", one(2, Faults{}, Renewer, Writer)},
	{"SettleAlias", one(2, Faults{Crashes: 1}, Renewer, Writer)},
}

// unshown are rules whose absence no configuration has shown: docs/protocol.md
// says so, and TestExhaustiveUnshown where it was looked for.
var unshown = []string{"OneDecider", "OwnValue"}

func TestExhaustiveUnshown(t *testing.T) {
	if !*full {
		t.Skip("takes minutes: give -full")
	}
	for _, faults := range []Faults{{Crashes: 1}, {Silences: 1}, {Crashes: 1, Deaths: 1}} {
		for _, rule := range unshown {
			r := Check(without(t, big(one(3, faults, Writer, Writer).and(three)), rule))
			t.Logf("without %s, %+v: %d states, all of them: %v", rule, faults, r.States, r.Complete)
			if r.Broken != "" {
				t.Errorf("found, so it is needed: %s:\n%s", r.Broken, strings.Join(r.Trace, "\n"))
			}
		}
	}
}

// TestEachRuleIsNeeded takes one rule away. With -v it tells the shortest story.
func TestEachRuleIsNeeded(t *testing.T) {
	for _, c := range needed {
		t.Run(c.rule, func(t *testing.T) {
			with := c.config
			with.MaxStates = 250_000
			if r := Check(with); r.Broken != "" {
				t.Errorf("with all rules: %s:\n%s", r.Broken, strings.Join(r.Trace, "\n"))
			}
			r := Check(without(t, c.config, c.rule))
			if r.Broken == "" {
				t.Fatalf("no promise is broken without it, in %d states (all of them: %v)", r.States, r.Complete)
			}
			t.Logf("%s, found in %d states:\n%s", r.Broken, r.States, strings.Join(r.Trace, "\n"))
		})
	}
}

func without(t *testing.T, c Config, rule string) Config {
	t.Helper()
	field := reflect.ValueOf(&c.Rules).Elem().FieldByName(rule)
	if !field.IsValid() || !field.Bool() {
		t.Fatalf("there is no rule %s that is on", rule)
	}
	field.SetBool(false)
	return c
}

func TestAllRulesAreOnAndTried(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range needed {
		tried[c.rule] = true
	}
	for _, rule := range unshown {
		tried[rule] = true
	}
	for f, on := range reflect.ValueOf(AllRules()).Fields() {
		if !on.Bool() {
			t.Errorf("AllRules is without %s", f.Name)
		}
		if !tried[f.Name] {
			t.Errorf("no configuration tries without %s", f.Name)
		}
	}
}

// outside are configurations beyond the promise: the model finds how it breaks.
// A story that is gone is news for docs/protocol.md.
var outside = []question{
	{"one server is cut off from the home, the other from the copy", one(2, Faults{Silences: 2}, Writer, Writer)},
	{"one server is cut off from the copy, then the home crashes", one(2, Faults{Silences: 1, Crashes: 1}, Writer, Writer)},
	{"a node hangs over a destroy, later the other dies", one(2, Faults{Crashes: 1}, Reader).and(buried)},
	{"both members crash before repair", one(2, Faults{Crashes: 2}, Writer, Writer)},
	{"two crashes during one READ, the second after repair", one(2, Faults{Crashes: 2, Repaired: true, MidRead: true}, Writer, Reader)},
	{"a server does not know the new home, which crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(moved).and(lacks(n3, 0))},
	{"two servers are cut off from different members, and one from the third node", one(3, Faults{Silences: 1}, Writer, Writer).and(apart)},
	{"two servers lose answers of different members, and the third node dies", one(3, Faults{Silences: 2, Crashes: 1}, Writer, Writer)},
	{"a server hears no node but one with memory of before a move", one(3, Faults{Silences: 2}, Writer, Writer).and(moved)},
	{"one server alone drains the home, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(drains(n1, 0))},
	{"a node hangs over a destroy, and the destroyer's server dies before it is back", one(2, Faults{Hangs: 1, Deaths: 1}, Destroyer, Writer).and(lives(6))},
	{"a node hangs for longer than a tombstone lives, with an add from before", one(3, Faults{Hangs: 1, Node: 3}, Writer, Destroyer).and(lives(6)).and(drains(n2, n2))},
	{"a node hangs for longer than a session may be idle, with a write or a touch from before", one(2, Faults{Hangs: 1}, Writer, Reader).and(lives(6)).and(strict)},
	{"a server dies between an answer and its touches", one(2, Faults{Deaths: 1}, Reader, Reader).and(lives(6))},
	{"a node hangs over a destroy, the other crashes before it is back", one(2, Faults{Hangs: 1, Crashes: 1}, Destroyer, Reader)},
}

func TestOutsideThePromise(t *testing.T) {
	for _, q := range outside {
		t.Run(q.name, func(t *testing.T) {
			r := Check(q.config)
			if r.Broken == "" {
				t.Fatalf("the promise holds in %d states (all of them: %v): say so in docs/protocol.md", r.States, r.Complete)
			}
			t.Logf("%s, found in %d states:\n%s", r.Broken, r.States, strings.Join(r.Trace, "\n"))
		})
	}
}
