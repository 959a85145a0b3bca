package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASectionIsRenewedAndNothingElse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(name, []byte("above\n<!-- floor -->\nold\n<!-- end of floor -->\nbelow\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it finds what the first has written
		if err := renew(name, "floor", []byte("new\n")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if want := "above\n<!-- floor -->\n\nnew\n\n<!-- end of floor -->\nbelow\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if err := renew(name, "stations", nil); err == nil {
		t.Error("a section that is not there is renewed")
	}
}
