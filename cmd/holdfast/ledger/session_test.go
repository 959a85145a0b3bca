package ledger

import (
	"testing"
	"time"
)

// A told is a request to a session, and what came back.
type told struct {
	adds, note int64
	answer     Answer
}

func (s *Session) tell(all ...told) {
	for _, t := range all {
		s.Learn(s.Present(t.adds, t.note), Reply{Answer: t.answer}, t.adds, t.note)
	}
}

func added(n int64) told { return told{adds: 1, answer: Answer{Outcome: Done, Count: n}} }
func saw(n int64) told   { return told{answer: Answer{Outcome: Done, Count: n}} }
func noted(n int64) told { return told{note: n, answer: Answer{Outcome: Done, Note: n}} }
func sawNote(n int64) told {
	return told{answer: Answer{Outcome: Done, Note: n}}
}

func add1(o Outcome) told { return told{adds: 1, answer: Answer{Outcome: o}} }

func note1(n int64, o Outcome) told { return told{note: n, answer: Answer{Outcome: o}} }

func TestLedgerFindsBrokenPromises(t *testing.T) {
	for name, c := range map[string]struct {
		told []told
		want Findings
	}{
		"all is well":                       {[]told{added(1), added(2), saw(2)}, Findings{}},
		"a change is missing":               {[]told{added(1), added(2), saw(1), saw(1)}, Findings{LostUpdates: 1}},
		"more and more are missing":         {[]told{added(1), added(2), saw(1), saw(0)}, Findings{LostUpdates: 2}},
		"a change happened twice":           {[]told{added(1), saw(2)}, Findings{Doubled: 1}},
		"a refused change happened":         {[]told{add1(Refused), saw(1)}, Findings{Doubled: 1}},
		"a refused change did not happen":   {[]told{add1(Refused), saw(0)}, Findings{}},
		"an unknown change happened":        {[]told{add1(Unknown), saw(1)}, Findings{}},
		"an unknown change did not happen":  {[]told{add1(Unknown), saw(0)}, Findings{}},
		"an unknown change happened twice":  {[]told{add1(Unknown), saw(2)}, Findings{Doubled: 1}},
		"an add does not count":             {[]told{added(1), {adds: 1, answer: Answer{Outcome: Done, Count: 0}}}, Findings{LostUpdates: 1}},
		"it is gone":                        {[]told{added(1), {answer: Answer{Outcome: Gone}}}, Findings{Lost: true}},
		"a note is there":                   {[]told{noted(4), sawNote(4), noted(7), sawNote(7)}, Findings{}},
		"an older note is there":            {[]told{noted(4), noted(5), sawNote(4)}, Findings{LostUpdates: 1}},
		"a note that nobody set":            {[]told{noted(4), sawNote(5)}, Findings{Doubled: 1}},
		"a note whose outcome was unknown":  {[]told{noted(4), note1(5, Unknown), sawNote(5)}, Findings{}},
		"the note before an unknown one":    {[]told{noted(4), note1(5, Unknown), sawNote(4)}, Findings{}},
		"a request that was not answerable": {[]told{added(1), {answer: Answer{Outcome: Refused}}, saw(1)}, Findings{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Session{}
			s.tell(c.told...)
			if got := s.Found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A read may answer with what was stored when it was sent or later.
func TestLedgerComparesWithWhatWasKnownWhenTheRequestWasSent(t *testing.T) {
	s := &Session{}
	early := s.Present(0, 0)
	s.tell(added(1))
	s.Learn(early, Reply{Answer: Answer{Outcome: Done}}, 0, 0)
	if got := s.Found(); got != (Findings{}) {
		t.Errorf("an answer from before an acknowledged change: got %+v, want no findings", got)
	}
	under := s.Present(1, 0)
	s.tell(saw(2))
	s.Learn(under, Reply{Answer: Answer{Outcome: Done, Count: 2}}, 1, 0)
	if got := s.Found(); got != (Findings{}) {
		t.Errorf("a read of a change whose answer is under way: got %+v, want no findings", got)
	}
}

func TestLedgerFollowsALogout(t *testing.T) {
	goneNow, served := told{answer: Answer{Outcome: Gone}}, saw(0)
	for name, c := range map[string]struct {
		told []told
		end  bool // the logout was acknowledged
		want Findings
	}{
		"it is gone":                             {[]told{goneNow}, true, Findings{}},
		"it is served again":                     {[]told{goneNow, served, served}, true, Findings{Resurrected: true}},
		"the logout may have happened, or not":   {[]told{served, goneNow}, false, Findings{}},
		"it takes changes after it was ended":    {[]told{added(1)}, true, Findings{Resurrected: true}},
		"nobody can tell whether it still there": {[]told{{answer: Answer{Outcome: Refused}}}, true, Findings{}},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := New(1), &Session{}
			under := s.Present(0, 0)
			s.Leave()
			if c.end {
				l.Close(s)
			}
			s.Learn(under, Reply{Answer: Answer{Outcome: Done}}, 0, 0) // was sent before
			s.tell(c.told...)
			if got := s.Found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got := l.AnyEnded() != nil; got != c.end {
				t.Errorf("among the ended: got %v, want %v", got, c.end)
			}
		})
	}
}

// A server dies that held changes alone since the second of three adds.
func TestLedgerForgivesWhatADeadServerHadNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		told []told
		want Findings
	}{
		"all is there":                           {[]told{saw(3)}, Findings{}},
		"all is there, and then not":             {[]told{saw(3), saw(2)}, Findings{LostUpdates: 1}},
		"what was not sent is lost":              {[]told{saw(1)}, Findings{UnsentLost: 2}},
		"an add shows that it is lost":           {[]told{added(2)}, Findings{UnsentLost: 2}},
		"and is itself no loss":                  {[]told{added(3), saw(3)}, Findings{UnsentLost: 1}},
		"what was sent is lost":                  {[]told{saw(0)}, Findings{UnsentLost: 3, LostUpdates: 1}},
		"what is acknowledged after it is lost":  {[]told{added(2), saw(1)}, Findings{UnsentLost: 2, LostUpdates: 1}},
		"the session was there before, and gone": {[]told{{answer: Answer{Outcome: Gone}}}, Findings{Lost: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Session{}
			s.tell(added(1))
			since := time.Now()
			s.tell(added(2), added(3))
			s.Forgive(since)
			s.tell(c.told...)
			if got := s.Found(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// The dead server may have answered what was sent before it died.
func TestLedgerDoesNotCountOnAnswersOfADeadServer(t *testing.T) {
	s := &Session{begun: time.Now()}
	under := s.Present(1, 0)
	s.Forgive(time.Now())
	s.Learn(under, Reply{Answer: Answer{Outcome: Done, Count: 1}}, 1, 0)
	s.tell(saw(0))
	if got := s.Found(); got != (Findings{}) {
		t.Errorf("got %+v, want no findings", got)
	}
}

func TestLedgerForgivesASessionThatADeadServerHadNotSent(t *testing.T) {
	since := time.Now()
	s := &Session{begun: since}
	s.Forgive(since)
	s.tell(told{answer: Answer{Outcome: Gone}}, told{answer: Answer{Outcome: Gone}})
	if got := s.Found(); got != (Findings{UnsentLost: 1}) {
		t.Errorf("got %+v, want one loss", got)
	}
}
