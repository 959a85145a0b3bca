package staging

import (
	"errors"
	"fmt"
	"time"
)

// A Report is what came of a check. Times are in seconds, latencies in milliseconds.
type Report struct {
	Verdict string   `json:"verdict"`
	Wrong   []string `json:"violations"` // of the promises
	Lacking []string `json:"lacking"`    // why too little was shown

	Mode     string  `json:"mode"`
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"seconds"`
	Servers  int     `json:"servers"`
	Nodes    int     `json:"nodes"`
	OwnNodes bool    `json:"own_nodes"` // memcached was started for it

	counts
	Judged   int            `json:"judged"`        // operations: a read tells of several attributes
	Share    float64        `json:"unknown_share"` // of all requests, from 0 to 1
	P50      float64        `json:"p50_ms"`
	P99      float64        `json:"p99_ms"`
	Max      float64        `json:"max_ms"`
	Sessions int64          `json:"sessions"`
	Done     map[string]int `json:"done"` // accepted requests, by kind
	Faults   []*Fault       `json:"faults"`
	Stood    []Standstill   `json:"standstills"`
	Moments  []Moment       `json:"moments"`

	Evidence map[string][]Step `json:"evidence,omitempty"` // all that was done to the sessions of the violations
}

// A Moment is what was sent in a time of Width seconds.
type Moment struct {
	At    float64 `json:"at"`
	Width float64 `json:"width"`
	counts
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
}

// report is that of a check that ended early for a reason, or not.
func (c *check) report(early error) *Report {
	samples := c.meter.snapshot()
	sum, took := total(samples)
	r := &Report{
		Wrong: lines(c.seen.Check()), Lacking: []string{}, Mode: c.Mode.Name, Seed: c.Seed, Seconds: c.now().Seconds(),
		Servers: c.Servers, Nodes: len(c.cluster.nodes), OwnNodes: c.Spawn > 0,
		counts: sum, Judged: c.seen.Len(), Share: float64(sum.Unknown) / float64(max(1, sum.all())),
		P50: percentile(took, 50), P99: percentile(took, 99), Max: percentile(took, 100),
		Sessions: c.names.Load(), Done: c.meter.kinds(), Faults: append([]*Fault{}, c.blows...),
		Stood: append([]Standstill{}, c.pulse.stills...), Moments: moments(samples),
	}
	r.Evidence = c.seen.evidence(r.Wrong)
	if c.unread > 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d sessions cannot be read at the end, though nothing fails any more", c.unread))
	}
	if early != nil {
		r.Lacking = append(r.Lacking, "it did not get to its end: "+early.Error())
	}
	r.Lacking = append(r.Lacking, r.lacks()...)
	r.Verdict = r.verdict()
	return r
}

const mostMoments = 150 // that a plot can show

// moments sorts samples by the seconds in which they were sent.
func moments(samples []sample) (all []Moment) {
	var last time.Duration
	for _, s := range samples {
		last = max(last, s.Start)
	}
	width := time.Second * max(1, 1+last/(mostMoments*time.Second))
	parts := make([][]sample, 1+last/width)
	for _, s := range samples {
		parts[s.Start/width] = append(parts[s.Start/width], s)
	}
	for i, part := range parts {
		sum, took := total(part)
		all = append(all, Moment{(time.Duration(i) * width).Seconds(), width.Seconds(), sum, percentile(took, 50), percentile(took, 99)})
	}
	return all
}

const (
	mostUnknown    = 0.05 // of all requests
	fewestASecond  = 10   // accepted requests
	secondsToSleep = 20   // of load, within which a session surely expires
)

// lacks is why too little was shown.
func (r *Report) lacks() (lacking []string) {
	lack := func(is bool, format string, args ...any) {
		if is {
			lacking = append(lacking, fmt.Sprintf(format, args...))
		}
	}
	lack(r.Share > mostUnknown, "%.1f %% of all requests have an unknown outcome: more than %.0f %%", r.Share*100, mostUnknown*100)
	lack(r.Accepted < int(fewestASecond*r.Seconds), "%d requests were accepted: fewer than %d a second", r.Accepted, fewestASecond)
	lack(len(r.Faults) == 0, "nothing has failed")
	idle := 0
	for _, f := range r.Faults {
		if f.UnderWay == 0 {
			idle++
		}
	}
	lack(idle > 0 && idle == len(r.Faults), "no fault struck while requests were under way")
	for _, kind := range []string{"begin", "set", "delete", "update", "read", "login", "renew", "logout", "expire"} {
		lack(r.Done[kind] == 0 && (kind != "expire" || r.Seconds >= secondsToSleep), "no %s was accepted", kind)
	}
	return lacking
}

// verdict is all in one sentence.
func (r *Report) verdict() string {
	done := fmt.Sprintf("%d requests on %d sessions while %s struck", r.all(), r.Sessions, many(len(r.Faults), "fault"))
	switch {
	case len(r.Wrong) > 0:
		return fmt.Sprintf("Promises were broken: %s in %s.", many(len(r.Wrong), "violation"), done)
	case len(r.Lacking) > 0:
		return fmt.Sprintf("No promise was seen broken in %s, but this proves too little.", done)
	}
	return fmt.Sprintf("All promises were kept: %s.", done)
}

func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Err is nil if all promises were kept and enough was done to say so.
func (r *Report) Err() error {
	if len(r.Wrong)+len(r.Lacking) == 0 {
		return nil
	}
	return errors.New(r.Verdict)
}
