package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// RUNTIME. With one processor Go's own order of goroutines, map elements and select cases
// depends on random numbers, on the time of day, on the garbage collector, and on how
// many goroutines have run before. In the build of this program, in a bubble, it depends on
// the schedule's seed and on the bubble's time. The lines are those of Go 1.26; where a
// later Go has others, it does as it does, and plays are less exact.

// A change replaces one line of Go's own source.
type change struct{ file, why, old, new string }

var changes = []change{
	{
		"runtime/rand.go", "the order of map elements, and hash seeds",
		"func rand() uint64 {",
		"func rand() uint64 {\n\tif b := getg().bubble; b != nil {\n\t\treturn bubbleRand(b.now)\n\t}",
	},
	{
		"runtime/alg.go", "the hash of memory, where the processor helps",
		"key[i] = bootstrapRand()",
		"key[i] = 0x9e3779b97f4a7c15 * uint64(i+1)",
	},
	{
		"runtime/alg.go", "the hash of memory",
		"hashkey[i] = uintptr(bootstrapRand())",
		"hashkey[i] = uintptr(0x9e3779b97f4a7c15 * uint64(i+1))",
	},
	{
		"runtime/select.go", "which case of several that are ready",
		"j := cheaprandn(uint32(norder + 1))",
		"j := cheaprandn(uint32(norder + 1))\n\t\tif gp.bubble != nil {\n\t\t\tj = uint32(bubbleRand(gp.bubble.now+int64(norder)) % uint64(norder+1))\n\t\t}",
	},
	{
		"runtime/time.go", "which timer of several that are due",
		"t.rand = cheaprand()",
		"t.rand = uint32(bubbleRand(t.when + int64(len(ts.heap))))",
	},
	{
		"runtime/proc.go", "when a goroutine that has given way goes on: not after so many others",
		"if pp.schedtick%61 == 0 && !sched.runq.empty() {",
		"if false && !sched.runq.empty() {",
	},
	{
		"runtime/proc.go", "a goroutine that is slow today is not stopped",
		"const forcePreemptNS = 10 * 1000 * 1000 ",
		"const forcePreemptNS = 3600 * 1000 * 1000 * 1000 ",
	},
	{
		"internal/sync/mutex.go", "a lock that was waited for long today is not handed over",
		"starvationThresholdNs = 1e6",
		"starvationThresholdNs = 1e15",
	},
}

// bubbleRand is added to runtime/rand.go. It is splitmix64 (Steele, Lea, Flood: Fast
// splittable pseudorandom number generators, 2014) of a time in place of a counter: how
// often it was called before, which differs with what is cached, changes nothing.
//
//go:embed bubblerand.go.txt
var bubbleRand string

// addRuntime replaces files of Go's runtime.
func (o *overlay) addRuntime() error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(out)), "src")
	texts := map[string]string{}
	for _, c := range changes {
		text, ok := texts[c.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(source, c.file))
			if err != nil {
				return err
			}
			text = string(b)
		}
		if strings.Count(text, c.old) != 1 {
			fmt.Fprintf(os.Stderr, "exactly: this Go decides by itself: %s (%s has not one line %q)\n", c.why, c.file, c.old)
		}
		texts[c.file] = strings.Replace(text, c.old, c.new, 1)
	}
	texts["runtime/rand.go"] += bubbleRand
	for file, text := range texts {
		if err := o.add(filepath.Join(source, file), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
