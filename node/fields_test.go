package node

import (
	"fmt"
	"testing"
)

func TestNumbersAreThoseOfC(t *testing.T) {
	for _, c := range []struct {
		word     string
		signed   string // as an int32, "" when refused
		unsigned string
	}{
		{"0", "0", "0"},
		{"+7", "7", "7"},
		{"-7", "-7", ""},
		{" \t12\r", "12", "12"},
		{"12x", "", ""},
		{"x", "", ""},
		{"", "", ""},
		{"-", "", ""},
		{"4294967296", "0", "4294967296"},
		{"9223372036854775807", "-1", "9223372036854775807"},
		{"9223372036854775808", "", "9223372036854775808"},
		{"-9223372036854775808", "0", ""},
		{"-9223372036854775809", "", "9223372036854775807"},
		{"18446744073709551615", "", "18446744073709551615"},
		{"18446744073709551616", "", ""},
		{"-18446744073709551615", "", "1"},
	} {
		if n, ok := parseInt32([]byte(c.word)); printed(n, ok) != c.signed {
			t.Errorf("parseInt32(%q): %s, want %s", c.word, printed(n, ok), c.signed)
		}
		if n, ok := parseUint64([]byte(c.word)); printed(n, ok) != c.unsigned {
			t.Errorf("parseUint64(%q): %s, want %s", c.word, printed(n, ok), c.unsigned)
		}
	}
}

func printed[T int32 | uint64](n T, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprint(n)
}
