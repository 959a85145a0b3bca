package measure

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in a few words on what something was measured, and what else it had to
// do before.
func Machine() string {
	text := fmt.Sprintf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if busy := LoadAverage(); busy != "" {
		text += fmt.Sprintf(", load averages before %s (above 0.5 it had other work, and the times are longer than they could be)", busy)
	}
	return text
}

// LoadAverage is of the last 1, 5 and 15 minutes; "" where the system does not say.
func LoadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(text))
	if err != nil || len(words) < 3 {
		return ""
	}
	return strings.Join(words[:3], ", ")
}
