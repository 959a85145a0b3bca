package memcachedstore

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestClassicCommands(t *testing.T) {
	version := store.Version{Generation: 3, Token: 18446744073709551614}
	item := store.Item{Value: []byte("a\r\nb"), Flags: 4294967295, TTL: time.Minute}
	both := "k holdfast-end-8254c329a92850f6d539dd376f4816ee"
	for _, tc := range []struct {
		name    string
		request request
		want    string
	}{
		{"get", request{verb: get, key: "k"}, "gets " + both + "\r\n"},
		{"head", request{verb: head, key: "k"}, "gets " + both + "\r\n"},
		{"touch", request{verb: touch, key: "k", item: item}, "touch k 60\r\n"},
		{"put at any", request{verb: put, key: "k", item: item, at: store.Any}, "set k 4294967295 60 4\r\na\r\nb\r\n"},
		{"put at absent", request{verb: put, key: "k", item: item}, "add k 4294967295 60 4\r\na\r\nb\r\n"},
		{"put at a version", request{verb: put, key: "k", item: item, at: version}, "cas k 4294967295 60 4 18446744073709551614\r\na\r\nb\r\n"},
		{"put nothing", request{verb: put, key: "k", at: store.Any}, "set k 0 0 0\r\n\r\n"},
		{"delete at any", request{verb: remove, key: "k", at: store.Any}, "delete k\r\n"},
		{"delete at a version", request{verb: remove, key: "k", at: version}, "cas k 0 2592001 0 18446744073709551614\r\n\r\n"},
		{"delete at absent", request{verb: remove, key: "k"}, "cas k 0 2592001 0 18446744073709551615\r\n\r\n"},
	} {
		got := string(classic{}.appendCommand([]byte("before "), &tc.request, 65535))
		if want := "before " + tc.want; got != want {
			t.Errorf("%s: got %q, want %q", tc.name, got, want)
		}
	}
}
