package demo

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMeterKnowsTheLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeter()
		if got := m.last(); got == nil || len(got) > 0 {
			t.Errorf("at first: got %v, want no points, and not null", got)
		}
		time.Sleep(interval)
		for i := range 100 {
			m.add(time.Duration(i+1)*time.Millisecond, i < 3)
		}
		want := point{At: time.Now().UnixMilli(), Requests: 100, Failed: 3, P50: 50, P99: 99, Rate: 200}
		if got := m.take(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for range 2 * minutePoints {
			time.Sleep(interval)
			if got := m.take(); got.Requests+got.Failed > 0 || got.P99 != 0 {
				t.Fatalf("got %+v, want a point of no requests", got)
			}
		}
		all := m.last()
		if span := all[len(all)-1].At - all[0].At; len(all) != minutePoints || span > time.Minute.Milliseconds() {
			t.Errorf("got %d points over %d ms, want %d within a minute", len(all), span, minutePoints)
		}
	})
}
