package measure

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the main of a command that measures: it reads the flags, which its caller has
// defined, runs until the end or Ctrl-C, and does not return.
func Main(name string, run func(context.Context) error) {
	flag.Parse()
	if flag.NArg() > 0 {
		Exit(name, fmt.Errorf("unknown argument %q", flag.Arg(0)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	Exit(name, err)
}

// Exit ends the process, in failure if there is an error, which it tells.
func Exit(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}
