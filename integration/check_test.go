package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// The command that an operator runs on a staging cluster, on real processes.

// A checkRun is one "holdfast check" under way, with what it has said.
type checkRun struct {
	t          *testing.T
	cmd        *exec.Cmd
	out        bytes.Buffer
	said, page string // files: its standard error, and the page
}

func startCheck(t *testing.T, args ...string) *checkRun {
	t.Helper()
	folder := t.TempDir()
	r := &checkRun{t: t, said: filepath.Join(folder, "said"), page: filepath.Join(folder, "report.html")}
	said, err := os.Create(r.said)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	r.cmd = exec.Command(commandPath(t), append([]string{"check", "--json", "--html", r.page}, args...)...)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

func (r *checkRun) progress() string {
	said, _ := os.ReadFile(r.said)
	return string(said)
}

// checkReport is what these tests look at of a report.
type checkReport struct {
	Verdict    string
	Violations []string
	Accepted   int
	Faults     []struct{ What string }
}

// ends waits for its end and returns the report.
func (r *checkRun) ends(status int) (report checkReport) {
	r.t.Helper()
	_ = r.cmd.Wait()
	if err := json.Unmarshal(r.out.Bytes(), &report); err != nil {
		r.t.Fatalf("no report: %v: %s", err, r.progress())
	}
	if got := r.cmd.ProcessState.ExitCode(); got != status {
		r.t.Errorf("got exit status %d, want %d; %s%s", got, status, r.progress(), strings.Join(report.Violations, "\n\n"))
	}
	return report
}

// children are the processes that it has started and that still run.
func (r *checkRun) children() []string {
	listed, _ := exec.Command("pgrep", "-P", fmt.Sprint(r.cmd.Process.Pid)).Output()
	return strings.Fields(string(listed))
}

func TestCheckOfItsOwnCluster(t *testing.T) {
	run := startCheck(t, "--spawn", "3", "--seconds", "20")
	report := run.ends(0)
	t.Log(report.Verdict)
	page, err := os.ReadFile(run.page)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		if !strings.Contains(string(page), f.What) {
			t.Errorf("the page does not name the fault %q", f.What)
		}
	}
}

// An operator's nodes lose nothing by a check, and only what a check brought can be
// lost there. When all of them are emptied at once the check says so.
func TestCheckOfAnOperatorsCluster(t *testing.T) {
	a, b := servers.StartMemcached(t), servers.StartMemcached(t)
	for _, node := range []*servers.Memcached{a, b} {
		if got := dialNode(t, node).ask("set theirs 0 0 3\r\nabc")[0]; got != "STORED" {
			t.Fatalf("set: got %q", got)
		}
	}
	nodes := fmt.Sprintf("n1:%s n2:%s", a.Addr, b.Addr)
	run := startCheck(t, "--nodes", nodes, "--seconds", "10", "--mode", "sticky-sync")
	report := run.ends(0)
	t.Log(report.Verdict)
	for _, node := range []*servers.Memcached{a, b} {
		if got := dialNode(t, node).ask("get theirs")[0]; got != "VALUE theirs 0 3" {
			t.Errorf("the operator's own item: got %q", got)
		}
	}

	run = startCheck(t, "--nodes", nodes, "--seconds", "10")
	waitFor(t, "sessions", func() bool { return strings.Contains(run.progress(), "3s ") })
	flush(t, a)
	flush(t, b)
	if report := run.ends(1); len(report.Violations) == 0 {
		t.Errorf("all sessions were lost, and the verdict is %q", report.Verdict)
	}
}

func TestInterruptedCheckEndsWhatItStarted(t *testing.T) {
	run := startCheck(t, "--spawn", "2", "--seconds", "600")
	waitFor(t, "a fault", func() bool { return regexp.MustCompile(`fault [1-9]`).MatchString(run.progress()) })
	children := run.children()
	if len(children) < 4 {
		t.Errorf("got %d children, want 3 app servers and 2 nodes, of which one may be dead", len(children))
	}
	if err := run.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if report := run.ends(1); report.Accepted == 0 || len(report.Violations) > 0 {
		t.Errorf("got %+v, want what was seen until then", report)
	}
	t.Logf("it ended %v after SIGINT", time.Since(started).Round(time.Millisecond))
	for _, pid := range children {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("process %s still runs", pid)
		}
	}
}
