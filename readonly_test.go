package holdfast

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

func TestWhatAutoLocksLearnIsBounded(t *testing.T) {
	learned := newReadOnly()
	page := httptest.NewRequest("GET", "/page", nil)
	for range enoughReads {
		learned.note(page, false)
	}
	if !learned.knows(page) {
		t.Fatal("it has not learned")
	}
	for i := range 3 * maxLearned {
		learned.note(httptest.NewRequest("GET", fmt.Sprint("/page", i), nil), false)
		if n := learned.reads.Len(); n > 2*maxLearned {
			t.Fatalf("it has learned of %d paths", n)
		}
	}
	if learned.knows(page) {
		t.Error("what it forgot is not locked again")
	}
}

func TestWhatIsAskedForOftenIsNotForgotten(t *testing.T) {
	learned := newReadOnly()
	page := httptest.NewRequest("GET", "/page", nil)
	for i := range 3 * maxLearned {
		learned.note(page, false)
		learned.note(httptest.NewRequest("GET", fmt.Sprint("/page", i), nil), false)
	}
	if !learned.knows(page) {
		t.Error("it has forgotten")
	}
}
