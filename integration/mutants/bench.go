package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A bench builds tests, with a mutant or without, and runs drills.
type bench struct {
	root    string
	scratch string
	timeout time.Duration
	out     io.Writer
	verbose bool
}

// A trial is what became of one mutant.
type trial struct {
	mutant  mutant
	err     error // it could not be tried
	results []result
	took    time.Duration
}

// killers are the drills that noticed.
func (t *trial) killers() []result {
	return slices.DeleteFunc(slices.Clone(t.results), func(r result) bool { return !r.killed() })
}

// checkDrills sees to it that all drills pass, and test something, without a mutant.
func (b *bench) checkDrills(ctx context.Context, mutants []mutant) error {
	var drills []drill
	for _, m := range mutants {
		drills = append(drills, m.drills...)
	}
	slices.SortFunc(drills, func(x, y drill) int { return strings.Compare(x.String(), y.String()) })
	drills = slices.Compact(drills)
	say(b.out, "%d drills without a mutant\n", len(drills))
	results, err := b.runAll(ctx, filepath.Join(b.scratch, "none"), "", drills, false, "-test.v")
	if err != nil {
		return err
	}
	for _, r := range results {
		switch {
		case r.failed || r.late:
			err = errors.Join(err, fmt.Errorf("%v fails without any mutant:\n%s", r.drill, r.end()))
		case r.passed == 0:
			err = errors.Join(err, fmt.Errorf("%v runs no test: rename it in the patches too", r.drill))
		}
	}
	return err
}

func (b *bench) try(ctx context.Context, m mutant, fast bool) trial {
	began, t := time.Now(), trial{mutant: m}
	dir := filepath.Join(b.scratch, m.name)
	over, err := overlay(ctx, b.root, dir, m)
	if err == nil {
		t.results, err = b.runAll(ctx, dir, over, m.drills, fast)
	}
	t.err, t.took = err, time.Since(began)
	return t
}

// runAll runs drills one after the other; of each package there is one build, in dir.
func (b *bench) runAll(ctx context.Context, dir, over string, drills []drill, fast bool, flags ...string) (results []result, err error) {
	built := map[string]string{}
	for _, d := range drills {
		if built[d.pkg] == "" {
			path := filepath.Join(dir, fmt.Sprintf("%d.test", len(built)))
			if err := b.build(ctx, d.pkg, over, path); err != nil {
				return results, err
			}
			built[d.pkg] = path
		}
		r := b.drill(ctx, d, built[d.pkg], flags)
		say(b.out, "   %v\n", r)
		results = append(results, r)
		if fast && r.killed() || ctx.Err() != nil {
			break
		}
	}
	return results, ctx.Err()
}

// build is apart from running, so that what does not build is never taken for killed.
func (b *bench) build(ctx context.Context, pkg, over, path string) error {
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay="+over, "-o", path, pkg)
	build.Dir = b.root
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not build: %s", pkg, strings.TrimSpace(string(said)))
	}
	return nil
}

// drill runs the tests of d, built at path, where go test would.
func (b *bench) drill(ctx context.Context, d drill, path string, flags []string) result {
	began := time.Now()
	flags = append([]string{"-test.failfast", "-test.run", d.pattern, "-test.timeout", b.timeout.String()}, flags...)
	test := exec.CommandContext(ctx, path, flags...)
	test.Dir = filepath.Join(b.root, d.pkg)
	said, err := test.CombinedOutput()
	r := readResult(d, string(said), err)
	r.took = time.Since(began)
	if b.verbose {
		say(b.out, "%s\n", r.end())
	}
	return r
}
