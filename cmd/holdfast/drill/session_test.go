package drill

import (
	"fmt"
	"testing"
	"time"
)

// A told is a request to a session, and what came back.
type told struct {
	adds, note int64
	answer     answer
}

func (s *session) tell(all ...told) {
	for _, t := range all {
		s.learn(s.present(t.adds, t.note), reply{answer: t.answer}, t.adds, t.note)
	}
}

func added(n int64) told { return told{adds: 1, answer: answer{Outcome: done, Count: n}} }
func saw(n int64) told   { return told{answer: answer{Outcome: done, Count: n}} }
func noted(n int64) told { return told{note: n, answer: answer{Outcome: done, Note: n}} }
func sawNote(n int64) told {
	return told{answer: answer{Outcome: done, Note: n}}
}

func add1(o outcome) told { return told{adds: 1, answer: answer{Outcome: o}} }

func note1(n int64, o outcome) told { return told{note: n, answer: answer{Outcome: o}} }

func TestLedgerFindsBrokenPromises(t *testing.T) {
	for name, c := range map[string]struct {
		told []told
		want findings
	}{
		"all is well":                       {[]told{added(1), added(2), saw(2)}, findings{}},
		"a change is missing":               {[]told{added(1), added(2), saw(1), saw(1)}, findings{lostUpdates: 1}},
		"more and more are missing":         {[]told{added(1), added(2), saw(1), saw(0)}, findings{lostUpdates: 2}},
		"a change happened twice":           {[]told{added(1), saw(2)}, findings{doubled: 1}},
		"a refused change happened":         {[]told{add1(refused), saw(1)}, findings{doubled: 1}},
		"a refused change did not happen":   {[]told{add1(refused), saw(0)}, findings{}},
		"an unknown change happened":        {[]told{add1(unknown), saw(1)}, findings{}},
		"an unknown change did not happen":  {[]told{add1(unknown), saw(0)}, findings{}},
		"an unknown change happened twice":  {[]told{add1(unknown), saw(2)}, findings{doubled: 1}},
		"an add does not count":             {[]told{added(1), {adds: 1, answer: answer{Outcome: done, Count: 0}}}, findings{lostUpdates: 1}},
		"it is gone":                        {[]told{added(1), {answer: answer{Outcome: gone}}}, findings{lost: true}},
		"a note is there":                   {[]told{noted(4), sawNote(4), noted(7), sawNote(7)}, findings{}},
		"an older note is there":            {[]told{noted(4), noted(5), sawNote(4)}, findings{lostUpdates: 1}},
		"a note that nobody set":            {[]told{noted(4), sawNote(5)}, findings{doubled: 1}},
		"a note whose outcome was unknown":  {[]told{noted(4), note1(5, unknown), sawNote(5)}, findings{}},
		"the note before an unknown one":    {[]told{noted(4), note1(5, unknown), sawNote(4)}, findings{}},
		"a request that was not answerable": {[]told{added(1), {answer: answer{Outcome: refused}}, saw(1)}, findings{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{}
			s.tell(c.told...)
			if got := s.found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A read may answer with what was stored when it was sent or later.
func TestLedgerComparesWithWhatWasKnownWhenTheRequestWasSent(t *testing.T) {
	s := &session{}
	early := s.present(0, 0)
	s.tell(added(1))
	s.learn(early, reply{answer: answer{Outcome: done}}, 0, 0)
	if got := s.found(); got != (findings{}) {
		t.Errorf("an answer from before an acknowledged change: got %+v, want no findings", got)
	}
	under := s.present(1, 0)
	s.tell(saw(2))
	s.learn(under, reply{answer: answer{Outcome: done, Count: 2}}, 1, 0)
	if got := s.found(); got != (findings{}) {
		t.Errorf("a read of a change whose answer is under way: got %+v, want no findings", got)
	}
}

func TestLedgerFollowsALogout(t *testing.T) {
	goneNow, served := told{answer: answer{Outcome: gone}}, saw(0)
	for name, c := range map[string]struct {
		told []told
		end  bool // the logout was acknowledged
		want findings
	}{
		"it is gone":                             {[]told{goneNow}, true, findings{}},
		"it is served again":                     {[]told{goneNow, served, served}, true, findings{resurrected: true}},
		"the logout may have happened, or not":   {[]told{served, goneNow}, false, findings{}},
		"it takes changes after it was ended":    {[]told{added(1)}, true, findings{resurrected: true}},
		"nobody can tell whether it still there": {[]told{{answer: answer{Outcome: refused}}}, true, findings{}},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := new(ledger), &session{}
			under := s.present(0, 0)
			s.leave()
			if c.end {
				l.close(s)
			}
			s.learn(under, reply{answer: answer{Outcome: done}}, 0, 0) // was sent before
			s.tell(c.told...)
			if got := s.found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got := l.anyEnded() != nil; got != c.end {
				t.Errorf("among the ended: got %v, want %v", got, c.end)
			}
		})
	}
}

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

// A server dies that held changes alone since the second of three adds.
func TestLedgerForgivesWhatADeadServerHadNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		told []told
		want findings
	}{
		"all is there":                           {[]told{saw(3)}, findings{}},
		"all is there, and then not":             {[]told{saw(3), saw(2)}, findings{lostUpdates: 1}},
		"what was not sent is lost":              {[]told{saw(1)}, findings{unsentLost: 2}},
		"an add shows that it is lost":           {[]told{added(2)}, findings{unsentLost: 2}},
		"and is itself no loss":                  {[]told{added(3), saw(3)}, findings{unsentLost: 1}},
		"what was sent is lost":                  {[]told{saw(0)}, findings{unsentLost: 3, lostUpdates: 1}},
		"what is acknowledged after it is lost":  {[]told{added(2), saw(1)}, findings{unsentLost: 2, lostUpdates: 1}},
		"the session was there before, and gone": {[]told{{answer: answer{Outcome: gone}}}, findings{lost: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{}
			s.tell(added(1))
			since := time.Now()
			s.tell(added(2), added(3))
			s.forgive(since)
			s.tell(c.told...)
			if got := s.found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// The dead server may have answered what was sent before it died.
func TestLedgerDoesNotCountOnAnswersOfADeadServer(t *testing.T) {
	s := &session{begun: time.Now()}
	under := s.present(1, 0)
	s.forgive(time.Now())
	s.learn(under, reply{answer: answer{Outcome: done, Count: 1}}, 1, 0)
	s.tell(saw(0))
	if got := s.found(); got != (findings{}) {
		t.Errorf("got %+v, want no findings", got)
	}
}

func TestLedgerForgivesASessionThatADeadServerHadNotSent(t *testing.T) {
	since := time.Now()
	s := &session{begun: since}
	s.forgive(since)
	s.tell(told{answer: answer{Outcome: gone}}, told{answer: answer{Outcome: gone}})
	if got := s.found(); got != (findings{unsentLost: 1}) {
		t.Errorf("got %+v, want one loss", got)
	}
}
