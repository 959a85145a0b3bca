package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

func TestVisitsAreCounted(t *testing.T) {
	m := holdfasttest.New(t, nil)
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(hello)))
	for _, want := range []string{"visit 1\n", "visit 2\n"} {
		if got := browser.Get("/").Body.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The README shows this program from its package clause on.
func TestReadmeShowsThisProgram(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(source), "\npackage main")
	if !strings.Contains(string(readme), "```go\npackage main"+program+"```") {
		t.Error("README.md shows another program than main.go: copy it from its package clause on")
	}
}
