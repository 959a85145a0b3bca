package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// A plan is what the command line asks for.
type plan struct {
	only    *regexp.Regexp
	list    bool
	fast    bool // one drill that kills is enough
	verbose bool
	timeout time.Duration // of one drill
}

func run(ctx context.Context, args []string, out io.Writer) error {
	p, err := parsePlan(args)
	if err != nil {
		return err
	}
	root, err := productRoot(ctx)
	if err != nil {
		return err
	}
	mutants, err := readMutants(filepath.Join(root, "integration", "mutants"), p.only)
	if err != nil {
		return err
	}
	if p.list {
		for _, m := range mutants {
			say(out, "%-34s %s\n", m.name, m.breaks)
		}
		return nil
	}
	return judge(ctx, root, mutants, p, out)
}

func parsePlan(args []string) (p plan, err error) {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	only := flags.String("only", "", "the mutants whose name matches this regular `expression`")
	flags.BoolVar(&p.list, "list", false, "only print the mutants and the promises that they break")
	flags.BoolVar(&p.fast, "fast", false, "leave a mutant at the first drill that kills it")
	flags.BoolVar(&p.verbose, "v", false, "print what the drills say")
	flags.DurationVar(&p.timeout, "timeout", 4*time.Minute, "of one drill")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	p.only, err = regexp.Compile(*only)
	return p, err
}

// productRoot is the directory of the module that is mutated.
func productRoot(ctx context.Context) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/holdfast-sessions/holdfast")
	dir, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("run it inside of the checkout: %w", err)
	}
	return strings.TrimSpace(string(dir)), nil
}

// judge has every mutant killed, and prints by what.
func judge(ctx context.Context, root string, mutants []mutant, p plan, out io.Writer) error {
	scratch, err := os.MkdirTemp("", "mutants.")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	b := &bench{root: root, scratch: scratch, timeout: p.timeout, out: out, verbose: p.verbose}
	began := time.Now()
	if err := b.checkDrills(ctx, mutants); err != nil {
		return err
	}
	var trials []trial
	for i, m := range mutants {
		say(out, "%d of %d  %s\n", i+1, len(mutants), m.name)
		trials = append(trials, b.try(ctx, m, p.fast))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return report(out, trials, time.Since(began))
}
