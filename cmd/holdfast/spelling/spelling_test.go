package spelling

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"listen", "idle-timeout", "route"}
	for name, want := range map[string]string{
		"listen": "listen", "lsiten": "listen", "idletimeout": "idle-timeout", "idle_time_out": "idle-timeout", "rt": "", "banana": "", "": "",
	} {
		if got, _ := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q): got %q, want %q", name, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := edits(row.a, row.b); got != row.want {
			t.Errorf("edits(%q, %q): got %d, want %d", row.a, row.b, got, row.want)
		}
	}
}
