package memcachedstore

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestMetaCommands(t *testing.T) {
	version := store.Version{Generation: 3, Token: 18446744073709551614}
	item := store.Item{Value: []byte("a\r\nb"), Flags: 4294967295, TTL: time.Minute}
	for _, tc := range []struct {
		name    string
		request request
		want    string
	}{
		{"get", request{verb: get, key: "k"}, "mg k v c f t O65535\r\n"},
		{"head", request{verb: head, key: "k"}, "mg k c f t O65535\r\n"},
		{"touch", request{verb: touch, key: "k", item: item}, "mg k c T60 O65535\r\n"},
		{"put at any", request{verb: put, key: "k", item: item, at: store.Any}, "ms k 4 c F4294967295 T60 O65535\r\na\r\nb\r\n"},
		{"put at absent", request{verb: put, key: "k", item: item}, "ms k 4 c F4294967295 T60 ME O65535\r\na\r\nb\r\n"},
		{"put at a version", request{verb: put, key: "k", item: item, at: version}, "ms k 4 c F4294967295 T60 C18446744073709551614 O65535\r\na\r\nb\r\n"},
		{"put nothing", request{verb: put, key: "k", at: store.Any}, "ms k 0 c F0 T0 O65535\r\n\r\n"},
		{"delete at any", request{verb: remove, key: "k", at: store.Any}, "md k O65535\r\n"},
		{"delete at a version", request{verb: remove, key: "k", at: version}, "md k C18446744073709551614 O65535\r\n"},
		{"delete at absent", request{verb: remove, key: "k"}, "md k C18446744073709551615 O65535\r\n"},
	} {
		got := string(meta{}.appendCommand([]byte("before "), &tc.request, 65535))
		if want := "before " + tc.want; got != want {
			t.Errorf("%s: got %q, want %q", tc.name, got, want)
		}
	}
}
