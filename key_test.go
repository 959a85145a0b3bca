package holdfast_test

import (
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

func TestKeyHasItsName(t *testing.T) {
	if got := holdfast.NewKey[int]("visits").Name(); got != "visits" {
		t.Errorf("got %q, want %q", got, "visits")
	}
}
