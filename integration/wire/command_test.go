package wire

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestReadCommand(t *testing.T) {
	for _, c := range []struct{ name, stream, verb, key, rest string }{
		{"a meta get", "mg k v c\r\nmn\r\n", "mg", "k", "mn\r\n"},
		{"a data block that looks like commands", "ms k 6 c\r\nmg x\r\n\r\nmn\r\n", "ms", "k", "mn\r\n"},
		{"a classic set", "set k 0 0 3\r\nabc\r\nget k\r\n", "set", "k", "get k\r\n"},
		{"an empty data block", "ms k 0\r\n\r\nmn\r\n", "ms", "k", "mn\r\n"},
		{"no key", "mn\r\n", "mn", "", ""},
		{"a line end without CR", "version\nmn\r\n", "version", "", "mn\r\n"},
		{"an empty line", "\r\nmn\r\n", "", "", "mn\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(c.stream))
			cmd, err := readCommand(in)
			if err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(in)
			if cmd.Verb != c.verb || cmd.Key != c.key || string(rest) != c.rest {
				t.Errorf("got verb %q key %q rest %q, want %q %q %q", cmd.Verb, cmd.Key, rest, c.verb, c.key, c.rest)
			}
			if string(cmd.raw)+string(rest) != c.stream {
				t.Errorf("forwards %q of %q", cmd.raw, c.stream)
			}
		})
	}
}

func TestReadCommandRefusesWhatItCannotFollow(t *testing.T) {
	for _, stream := range []string{"ms k x\r\n", "ms k -1\r\n", "set k 0 0 99999999999\r\n", "ms k 5\r\nab", "mg k"} {
		if cmd, err := readCommand(bufio.NewReader(strings.NewReader(stream))); err == nil {
			t.Errorf("%q gave the command %q", stream, cmd.raw)
		}
	}
}

func TestHasLooksAtFlagsOnly(t *testing.T) {
	for _, c := range []struct {
		line string
		flag byte
		want bool
	}{
		{"mg tkey v T30\r\n", 'T', true},
		{"mg tkey v T30\r\n", 'k', false},
		{"ms v 5 c\r\nvalue\r\n", 'v', false},
		{"ms k 5 c\r\nvalue\r\n", 'c', true},
		{"mn\r\n", 'n', false},
	} {
		cmd, err := readCommand(bufio.NewReader(strings.NewReader(c.line)))
		if err != nil {
			t.Fatal(err)
		}
		if got := cmd.Has(c.flag); got != c.want {
			t.Errorf("%q has flag %c: %v, want %v", c.line, c.flag, got, c.want)
		}
	}
}
