package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// A cost is what one stack of calls took, of processor time or allocations.
type cost struct {
	stack  []string // the innermost call first
	amount float64
}

// profileCPU returns the microseconds that each stack took while work ran.
func profileCPU(work func() error) ([]cost, error) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		return nil, err
	}
	err := work()
	pprof.StopCPUProfile()
	if err != nil {
		return nil, err
	}
	return traced(profile.Bytes())
}

// traced has pprof resolve a profile.
func traced(profile []byte) ([]cost, error) {
	dir, err := os.MkdirTemp("", "floor-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // at worst it is left for the system to remove
	name := filepath.Join(dir, "cpu.pprof")
	if err := os.WriteFile(name, profile, 0o600); err != nil {
		return nil, err
	}
	text, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=ns", name).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return parseTraces(text)
}

// parseTraces reads what pprof prints: a stack has a time before its first call.
func parseTraces(text []byte) (costs []cost, err error) {
	for part := range bytes.SplitSeq(text, []byte("-----------+")) {
		_, part, _ = bytes.Cut(part, []byte("\n"))
		c := cost{}
		for line := range strings.Lines(string(part)) {
			words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), " (inline)"))
			if len(words) == 0 {
				continue
			}
			if c.stack == nil {
				ns, err := strconv.ParseFloat(strings.TrimSuffix(words[0], "ns"), 64)
				if err != nil || len(words) < 2 {
					break // the head
				}
				c.amount, words = ns/1000, words[1:]
			}
			c.stack = append(c.stack, strings.Join(words, " "))
		}
		if c.stack != nil {
			costs = append(costs, c)
		}
	}
	if len(costs) == 0 {
		return nil, fmt.Errorf("no stack in what pprof prints: %.200q", text)
	}
	return costs, nil
}

// profileAllocations returns how often each stack allocated while work ran.
func profileAllocations(work func() error) ([]cost, error) {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1
	before := allocations()
	if err := work(); err != nil {
		return nil, err
	}
	var costs []cost
	for stack, count := range allocations() {
		if count -= before[stack]; count > 0 {
			costs = append(costs, cost{stack: frames(stack[:]), amount: float64(count)})
		}
	}
	return costs, nil
}

// allocations counts those of each stack since the start of the process.
func allocations() map[[32]uintptr]int64 {
	for range 3 { // each collection publishes what was allocated before the one before it
		runtime.GC()
	}
	records := make([]runtime.MemProfileRecord, 10_000)
	n, ok := runtime.MemProfile(records, true)
	for ; !ok; n, ok = runtime.MemProfile(records, true) {
		records = make([]runtime.MemProfileRecord, 2*n)
	}
	counts := make(map[[32]uintptr]int64, n)
	for _, r := range records[:n] {
		counts[r.Stack0] += r.AllocObjects
	}
	return counts
}

func frames(stack []uintptr) (names []string) {
	for i, pc := range stack {
		if pc == 0 {
			stack = stack[:i]
			break
		}
	}
	all := runtime.CallersFrames(stack)
	for {
		frame, more := all.Next()
		if frame.Function != "" {
			names = append(names, frame.Function)
		}
		if !more {
			return names
		}
	}
}

// profiled is what the plan gives to a profile: its clock ticks 100 times a second.
const profiled = 40

func (p plan) profile() time.Duration { return profiled * p.slice }
