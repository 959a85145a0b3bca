package memcachedstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

func TestNoFormatShowsThePassword(t *testing.T) {
	o := memcachedstore.Options{User: "bob", Password: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, o) + fmt.Sprintf(format, &o); strings.Contains(got, "hunter2") {
			t.Errorf("%s shows it: %s", format, got)
		}
	}
}
