package schedules

import (
	"fmt"
	"strconv"
	"strings"
)

// A Schedule is what happens to one cluster, step by step. All that is random in it,
// as the time that each message takes, comes from the seed and the step's number, so
// that a step does the same when others are taken out.
type Schedule struct {
	Seed  uint64
	Mode  string
	Nodes int
	Steps []Step
}

// A Step is one line: a client's operations, a fault, its repair, or a pause.
//
//	u1 update:n@app1                    the first user's browser asks app1
//	u2 set:a@app1 read:a@app2           two requests at the same moment
//	fault freeze home:u1 after=3        the node that is the first user's home, instead of the third request from now
//	mend                                the end of that fault, and of all that it has left behind
//	skip 20s                            nobody does anything
//	expire u1                           the same, until the first user's session is over
type Step struct {
	Number int
	Words  []string
}

// String is the schedule as text, which Parse reads.
func (s *Schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "schedule seed=%d mode=%s nodes=%d\n", s.Seed, s.Mode, s.Nodes)
	for _, step := range s.Steps {
		fmt.Fprintln(&b, step)
	}
	return b.String()
}

func (s Step) String() string { return fmt.Sprintf("%3d %s", s.Number, strings.Join(s.Words, " ")) }

// Parse reads the text of a schedule.
func Parse(text string) (*Schedule, error) {
	head, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	s := &Schedule{}
	if _, err := fmt.Sscanf(strings.TrimSpace(head), "schedule seed=%d mode=%s nodes=%d", &s.Seed, &s.Mode, &s.Nodes); err != nil {
		return nil, fmt.Errorf("schedules: %q is no first line of a schedule: %w", head, err)
	}
	if _, err := modeOf(s.Mode); err != nil {
		return nil, err
	}
	for line := range strings.Lines(rest) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		number, err := strconv.Atoi(words[0])
		if err != nil || len(words) == 1 {
			return nil, fmt.Errorf("schedules: %q is no step", line)
		}
		s.Steps = append(s.Steps, Step{number, words[1:]})
	}
	return s, nil
}
