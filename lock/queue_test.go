package lock

import (
	"slices"
	"testing"
)

func TestAQueueIsReadAsItWasWritten(t *testing.T) {
	for _, q := range []queue{
		nil,
		{{owner: 1, beat: 2, held: true}},
		{{owner: 1<<64 - 1, beat: 1<<32 - 1, held: true}, {owner: 3}, {owner: 4, beat: 5}},
	} {
		got, err := parse(q.value())
		if err != nil || !slices.Equal(got, q) {
			t.Errorf("got %v, error %v; want %v", got, err, q)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(queue{{owner: 1, beat: 2, held: true}, {owner: 3}}.value())
	f.Add([]byte("locked"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parse(b)
		if err != nil {
			return
		}
		again, err := parse(q.value())
		if err != nil || !slices.Equal(again, q) {
			t.Errorf("%v is read back as %v, error %v", q, again, err)
		}
	})
}
