package holdfast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// roundTrip stores v in one request and reads it in the next, on another server.
func roundTrip[T any](t *testing.T, v T, codec ...holdfast.Codec[T]) T {
	t.Helper()
	on := newTap()
	key := holdfast.NewKey("value", codec...)
	here, there := newManager(t, on, nil), newManager(t, on, nil)
	b := (&visitor{}).session(here, func(s *holdfast.Session) {
		if err := key.Set(s, v); err != nil {
			t.Errorf("Set(%v): %v", v, err)
		}
		if got, err := key.Lookup(s); err != nil || !equal(got, v) {
			t.Errorf("before the commit %v, %v; want %v", got, err, v)
		}
	})
	b.get("/")
	var got T
	b.session(there, func(s *holdfast.Session) {
		var err error
		if got, err = key.Lookup(s); err != nil {
			t.Errorf("Lookup of %v: %v", v, err)
		}
	}).get("/")
	return got
}

func equal(a, b any) bool {
	if at, ok := a.(time.Time); ok {
		return at.Equal(b.(time.Time))
	}
	if af, ok := a.(float64); ok && math.IsNaN(af) {
		return math.IsNaN(b.(float64))
	}
	return reflect.DeepEqual(a, b)
}

func wantRoundTrip[T any](t *testing.T, values ...T) {
	t.Helper()
	t.Run(fmt.Sprintf("%T", values[0]), func(t *testing.T) {
		for _, v := range values {
			if got := roundTrip(t, v); !equal(got, v) {
				t.Errorf("%v came back as %v", v, got)
			}
		}
	})
}

type (
	color int
	name  string
	tags  []string
	point struct{ X, Y int }
	node  struct {
		Next *node
		When time.Time
		Any  map[string]any
	}
)

func TestValuesComeBackAsTheyWere(t *testing.T) {
	wantRoundTrip(t, "", "a", "\x00\xff not UTF-8", strings.Repeat("long ", 10_000), "ünï")
	wantRoundTrip(t, []byte{}, []byte{0}, bytes.Repeat([]byte{0xff}, 300))
	wantRoundTrip(t, false, true)
	wantRoundTrip(t, 0, 1, -1, math.MaxInt, math.MinInt)
	wantRoundTrip[int8](t, 0, math.MaxInt8, math.MinInt8)
	wantRoundTrip[int16](t, 0, math.MaxInt16, math.MinInt16)
	wantRoundTrip[int32](t, 0, math.MaxInt32, math.MinInt32)
	wantRoundTrip[int64](t, 0, math.MaxInt64, math.MinInt64)
	wantRoundTrip[uint](t, 0, math.MaxUint)
	wantRoundTrip[uint8](t, 0, math.MaxUint8)
	wantRoundTrip[uint16](t, 0, math.MaxUint16)
	wantRoundTrip[uint32](t, 0, math.MaxUint32)
	wantRoundTrip[uint64](t, 0, math.MaxUint64)
	wantRoundTrip(t, 0.0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 0.1)
	wantRoundTrip[float32](t, 0, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(1)), 0.1)
	wantRoundTrip(t, time.Time{}, time.Unix(0, 0), time.Now(), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2026, 11, 20, 12, 0, 0, 1, time.FixedZone("somewhere", -3*3600)))
	wantRoundTrip(t, time.Duration(0), time.Hour, -time.Nanosecond)
	wantRoundTrip[color](t, 0, 7)
	wantRoundTrip[name](t, "", "bob")
	wantRoundTrip(t, tags{}, tags{"a", "b"})
	wantRoundTrip(t, point{}, point{X: 1, Y: -1})
	wantRoundTrip(t, map[string]int{}, map[string]int{"a": 1})
	wantRoundTrip(t, [2]bool{true, false})
	wantRoundTrip(t, &point{X: 1}, nil)
	wantRoundTrip(t, node{Next: &node{}, Any: map[string]any{"a": "b", "n": 1.5}})
	wantRoundTrip[any](t, "text", 1.5, nil, true)
	wantRoundTrip(t, json.RawMessage(`{"a":1}`))
}

// stars is a codec of a user's own.
type stars struct{ tag byte }

var errNegative = errors.New("less than no stars")

func (c stars) Tag() byte { return c.tag }

func (stars) Append(dst []byte, n int) ([]byte, error) {
	if n < 0 {
		return nil, errNegative
	}
	return append(dst, strings.Repeat("*", n)...), nil
}

func (stars) Decode(b []byte) (int, error) {
	if strings.Trim(string(b), "*") != "" {
		return 0, errors.New("not only stars")
	}
	return len(b), nil
}

func TestACodecOfOnesOwn(t *testing.T) {
	if got := holdfast.NewKey("n", stars{128}).Name(); got != "n" {
		t.Errorf("the key's name is %q", got)
	}
	if got := roundTrip[int](t, 5, stars{128}); got != 5 {
		t.Errorf("5 came back as %d", got)
	}
	for _, tag := range []byte{0, 1, 8, 127} {
		wantPanic(t, func() { holdfast.NewKey("n", stars{tag}) })
	}
	wantPanic(t, func() { holdfast.NewKey[int]("") })
	holdfast.NewKey("n", stars{255})
}

func wantPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

// inSession runs fn in a request whose session has what begin set.
func inSession(t *testing.T, begin, fn func(*holdfast.Session)) (stored string) {
	t.Helper()
	on := newTap()
	m := newManager(t, on, nil)
	v := &visitor{cookie: beginSession(m, begin)}
	v = v.session(m, func(s *holdfast.Session) {
		fn(s)
		s.Err() // looked at
	})
	wantStatus(t, v.get("/"), http.StatusOK)
	var names []string
	v.session(m, func(s *holdfast.Session) {
		for name := range s.Names() {
			value, _ := s.Raw(name)
			names = append(names, fmt.Sprintf("%s=%v", name, value))
		}
	}).get("/")
	return strings.Join(names, " ")
}

func TestAnAttributeOfAnotherTypeIsUnreadableAndTheOthersAreNot(t *testing.T) {
	begin := func(s *holdfast.Session) { textKey.Set(s, "old"); numberKey.Set(s, 7) }
	wrong := holdfast.NewKey[bool]("text")
	got := inSession(t, begin, func(s *holdfast.Session) {
		if v, err := wrong.Lookup(s); v || !errors.Is(err, holdfast.ErrUnreadable) || !strings.Contains(err.Error(), `"text"`) {
			t.Errorf("Lookup: %v, %v; want ErrUnreadable with the name", v, err)
		}
		if _, ok := wrong.Get(s); ok || !errors.Is(s.Err(), holdfast.ErrUnreadable) {
			t.Errorf("Get: %v, %v; want ErrUnreadable", ok, s.Err())
		}
		if _, ok := wrong.Take(s); ok {
			t.Error("Take took what it cannot read")
		}
		if err := wrong.Update(s, func(*bool) error { t.Error("Update ran"); return nil }); !errors.Is(err, holdfast.ErrUnreadable) {
			t.Errorf("Update: %v", err)
		}
		if n, ok := numberKey.Get(s); n != 7 || !ok {
			t.Errorf("the other attribute: %d, %v", n, ok)
		}
	})
	if got != "number=7 text=old" {
		t.Errorf("stored %s", got)
	}
	for repair, want := range map[string]string{"Set": "number=7 text=true", "Delete": "number=7"} {
		got := inSession(t, begin, func(s *holdfast.Session) {
			if repair == "Delete" {
				wrong.Delete(s)
			} else {
				wrong.Set(s, true)
			}
			if _, err := wrong.Lookup(s); errors.Is(err, holdfast.ErrUnreadable) {
				t.Errorf("after %s: %v", repair, err)
			}
		})
		if got != want {
			t.Errorf("after %s stored %s, want %s", repair, got, want)
		}
	}
}

// A number that does not fit is not cut.
func TestANumberOutOfRangeIsUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*holdfast.Session)
		look func(*holdfast.Session) error
	}{
		"300 as int8":   {set(300), look[int8]},
		"-1 as uint":    {set(-1), look[uint]}, // another tag
		"300 as uint8":  {set[uint](300), look[uint8]},
		"2^40 as int32": {set[int64](1 << 40), look[int32]},
	} {
		t.Run(name, func(t *testing.T) {
			inSession(t, c.set, func(s *holdfast.Session) {
				if err := c.look(s); !errors.Is(err, holdfast.ErrUnreadable) {
					t.Errorf("Lookup: %v, want ErrUnreadable", err)
				}
			})
		})
	}
	inSession(t, set[int64](-5), func(s *holdfast.Session) {
		if err := look[int8](s); err != nil {
			t.Errorf("-5 as int8: %v", err)
		}
	})
}

func look[T any](s *holdfast.Session) error {
	_, err := holdfast.NewKey[T]("value").Lookup(s)
	return err
}

func set[T any](v T) func(*holdfast.Session) {
	return func(s *holdfast.Session) { holdfast.NewKey[T]("value").Set(s, v) }
}

func TestAnUnencodableValueFailsAtSet(t *testing.T) {
	circle := &node{}
	circle.Next = circle
	old := func(s *holdfast.Session) { textKey.Set(s, "old") }
	for name, set := range map[string]func(*holdfast.Session) error{
		"channel": func(s *holdfast.Session) error { return holdfast.NewKey[chan int]("text").Set(s, nil) },
		"NaN in JSON": func(s *holdfast.Session) error {
			return holdfast.NewKey[[]float64]("text").Set(s, []float64{math.NaN()})
		},
		"circle": func(s *holdfast.Session) error { return holdfast.NewKey[*node]("text").Set(s, circle) },
		"before year 0": func(s *holdfast.Session) error {
			return holdfast.NewKey[time.Time]("text").Set(s, time.Date(-500, 1, 1, 0, 0, 0, 0, time.UTC))
		},
		"codec's choice": func(s *holdfast.Session) error { return holdfast.NewKey("text", stars{128}).Set(s, -1) },
		"in Update": func(s *holdfast.Session) error {
			return holdfast.NewKey("new", stars{128}).Update(s, func(n *int) error { *n = -1; return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := inSession(t, old, func(s *holdfast.Session) {
				err := set(s)
				if err == nil || !errors.Is(s.Err(), err) || !strings.Contains(err.Error(), "cannot be encoded") {
					t.Errorf("%v, kept %v; want an error about encoding", err, s.Err())
				}
			})
			if got != "text=old" {
				t.Errorf("stored %s, want what was there", got)
			}
		})
	}
}

func TestValuesAreCopies(t *testing.T) {
	list, blob := holdfast.NewKey[map[string][]int]("list"), holdfast.NewKey[[]byte]("blob")
	value, data := map[string][]int{"a": {1, 2}}, []byte("data")
	got := inSession(t, func(s *holdfast.Session) {
		list.Set(s, value)
		blob.Set(s, data)
		value["a"][0], value["b"], data[0] = 99, nil, 'X'
	}, func(s *holdfast.Session) {
		m, _ := list.Get(s)
		m["a"][1], m["c"] = 99, nil
		b, _ := blob.Get(s)
		b[1] = 'X'
		if again, _ := blob.Get(s); string(again) != "data" {
			t.Errorf("in the same request %q", again)
		}
		raw, _ := s.Raw("blob")
		raw.([]byte)[2] = 'X'
		json, _ := s.Raw("list")
		json.(jsonText)[1] = 'X'
	})
	if want := `blob=[100 97 116 97] list=`; !strings.HasPrefix(got, want) {
		t.Errorf("stored %s, want %s", got, want)
	}
	inSession(t, func(s *holdfast.Session) { list.Set(s, map[string][]int{"a": {1}}) }, func(s *holdfast.Session) {
		var kept map[string][]int
		list.Update(s, func(m *map[string][]int) error { kept = *m; (*m)["a"][0] = 2; return nil })
		kept["a"][0] = 3
		if m, _ := list.Get(s); m["a"][0] != 2 {
			t.Errorf("a value kept from Update is shared: %v", m)
		}
	})
}

type jsonText = json.RawMessage

func TestRaw(t *testing.T) {
	when := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	inSession(t, func(s *holdfast.Session) {
		textKey.Set(s, "text")
		numberKey.Set(s, -7)
		holdfast.NewKey[uint16]("uint").Set(s, 7)
		holdfast.NewKey[float32]("float").Set(s, 0.5)
		holdfast.NewKey[bool]("bool").Set(s, true)
		holdfast.NewKey[[]byte]("bytes").Set(s, []byte{1})
		holdfast.NewKey[time.Time]("time").Set(s, when)
		holdfast.NewKey[point]("json").Set(s, point{X: 1})
		holdfast.NewKey("own", stars{130}).Set(s, 2)
	}, func(s *holdfast.Session) {
		for name, want := range map[string]any{
			"text": "text", "number": int64(-7), "uint": uint64(7), "float": 0.5, "bool": true, "bytes": []byte{1},
			"time": when, "json": json.RawMessage(`{"X":1,"Y":0}`), "own": []byte("**"),
		} {
			if got, ok := s.Raw(name); !ok || !equal(got, want) {
				t.Errorf("%s: %#v, %v; want %#v", name, got, ok, want)
			}
		}
		if got, ok := s.Raw("absent"); got != nil || ok {
			t.Errorf("absent: %v, %v", got, ok)
		}
	})
}

// Two programs of different ages share sessions: what one does not know, it keeps.
func TestAttributesThatAProgramDoesNotKnowAreCarried(t *testing.T) {
	got := inSession(t, func(s *holdfast.Session) {
		holdfast.NewKey("unknown", stars{130}).Set(s, 3)
		holdfast.NewKey[bool]("other type").Set(s, true)
		textKey.Set(s, "old")
	}, func(s *holdfast.Session) { textKey.Set(s, "new"); increment(s) })
	if got != "number=1 other type=true text=new unknown=[42 42 42]" {
		t.Errorf("stored %s", got)
	}
}

func TestAbsentAttributes(t *testing.T) {
	for name, begin := range map[string]func(*holdfast.Session){
		"no session": func(*holdfast.Session) {}, "session": func(s *holdfast.Session) { textKey.Set(s, "old") },
	} {
		t.Run(name, func(t *testing.T) {
			inSession(t, begin, func(s *holdfast.Session) {
				if n, err := numberKey.Lookup(s); n != 0 || err != holdfast.ErrNoAttribute {
					t.Errorf("Lookup: %d, %v; want 0, ErrNoAttribute", n, err)
				}
				if n, ok := numberKey.Get(s); n != 0 || ok {
					t.Errorf("Get: %d, %v", n, ok)
				}
				if n, ok := numberKey.Take(s); n != 0 || ok {
					t.Errorf("Take: %d, %v", n, ok)
				}
				if err := numberKey.Delete(s); err != nil || s.Err() != nil {
					t.Errorf("Delete: %v; kept %v", err, s.Err())
				}
				if s.Exists() != (name == "session") {
					t.Errorf("Exists: %v; looking for what is not there begins no session", s.Exists())
				}
			})
		})
	}
}

func TestTake(t *testing.T) {
	got := inSession(t, func(s *holdfast.Session) { textKey.Set(s, "once"); numberKey.Set(s, 7) }, func(s *holdfast.Session) {
		if v, ok := textKey.Take(s); v != "once" || !ok {
			t.Errorf("Take: %q, %v", v, ok)
		}
		if v, ok := textKey.Take(s); v != "" || ok {
			t.Errorf("Take again: %q, %v", v, ok)
		}
	})
	if got != "number=7" {
		t.Errorf("stored %s", got)
	}
}

func TestFlash(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	flash := holdfast.NewFlash[point]("messages")
	v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) {
		flash.Add(s, point{X: 1})
		flash.Add(s, point{X: 2})
	})}
	v.session(m, func(s *holdfast.Session) { flash.Add(s, point{X: 3}) }).get("/")
	v.session(m, func(s *holdfast.Session) {
		if got := flash.Take(s); !slices.Equal(got, []point{{X: 1}, {X: 2}, {X: 3}}) {
			t.Errorf("first %v", got)
		}
		if got := flash.Take(s); got != nil {
			t.Errorf("a second time in the request %v", got)
		}
	}).get("/")
	on.drain()
	v.session(m, func(s *holdfast.Session) {
		if got := flash.Take(s); got != nil {
			t.Errorf("a second time %v", got)
		}
	}).get("/")
	if log := on.drain(); log != "get" {
		t.Errorf("taking nothing cost %s, want one get", log)
	}
}

func TestClearAndNames(t *testing.T) {
	names := func(s *holdfast.Session) string { return fmt.Sprint(slices.Collect(s.Names())) }
	got := inSession(t, func(s *holdfast.Session) {
		if got := names(s); got != "[]" || s.Exists() {
			t.Errorf("names of no session: %s", got)
		}
		s.Clear()
		if s.Exists() {
			t.Error("clearing nothing began a session")
		}
		for _, name := range []string{"c", "a", "b"} {
			holdfast.NewKey[bool](name).Set(s, true)
		}
		if got := names(s); got != "[a b c]" {
			t.Errorf("names before the commit: %s", got)
		}
	}, func(s *holdfast.Session) {
		for name := range s.Names() { // changes during the loop are allowed
			holdfast.NewKey[bool](name).Delete(s)
			holdfast.NewKey[bool]("new"+name).Set(s, true)
		}
		if got := names(s); got != "[newa newb newc]" {
			t.Errorf("names after the loop: %s", got)
		}
		for name := range s.Names() {
			if name == "newb" {
				break
			}
		}
		s.Clear()
		if got := names(s); got != "[]" || !s.Exists() {
			t.Errorf("after Clear: %s, exists: %v", got, s.Exists())
		}
		textKey.Set(s, "after")
	})
	if got != "text=after" {
		t.Errorf("stored %s", got)
	}
}

func TestTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		options   holdfast.Options
		set       func(*holdfast.Session)
		idle, end time.Duration // end: from now; 0: never
	}{
		"default":                  {holdfast.Options{}, nil, 30 * time.Minute, 30 * time.Minute},
		"option":                   {holdfast.Options{IdleTimeout: time.Hour}, nil, time.Hour, time.Hour},
		"option never":             {holdfast.Options{IdleTimeout: holdfast.Never}, nil, holdfast.Never, 0},
		"option negative":          {holdfast.Options{IdleTimeout: -time.Hour}, nil, holdfast.Never, 0},
		"absolute":                 {holdfast.Options{AbsoluteTimeout: time.Minute}, nil, 30 * time.Minute, time.Minute},
		"absolute never":           {holdfast.Options{AbsoluteTimeout: holdfast.Never}, nil, 30 * time.Minute, 30 * time.Minute},
		"never but absolute":       {holdfast.Options{IdleTimeout: holdfast.Never, AbsoluteTimeout: time.Hour}, nil, holdfast.Never, time.Hour},
		"SetIdleTimeout":           {holdfast.Options{}, func(s *holdfast.Session) { s.SetIdleTimeout(time.Minute) }, time.Minute, time.Minute},
		"SetIdleTimeout never":     {holdfast.Options{}, func(s *holdfast.Session) { s.SetIdleTimeout(holdfast.Never) }, holdfast.Never, 0},
		"SetIdleTimeout zero":      {holdfast.Options{}, func(s *holdfast.Session) { s.SetIdleTimeout(0) }, holdfast.Never, 0},
		"SetIdleTimeout, absolute": {holdfast.Options{AbsoluteTimeout: time.Hour}, func(s *holdfast.Session) { s.SetIdleTimeout(0) }, holdfast.Never, time.Hour},
		"a bit is not never":       {holdfast.Options{}, func(s *holdfast.Session) { s.SetIdleTimeout(1) }, time.Millisecond, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, newTap(), &c.options)
				v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) {
					if s.IdleTimeout() != 0 || !s.Expires().IsZero() {
						t.Errorf("without a session: idle %v, expires %v", s.IdleTimeout(), s.Expires())
					}
					increment(s)
					if c.set != nil {
						c.set(s)
					}
				})}
				v.session(m, func(s *holdfast.Session) {
					end := time.Duration(0)
					if !s.Expires().IsZero() {
						end = time.Until(s.Expires())
					}
					if s.IdleTimeout() != c.idle || end != c.end {
						t.Errorf("idle %v, expires in %v; want %v, %v", s.IdleTimeout(), end, c.idle, c.end)
					}
				}).get("/")
			})
		})
	}
}
