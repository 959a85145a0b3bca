package history

import (
	"slices"
	"strings"
	"testing"
)

// A scene is operations one after the other, on session s where none is named.
func scene(ops ...Op) []Op {
	ops = slices.Clone(ops)
	for i := range ops {
		if ops[i].Session == "" {
			ops[i].Session = "s"
		}
		if ops[i].Span == (Span{}) {
			ops[i].Span = step(10*i, 10*i+5)
		}
	}
	return ops
}

func judge(ops []Op, faults ...fault) error {
	h := New()
	h.faults = faults
	for _, op := range ops {
		h.Add(op)
	}
	return h.Check()
}

func begin() Op                        { return Op{Kind: Begin} }
func set(key, value string) Op         { return Op{Kind: Set, Key: key, Value: value} }
func remove(key string) Op             { return Op{Kind: Delete, Key: key} }
func update(value string) Op           { return Op{Kind: Update, Key: "n", Value: value} }
func read(key, value, owner string) Op { return Op{Kind: Read, Key: key, Value: value, Owner: owner} }
func login(owner string) Op            { return Op{Kind: Login, Value: owner} }
func renew() Op                        { return Op{Kind: Renew} }
func logout() Op                       { return Op{Kind: Logout} }
func pause() Op                        { return Op{Kind: Expire} }
func gone() Op                         { return Op{Kind: Read, Key: "k", Missing: true} }

func (op Op) former() Op           { op.Former = true; return op }
func (op Op) unknown() Op          { op.Outcome = Unknown; return op }
func (op Op) refused() Op          { op.Outcome = Refused; return op }
func (op Op) of(session string) Op { op.Session = session; return op }
func (op Op) during(start, end int) Op {
	op.Span = step(start, end)
	return op
}

// TestPlantedViolationIsFound: each history is right, and wrong with one answer
// exchanged.
func TestPlantedViolationIsFound(t *testing.T) {
	for _, c := range []struct {
		name    string
		right   []Op
		at      int
		instead Op
		want    string // part of the verdict
	}{
		{"lost update", scene(begin(), update("1"), update("2"), read("n", "2", "")), 2, update("1"), "key n: two increments were both told 1"},
		{"update that no read finds", scene(begin(), update("1"), update("2"), read("n", "2", "")), 3, read("n", "1", ""), "key n: 2 was seen before an operation began that gave 1"},
		{"double update", scene(begin(), update("1"), update("2"), read("n", "2", "")), 3, read("n", "3", ""), "key n: it reached 3"},
		{"double update by one that was told", scene(begin(), update("1"), update("2")), 2, update("3"), "key n: it reached 3"},
		{"stale read", scene(begin(), set("k", "1"), set("k", "2"), read("k", "2", "")), 3, read("k", "1", ""), `key k: "1" was seen before and after the whole life of "2"`},
		{"read goes back", scene(begin(), set("k", "1"), set("k", "2").during(20, 60), read("k", "2", ""), read("k", "2", "")), 4, read("k", "1", ""), "key k"},
		{"lost set", scene(begin(), set("k", "1"), read("k", "1", "")), 2, read("k", "", ""), "key k"},
		{"refused set that happened", scene(begin(), set("k", "1").refused(), read("k", "", "")), 2, read("k", "1", ""), "whose write was refused"},
		{"delete undone", scene(begin(), set("k", "1"), remove("k"), read("k", "", "")), 3, read("k", "1", ""), "key k: no order"},
		{"delete undone after it was seen", scene(begin(), set("k", "1"), remove("k").unknown(), read("k", "", ""), read("k", "", "")), 4, read("k", "1", ""), "key k: no order"},
		{"delete of what came later", scene(begin(), remove("k"), set("k", "1"), read("k", "1", "")), 3, read("k", "", ""), "key k: no order"},
		{"undone logout", scene(begin(), logout(), gone()), 2, read("k", "", ""), "session s: no order"},
		{"undone logout of an owner", scene(begin(), login("ann"), logout(), gone(), gone()), 4, read("k", "", "ann"), "session s: no order"},
		{"change after a logout", scene(begin(), logout(), gone()), 2, set("k", "1"), "session s: no order"},
		{"begun again after its end", scene(begin(), logout(), gone()), 2, begin(), "session s: no order"},
		{"change refused since the session is gone", scene(begin(), set("k", "1")), 1, Op{Kind: Set, Key: "k", Value: "1", Missing: true, Outcome: Refused}, "session s: no order"},
		{"gone while a former id is, too", scene(begin(), renew(), read("k", "", "").during(20, 60), gone().former().during(30, 35)), 2, gone(), "session s: no order"},
		{"early expiry", scene(begin(), set("k", "1"), read("k", "1", "")), 2, gone(), "session s: no order"},
		{"session of an owner is lost", scene(begin(), login("ann"), renew(), read("k", "", "ann")), 3, gone(), "session s: no order"},
		{"alive after expiry", scene(begin(), pause(), gone()), 2, read("k", "", ""), "session s: no order"},
		{"alive at the very end of the pause", scene(begin(), pause().during(10, 20), gone()), 2, read("k", "", ""), "session s: no order"},
		{"alive again after expiry", scene(begin(), pause(), gone(), gone()), 3, update("1"), "session s: no order"},
		{"alive after a pause that began with a request without an answer", scene(begin(), set("k", "1").unknown().during(10, 20), pause().during(20, 50), gone().during(60, 65)), 3, read("k", "1", ""), "session s: no order"},
		{"two users' sessions swapped", scene(begin(), begin().of("t"), login("ann"), login("bob").of("t"), read("k", "", "ann"), read("k", "", "bob").of("t")), 4, read("k", "", "bob"), "session s: no order"},
		{"an attribute of another's session", scene(begin(), begin().of("t"), set("k", "1"), set("k", "2").of("t"), read("k", "1", "")), 4, read("k", "2", ""), `read "2", which nobody wrote`},
		{"owner without a login", scene(begin(), read("k", "", "")), 1, read("k", "", "ann"), "session s: no order"},
		{"lost login", scene(begin(), login("ann"), read("k", "", "ann")), 2, read("k", "", ""), "session s: no order"},
		{"undone login", scene(begin(), login("ann"), login("bob"), read("k", "", "bob")), 3, read("k", "", "ann"), "session s: no order"},
		{"answer to a former id after a login", scene(begin(), login("ann"), gone().former()), 2, read("k", "", "ann").former(), "session s: no order"},
		{"change with a former id after a login", scene(begin(), renew(), login("ann"), gone().former()), 3, set("k", "1").former(), "session s: no order"},
		{"new id not found after a renewal", scene(begin(), renew(), read("k", "", "")), 2, gone(), "session s: no order"},
		{"read of a session before it began", scene(gone(), begin(), read("k", "", "")), 0, read("k", "", ""), "session s: no order"},
		{"set and updated", scene(begin(), update("1"), read("n", "1", "")), 2, set("n", "2"), "cannot be judged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := judge(c.right); err != nil {
				t.Fatalf("without the violation: %v", err)
			}
			wrong := slices.Clone(c.right)
			session, span := wrong[c.at].Session, wrong[c.at].Span
			wrong[c.at] = c.instead
			wrong[c.at].Session, wrong[c.at].Span = session, span
			err := judge(wrong)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("verdict %v, want %q", err, c.want)
			}
		})
	}
}

// TestAllowedOutcomesAreAccepted: what looks odd and breaks no promise.
func TestAllowedOutcomesAreAccepted(t *testing.T) {
	for _, c := range []struct {
		name string
		ops  []Op
	}{
		{"unknown logout that did not happen", scene(begin(), logout().unknown(), read("k", "", ""))},
		{"unknown logout that happened", scene(begin(), logout().unknown(), gone())},
		{"unknown logout that happened late", scene(begin(), logout().unknown(), read("k", "", ""), gone())},
		{"second logout", scene(begin(), logout(), logout(), gone())},
		{"refused logout", scene(begin(), logout().refused(), read("k", "", ""))},
		{"unknown begin that did not happen", scene(begin().unknown(), gone())},
		{"unknown begin that happened", scene(begin().unknown(), read("k", "", ""), set("k", "1"))},
		{"unknown login that happened", scene(begin(), login("ann").unknown(), gone())},
		{"unknown login that did not happen", scene(begin(), login("ann").unknown(), read("k", "", ""))},
		{"unknown renewal, the grace goes on", scene(begin(), renew().unknown(), read("k", "", ""))},
		{"unknown renewal, the grace is over", scene(begin(), renew().unknown(), gone())},
		{"former id in the grace", scene(begin(), renew(), read("k", "", "").former())},
		{"former id after the grace", scene(begin(), renew(), gone().former(), read("k", "", ""))},
		{"old id while a login is under way", scene(begin(), login("ann").during(10, 50), read("k", "", "").during(20, 25), gone().during(30, 35), read("k", "", "ann").during(60, 65))},
		{"answers and requests at one moment", scene(begin().during(7, 7), login("ann").during(7, 7), read("k", "", "ann").during(7, 7), gone().during(7, 7))},
		{"read during a logout", scene(begin(), logout().during(10, 90), gone().during(20, 25))},
		{"unknown set and delete", scene(begin(), set("k", "1").unknown(), read("k", "1", ""), remove("k").unknown(), read("k", "1", ""), read("k", "", ""))},
		{"deletes one after the other", scene(begin(), set("k", "1"), remove("k"), remove("k"), set("k", "2"), read("k", "2", ""), remove("k"), read("k", "", ""))},
		{"read without an answer", scene(begin(), set("k", "1"), read("k", "", "").unknown(), read("k", "", "").refused())},
		{"same user again, asked for without an attribute", scene(begin(), login("ann"), login("ann"), read("", "", "ann"))},
		{"unknown update counts", scene(begin(), update("").unknown(), update("2"))},
		{"unknown update does not count", scene(begin(), update("").unknown(), update("1"))},
		{"used within the pause by a request without an answer", scene(begin(), set("k", "1").unknown().during(10, 25), pause().during(20, 50), read("k", "1", "").during(60, 65))},
		{"gone after a pause that a request without an answer interrupted", scene(begin(), set("k", "1").unknown().during(10, 25), pause().during(20, 50), gone().during(60, 65))},
		{"missing change did not happen", scene(begin(), logout(), Op{Kind: Set, Key: "k", Value: "1", Missing: true, Outcome: Refused}, gone())},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := judge(c.ops); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVerdictShowsWhatContradictsItself: of many operations only those that cannot all
// be true.
func TestVerdictShowsWhatContradictsItself(t *testing.T) {
	ops := []Op{begin()}
	for range 40 {
		ops = append(ops, read("k", "", ""))
	}
	ops = append(ops, logout(), gone(), set("k", "7"), gone())
	ops[43].Server = "app2"
	err := judge(scene(ops...))
	if err == nil {
		t.Fatal("a session was changed after its logout, and nothing is wrong")
	}
	want := `session s: no order of these operations explains all answers: logout [410ms to 415ms]; set k "7" on app2 [430ms to 435ms]`
	if err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func TestSharesOfUnknownOperations(t *testing.T) {
	h := New()
	if h.UnknownShare() != 0 || h.Len() != 0 {
		t.Errorf("empty: share %v of %d, want 0 of 0", h.UnknownShare(), h.Len())
	}
	for _, op := range scene(begin(), login("ann").unknown(), gone(), renew().refused()) {
		h.Add(op)
	}
	if h.UnknownShare() != 0.25 || h.Len() != 4 {
		t.Errorf("share %v of %d, want 0.25 of 4", h.UnknownShare(), h.Len())
	}
}
