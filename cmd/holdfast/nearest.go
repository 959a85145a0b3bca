package main

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/spelling"
)

// unknown is the error about a name that is not among known. It proposes the
// nearest, unless none is near.
func unknown(what, name string, known []string) error {
	if near, ok := spelling.Nearest(name, known); ok {
		return fmt.Errorf("unknown %s %s; did you mean %s?", what, name, near)
	}
	return fmt.Errorf("unknown %s %s", what, name)
}

func mapped(names []string, f func(string) string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = f(name)
	}
	return out
}
