// Exactly plays schedules in such a way that the same schedule does the same again:
// with a build in which the product and Go's scheduler take their random numbers from the
// schedule's seed, and with one processor for each process.
//
//	go run ./integration/schedules/exactly -processes 2 -- -schedules 10000
//	go run ./integration/schedules/exactly -- -replay file -times 20
//
// What is behind the -- are flags of the test. Nothing on disk is changed: the build
// takes an overlay.
package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

const (
	root  = "github.com/holdfast-sessions/holdfast"
	tests = root + "/integration/schedules"
)

//go:embed seeded.go.txt
var seededFile []byte

//go:embed dice.go.txt
var diceFile []byte

func main() {
	processes := flag.Int("processes", 1, "how many play at the same time, each its part")
	first := flag.Uint64("first", 1, "seed of the first schedule")
	count := flag.Int("schedules", 200, "how many, in all processes")
	timeout := flag.String("timeout", "15m", "of each process")
	race := flag.Bool("race", false, "build with the race detector")
	flag.Parse()
	if err := run(*processes, *first, *count, *timeout, *race, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "exactly:", err)
		os.Exit(1)
	}
}

func run(processes int, first uint64, count int, timeout string, race bool, args []string) error {
	dir, err := os.MkdirTemp("", "exactly")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := build(dir, race)
	if err != nil {
		return err
	}
	var playing sync.WaitGroup
	failed := make([]error, processes)
	for i := range processes {
		from, to := count*i/processes, count*(i+1)/processes
		mine := []string{
			"-test.run", "TestSchedule$", "-test.v", "-test.timeout", timeout,
			"-first", fmt.Sprint(first + uint64(from)), "-schedules", fmt.Sprint(to - from),
		}
		playing.Go(func() { failed[i] = start(binary, append(mine, args...), processes > 1) })
	}
	playing.Wait()
	return errors.Join(failed...)
}

// start runs the tests on one processor: then goroutines take turns in the same order.
// What several processes print comes when each is at its end.
func start(binary string, args []string, several bool) error {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if several {
		cmd.Stdout, cmd.Stderr = &out, &out
	}
	err := cmd.Run()
	_, _ = os.Stdout.Write(out.Bytes())
	return err
}

func build(dir string, race bool) (binary string, err error) {
	overlay, err := writeOverlay(dir)
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "schedules.test")
	args := []string{"test", "-c", "-vet=off", "-overlay", overlay, "-o", binary}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, tests)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return binary, cmd.Run()
}

// An overlay is the files of a build that come from elsewhere.
type overlay struct {
	dir     string
	Replace map[string]string
}

func writeOverlay(dir string) (file string, err error) {
	rootDir, err := dirOf("-m", root)
	if err != nil {
		return "", err
	}
	testDir, err := dirOf(tests)
	if err != nil {
		return "", err
	}
	o := &overlay{dir, map[string]string{}}
	err = cmp.Or(
		o.add(filepath.Join(testDir, "seed_test.go"), seededFile),
		o.add(filepath.Join(rootDir, "internal/dice/dice.go"), diceFile),
		o.addProduct(rootDir),
		o.addRuntime(),
	)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, b, 0o600)
}

func dirOf(args ...string) (string, error) {
	out, err := exec.Command("go", append([]string{"list", "-f", "{{.Dir}}"}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

var randomImport = regexp.MustCompile(`(?m)^(import)?(\s+)(?:rand )?"math/rand/v2"$`)

// addProduct replaces the files of the root module that draw random numbers.
func (o *overlay) addProduct(rootDir string) error {
	return filepath.WalkDir(rootDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(rootDir, path, d)
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil || !randomImport.Match(b) {
			return err
		}
		return o.add(path, randomImport.ReplaceAll(b, []byte(`${1}${2}rand "`+root+`/internal/dice"`)))
	})
}

// skip leaves out other modules, and what is none.
func skip(rootDir, path string, d fs.DirEntry) error {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	if path != rootDir && (err == nil || strings.HasPrefix(d.Name(), ".")) {
		return fs.SkipDir
	}
	return nil
}

func (o *overlay) add(path string, content []byte) error {
	file := filepath.Join(o.dir, fmt.Sprint(len(o.Replace), ".go"))
	o.Replace[path] = file
	return os.WriteFile(file, content, 0o600)
}
