package drill

import (
	"fmt"
	"testing"
)

func TestReportSaysWhatWentWrong(t *testing.T) {
	good := Figures{Requests: 9, Faults: 1, InFlight: 1, Relocations: 1, Replayed: 1, Takeovers: 1, Unsent: 2, Losers: 2, UnsentLost: 3}
	for want, change := range map[string]func(*Figures){
		"<nil>":                              func(*Figures) {},
		"sticky_async: 2 sessions were lost": func(f *Figures) { f.Lost = 2 },
		"sticky_async: 2 acknowledged changes were lost":                                        func(f *Figures) { f.LostUpdates = 2 },
		"sticky_async: 2 increments happened twice":                                             func(f *Figures) { f.Doubled = 2 },
		"sticky_async: 2 sessions more lost changes than the dead servers had not sent":         func(f *Figures) { f.Losers = 4 },
		"sticky_async: no session was taken over: this drill shows nothing":                     func(f *Figures) { f.Takeovers = 0 },
		"sticky_async: 2 sessions came back after a logout":                                     func(f *Figures) { f.Resurrected = 2 },
		"sticky_async: no fault struck while requests were under way: this drill shows nothing": func(f *Figures) { f.InFlight = 0 },
		"sticky_async: no session got other nodes: this drill shows nothing":                    func(f *Figures) { f.Relocations = 0 },
		"sticky_async: no change was replayed: this drill shows nothing":                        func(f *Figures) { f.Replayed = 0 },
	} {
		f := good
		change(&f)
		r := Report{Modes: map[string]Figures{"sticky_async": f}, Figures: f}
		if got := fmt.Sprint(r.Err()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
