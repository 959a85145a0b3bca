package history

import "testing"

// TestOnlyWhatWasNotAcknowledgedMayVanish: at 10 a node is lost; what came before
// 5 was on all nodes.
func TestOnlyWhatWasNotAcknowledgedMayVanish(t *testing.T) {
	strike := Span{10, 10}
	for _, c := range []struct {
		name    string
		write   Span
		outcome Outcome
		read    Span
		allowed bool
	}{
		{"given up after the fault", Span{8, 20}, Unknown, Span{9, 9}, true},
		{"given up before the fault, after the repair", Span{6, 8}, Unknown, Span{9, 9}, true},
		{"given up before the repair", Span{1, 3}, Unknown, Span{9, 9}, false},
		{"acknowledged", Span{6, 8}, Accepted, Span{9, 9}, false},
		{"acknowledged after the fault", Span{8, 20}, Accepted, Span{9, 9}, false},
		{"seen after the fault", Span{8, 20}, Unknown, Span{11, 12}, false},
		{"seen before it was sent", Span{8, 20}, Unknown, Span{6, 7}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := New()
			h.Fault(strike, 5)
			h.Write("r", "x", c.write, c.outcome)
			h.Read("r", "x", c.read)
			h.Read("r", "", Span{21, 22})
			h.Increment("c", 1, c.write, c.outcome)
			h.Count("c", 1, c.read)
			h.Count("c", 0, Span{21, 22})
			if err := h.Check(); (err == nil) != c.allowed {
				t.Errorf("the change was seen, and then not: verdict %v, want it allowed: %v", err, c.allowed)
			}
		})
	}
}

func TestDoubtfulReadBeforeItsChangeHappensAgain(t *testing.T) {
	h := New()
	h.Write("r", "old", Span{1, 2}, Accepted)
	h.Write("r", "new", Span{8, 20}, Accepted)
	h.Read("r", "new", Span{9, 9})
	h.Read("r", "old", Span{12, 13})
	h.Read("r", "new", Span{21, 22})
	if h.Check() == nil {
		t.Error("without a fault: new was seen, then old, and nothing is wrong")
	}
	h.Fault(Span{10, 10}, 5)
	if err := h.Check(); err != nil {
		t.Errorf("new vanished at the fault and was written again: %v", err)
	}
}

// TestOnlyWhatWasNotSentMayBeLost: at 10 an app server is lost that had sent what
// was acknowledged before 7.
func TestOnlyWhatWasNotSentMayBeLost(t *testing.T) {
	for _, c := range []struct {
		name    string
		write   Span
		read    Span
		allowed bool
	}{
		{"not sent", Span{6, 8}, Span{9, 9}, true},
		{"acknowledged while it struck", Span{9, 11}, Span{10, 10}, true},
		{"sent", Span{5, 6}, Span{9, 9}, false},
		{"on another server, after it", Span{11, 12}, Span{13, 13}, false},
		{"seen on another server, after it", Span{6, 8}, Span{11, 11}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := New()
			h.Loss(Span{10, 10}, 7, 7)
			h.Write("r", "x", c.write, Accepted)
			h.Read("r", "x", c.read)
			h.Read("r", "", Span{21, 22})
			h.Increment("c", 1, c.write, Accepted)
			h.Count("c", 1, c.read)
			h.Count("c", 0, Span{21, 22})
			if err := h.Check(); (err == nil) != c.allowed {
				t.Errorf("the change was acknowledged, and then lost: verdict %v, want it allowed: %v", err, c.allowed)
			}
		})
	}
}

// What a server has in memory alone may come back with it: two increments are told
// the same, and both count.
func TestWhatWasNotSentMayComeBackLater(t *testing.T) {
	seen := func(last int64) *History {
		h := New()
		h.Loss(Span{10, 20}, 7, 7)
		h.Increment("c", 1, Span{8, 9}, Accepted)   // by the server that froze
		h.Increment("c", 1, Span{12, 13}, Accepted) // by the one that took over
		h.Count("c", last, Span{31, 32})
		return h
	}
	if err := seen(2).Check(); err != nil {
		t.Errorf("both count in the end: %v", err)
	}
	if seen(3).Check() == nil {
		t.Error("two increments made 3, and nothing is wrong")
	}
}

// TestSessionsAfterFaults: at 100 a node or an app server is lost; everything before
// 50 was on all nodes, and what was acknowledged before 70 on some.
func TestSessionsAfterFaults(t *testing.T) {
	node := fault{step(100, 100), moment(50), never}
	server := fault{step(100, 100), moment(50), moment(70)}
	for _, c := range []struct {
		name    string
		ops     []Op
		fault   fault
		allowed bool
	}{
		{"begun in the memory of the server alone", scene(begin().during(75, 80), read("k", "", "").during(90, 91), gone().during(110, 111)), server, true},
		{"begun while it struck, answered on the server alone", scene(begin().during(75, 105), read("k", "", "").during(90, 91), gone().during(110, 111)), server, true},
		{"begun and sent", scene(begin().during(60, 65), read("k", "", "").during(90, 91), gone().during(110, 111)), server, false},
		{"begun, and a node is lost", scene(begin().during(75, 80), gone().during(110, 111)), node, false},
		{"there again after it was gone", scene(begin().during(75, 80), gone().during(110, 111), read("k", "", "").during(120, 121), gone().during(130, 131)), server, false},
		{"login acknowledged, and then gone", scene(begin().during(75, 80), login("ann").during(90, 130), gone().during(140, 141)), server, false},
		{"logout undone", scene(begin(), logout().during(75, 80), read("k", "", "").during(110, 111)), server, false},
		{"login undone", scene(begin(), login("ann").during(75, 80), read("k", "", "").during(110, 111)), server, false},
		{"unknown logout that was seen", scene(begin(), logout().unknown().during(75, 80), gone().during(90, 91), read("k", "", "").during(110, 111)), node, true},
		{"unknown logout that was seen, and all nodes had it", scene(begin(), logout().unknown().during(35, 40), gone().during(90, 91), read("k", "", "").during(110, 111)), node, false},
		{"unknown logout that was seen after it", scene(begin(), logout().unknown().during(75, 80), gone().during(101, 102), read("k", "", "").during(110, 111)), node, false},
		{"login seen before it was acknowledged", scene(begin(), login("ann").during(90, 130), read("k", "", "ann").during(95, 96), read("k", "", "").during(110, 111), read("k", "", "ann").during(140, 141)), node, true},
		{"unknown delete that was seen", scene(begin(), set("k", "1"), remove("k").unknown().during(75, 80), read("k", "", "").during(90, 91), read("k", "1", "").during(110, 111)), node, true},
		{"delete that was acknowledged", scene(begin(), set("k", "1"), remove("k").during(75, 80), read("k", "", "").during(90, 91), read("k", "1", "").during(110, 111)), node, false},
		{"delete on the server alone", scene(begin(), set("k", "1"), remove("k").during(75, 80), read("k", "", "").during(90, 91), read("k", "1", "").during(110, 111)), server, true},
		{"refused set that was seen", scene(begin(), set("k", "1").refused().during(90, 130), read("k", "1", "").during(95, 96)), server, false},
		{"update on the server alone", scene(begin(), update("1").during(75, 80), update("1").during(110, 111), read("n", "1", "").during(120, 121)), server, true},
		{"update that was sent", scene(begin(), update("1").during(60, 65), update("1").during(110, 111)), server, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := judge(c.ops, c.fault); (err == nil) != c.allowed {
				t.Errorf("verdict %v, want it allowed: %v", err, c.allowed)
			}
			if err := judge(c.ops); err == nil {
				t.Error("without the fault nothing is wrong, so this proves nothing")
			}
		})
	}
}
