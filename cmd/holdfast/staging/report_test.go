package staging

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sampleReport has everything that a report can have.
func sampleReport() *Report {
	op := history.Op{
		Session: "s1", Server: "app1", Kind: history.Update, Key: "hits", Value: "7",
		Span: history.Span{Start: time.Second, End: time.Second + 5*time.Millisecond},
	}
	lost := op
	lost.Kind, lost.Outcome, lost.Missing, lost.Former = history.Read, history.Unknown, true, true
	r := &Report{
		Wrong:   []string{`session s1, key hits: "7" & <then> "6"`},
		Lacking: []string{"no logout was accepted"},
		Mode:    "sticky-sync", Seed: 7, Seconds: 3, Servers: 3, Nodes: 2, OwnNodes: true,
		counts: counts{90, 6, 4}, Judged: 250, Share: .04, P50: 1.5, P99: 250, Max: 1001.25, Sessions: 12,
		Done: map[string]int{"read": 60, "set": 30},
		Faults: []*Fault{
			{At: .5, What: "kill -9 of app1", Lasted: .25, UnderWay: 9, Accepted: .004, Repaired: 1.5},
			{At: 2.25, What: "flush_all of n2", UnderWay: 5, Accepted: .1},
		},
		Stood: []Standstill{{At: .7, Lasted: .75}, {At: 1.5, Lasted: 1.25}},
		Moments: []Moment{
			{At: 0, Width: 1, counts: counts{Accepted: 50}, P50: 1, P99: 20},
			{At: 1, Width: 1, counts: counts{0, 0, 0}},
			{At: 2, Width: 1, counts: counts{40, 6, 4}, P50: 2, P99: 1000},
		},
		Evidence: map[string][]Step{"s1": {stepOf(op), stepOf(lost)}},
	}
	r.Verdict = r.verdict()
	return r
}

func TestJSONOfAReport(t *testing.T) {
	var got bytes.Buffer
	if err := sampleReport().JSON(&got); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/report.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got %s\nwant %s", &got, want)
	}
}

func TestTextOfAReport(t *testing.T) {
	var got bytes.Buffer
	if err := sampleReport().Text(&got); err != nil {
		t.Fatal(err)
	}
	wantAll(t, got.String(), "Promises were broken: 1 violation in", "kill -9 of app1", "flush_all of n2", `"7" & <then> "6"`, "no logout", "4.00 %", "60 read, 30 set", "stood still 2 times, for 1.2 s at most.")
}

func wantAll(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("got %s\nwant %q in it", text, want)
		}
	}
}

func TestPageOfAReport(t *testing.T) {
	var page bytes.Buffer
	if err := sampleReport().HTML(&page); err != nil {
		t.Fatal(err)
	}
	text, elements := parsePage(t, page.String())
	wantAll(t, text, "Promises were broken: 1 violation in", "kill -9 of app1", "1: kill -9 of app1", "2: flush_all of n2", `"7" & <then> "6"`, "no logout", "no such session", "never", "stood still 2 times")
	if elements["svg"] != 2 || elements["polyline"] != 4 || elements["script"] != 0 {
		t.Errorf("got %v, want two plots with two curves each, and no script", elements)
	}
	if remote := regexp.MustCompile(`(?i)(src|href)=|url\(|@import|https?:`).FindString(page.String()); remote != "" {
		t.Errorf("the page has %q: it must need nothing else", remote)
	}
}

// parsePage returns the text of a page and how many there are of each element. It
// fails if one is not closed.
func parsePage(t *testing.T, page string) (text string, elements map[string]int) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	elements = map[string]int{}
	for open := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && open == 0 {
			return text, elements
		}
		if err != nil {
			t.Fatalf("not a page: %v, with %d elements open", err, open)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open++
			elements[token.Name.Local]++
		case xml.EndElement:
			open--
		case xml.CharData:
			text += string(token)
		}
	}
}

func TestEmptyReportHasAPage(t *testing.T) {
	var page bytes.Buffer
	if err := new(Report).HTML(&page); err != nil {
		t.Fatal(err)
	}
	parsePage(t, page.String())
	if strings.Contains(page.String(), "NaN") || strings.Contains(page.String(), "Inf") {
		t.Errorf("got %s", &page)
	}
}

func TestVerdict(t *testing.T) {
	full := func() *Report {
		r := &Report{Seconds: 10, counts: counts{Accepted: 100}, Done: map[string]int{}, Faults: []*Fault{{UnderWay: 1}}}
		for _, kind := range []string{"begin", "set", "delete", "update", "read", "login", "renew", "logout"} {
			r.Done[kind] = 1
		}
		return r
	}
	for name, c := range map[string]struct {
		change func(*Report)
		want   string // part of the verdict and what is lacking
		good   bool
	}{
		"all is well":                     {func(*Report) {}, "All promises were kept", true},
		"a promise was broken":            {func(r *Report) { r.Wrong = []string{"x"} }, "Promises were broken: 1", false},
		"too much is unknown":             {func(r *Report) { r.Share = .051 }, "5.1 % of all requests", false},
		"the most may be unknown":         {func(r *Report) { r.Share = .05 }, "All promises were kept", true},
		"too few requests":                {func(r *Report) { r.Accepted = 99 }, "99 requests were accepted", false},
		"no fault":                        {func(r *Report) { r.Faults = nil }, "nothing has failed", false},
		"nothing under way at any fault":  {func(r *Report) { r.Faults[0].UnderWay = 0 }, "while requests were under way", false},
		"no login":                        {func(r *Report) { delete(r.Done, "login") }, "no login was accepted", false},
		"nothing expired in a long time":  {func(r *Report) { r.Seconds, r.Accepted = 20, 200 }, "no expire was accepted", false},
		"something expired, as it should": {func(r *Report) { r.Seconds, r.Accepted, r.Done["expire"] = 20, 200, 1 }, "All promises were kept", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := full()
			c.change(r)
			r.Lacking = r.lacks()
			r.Verdict = r.verdict()
			wantAll(t, r.Verdict+strings.Join(r.Lacking, "\n"), c.want)
			if got := r.Err() == nil; got != c.good {
				t.Errorf("success: got %v, want %v", got, c.good)
			}
		})
	}
}

func TestMomentsAreFewEnoughForAPlot(t *testing.T) {
	var samples []sample
	for second := range 601 {
		samples = append(samples, sample{Span: history.Span{Start: time.Duration(second) * time.Second}})
	}
	got := moments(samples)
	sum := 0
	for _, m := range got {
		sum += m.all()
	}
	if len(got) > mostMoments || got[0].Width != 5 || sum != len(samples) {
		t.Errorf("got %d moments of %v s with %d samples, want at most %d of 5 s with %d", len(got), got[0].Width, sum, mostMoments, len(samples))
	}
}
