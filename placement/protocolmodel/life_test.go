package protocolmodel

import "testing"

// lives gives sessions an idle timeout of two ticks, and time.
func lives(ticks uint8) func(*Config) {
	return func(c *Config) { c.Life = Life{Idle: 2, Slack: 1, Ticks: ticks} }
}

// slack is how much an item outlives its session.
func slack(ticks uint8) func(*Config) {
	return func(c *Config) { c.Life.Slack = ticks }
}

// strict: also after a hang no session is served too long.
func strict(c *Config) { c.Life.Strict = true }

// resets makes the first client set another idle timeout.
func resets(to uint8) func(*Config) {
	return func(c *Config) { c.Life.Resets, c.Life.NewIdle = 1, to }
}

// lived are configurations like promised, in which time passes.
var lived = []question{
	{"two readers, time passes", one(2, Faults{}, Reader, Reader).and(lives(6))},
	{"two readers, time passes, a node crashes", one(2, Faults{Crashes: 1}, Reader, Reader).and(lives(6))},
	{"two readers, time passes, an answer is lost", one(2, Faults{Silences: 1}, Reader, Reader).and(lives(6))},
	{"two readers on three nodes, time passes, a node crashes", one(3, Faults{Crashes: 1}, Reader, Reader).and(lives(6))},
	{"two readers, time passes, two crashes, each after use", one(2, Faults{Crashes: 2, Used: true}, Reader, Reader).and(lives(6))},
	{"two readers on three nodes, time passes, an answer is lost", one(3, Faults{Silences: 1}, Reader, Reader).and(lives(6))},
	{"a writer and two readers, time passes", one(2, Faults{}, Writer, Reader, Reader).and(lives(6))},
	{"a writer sets a longer idle timeout, two readers", one(2, Faults{}, Writer, Reader, Reader).and(lives(6)).and(resets(4))},
	{"a writer sets a longer idle timeout, a reader, a node crashes", one(2, Faults{Crashes: 1}, Writer, Reader).and(lives(6)).and(resets(4))},
	{"a writer sets a longer idle timeout, a reader, an answer is lost", one(2, Faults{Silences: 1}, Writer, Reader).and(lives(6)).and(resets(4))},
	{"a writer sets a shorter idle timeout, two readers", one(2, Faults{}, Writer, Reader, Reader).and(lives(5)).and(resets(1))},
	{"a writer sets a shorter idle timeout, a reader, a node crashes", one(2, Faults{Crashes: 1}, Writer, Reader).and(lives(6)).and(resets(1))},
	{"a writer sets a shorter idle timeout, a reader, an answer is lost", one(2, Faults{Silences: 1}, Writer, Reader).and(lives(6)).and(resets(1))},
	{"a destroyer and a reader, time passes", one(2, Faults{}, Destroyer, Reader).and(lives(6))},
	{"a destroyer and a reader, time passes, a node crashes", one(2, Faults{Crashes: 1}, Destroyer, Reader).and(lives(6))},
	{"a destroyer and a reader, time passes, an answer is lost", one(2, Faults{Silences: 1}, Destroyer, Reader).and(lives(6))},
	{"a destroyer and a writer, time passes, an answer is lost", one(2, Faults{Silences: 1}, Destroyer, Writer).and(lives(6))},
	{"two readers, time passes, a node hangs", one(2, Faults{Hangs: 1}, Reader, Reader).and(lives(6))},
	{"a writer and a reader, time passes, a node hangs", one(2, Faults{Hangs: 1}, Writer, Reader).and(lives(6))},
	{"a writer and a reader on three nodes, time passes, a node hangs", one(3, Faults{Hangs: 1}, Writer, Reader).and(lives(6))},
	{"a destroyer and a reader, time passes, a node hangs", one(2, Faults{Hangs: 1}, Destroyer, Reader).and(lives(6))},
	{"a destroyer and a writer, time passes, a node hangs", one(2, Faults{Hangs: 1}, Destroyer, Writer).and(lives(6))},
	{"a destroyer and a writer of a shorter idle timeout, a node hangs", one(3, Faults{Hangs: 1}, Writer, Destroyer).and(lives(6)).and(resets(1))},
	{"a destroyer and a reader on three nodes, time passes, a node hangs", one(3, Faults{Hangs: 1}, Destroyer, Reader).and(lives(6))},
	{"a creator and a destroyer on three nodes, time passes, a node hangs", one(3, Faults{Hangs: 1}, Creator, Destroyer).and(lives(6)).and(unborn)},
	{"two destroyers, time passes, a node hangs", one(2, Faults{Hangs: 1}, Destroyer, Destroyer).and(lives(6))},
	{"a destroyer and a reader after a move, time passes, a node hangs", one(3, Faults{Hangs: 1}, Destroyer, Reader).and(lives(6)).and(moved)},
	{"two readers after a move, time passes, a node crashes", one(3, Faults{Crashes: 1}, Reader, Reader).and(lives(6)).and(moved)},
	{"a creator and a reader on three nodes, time passes, a node hangs", one(3, Faults{Hangs: 1}, Creator, Reader, Reader).and(lives(5)).and(unborn)},
}

func TestPromisesHoldWhileTimePasses(t *testing.T) {
	for _, q := range lived {
		t.Run(q.name, func(t *testing.T) { holdsEverywhere(t, q.config) })
		t.Run(q.name+", more slack", func(t *testing.T) { holdsEverywhere(t, q.config.and(slack(2))) })
	}
}
