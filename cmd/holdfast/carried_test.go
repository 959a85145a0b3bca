package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

func contextFile(t *testing.T, attributes string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "context.xml")
	content := `<Context><Manager className="de.javakaffee.web.msm.MemcachedBackupSessionManager" memcachedNodes="n1:127.0.0.1:11211" ` + attributes + `/></Context>`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesThatManyStartedFromStart(t *testing.T) {
	files, err := filepath.Glob("tomcat/testdata/*.xml")
	if err != nil || len(files) != 4 {
		t.Fatalf("got %q and error %v, want four files", files, err)
	}
	for _, file := range files {
		if code, said := check(t, "--context-xml", file); code != exitOK || !strings.Contains(said, "sticky = ") {
			t.Errorf("%s: got exit code %d: %s", file, code, said)
		}
	}
}

func TestContextXMLIsTheWeakestPlace(t *testing.T) {
	xml := contextFile(t, `sticky="false" maxInactiveInterval="60" operationTimeout="200" storageKeyPrefix="static:xml" lockExpiration="9"`)
	file := configFile(t, "context-xml = "+tomlString(xml)+"\nidle-timeout = '2m'\noperation-timeout = '1s'\nnamespace = 'file'")
	c, err := parse(t, []string{"app", "--config", file, "--namespace=flag"}, []string{"HOLDFAST_OPERATION_TIMEOUT=3s"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(c.App.Nodes, c.App.options(nil).IdleTimeout, c.App.options(nil).OperationTimeout, c.App.Namespace, c.App.options(nil).Locking.Lease)
	if want := "n1:127.0.0.1:11211 2m0s 3s flag 9s\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestContextXMLIsNamedInErrors(t *testing.T) {
	xml := contextFile(t, `requestUriIgnorePattern="(?!x)"`)
	wantErrorWith(t, []string{"app", "--context-xml", xml}, nil, "holdfast: "+xml+": line 1: Manager requestUriIgnorePattern: want a pattern")
	wantErrorWith(t, []string{"app"}, []string{"HOLDFAST_CONTEXT_XML=" + xml}, "requestUriIgnorePattern")
	wantErrorWith(t, []string{"app", "--context-xml", contextFile(t, `stikcy="true"`)}, nil, "did you mean sticky?")
	wantErrorWith(t, []string{"app", "--context=/shop"}, nil, "--context-xml")
}

func TestContradictingAttributesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "context.xml")
	content := `<Context usePartitioned="true"><CookieProcessor partitioned="false"/><Manager/></Context>`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	wantErrorWith(t, []string{"app", "--context-xml", path}, nil, "contradict each other")
}

func TestStickySettingsOfTheFileContradictAFlag(t *testing.T) {
	code, said := check(t, "--context-xml", contextFile(t, `sessionBackupAsync="true"`), "--sticky=false")
	if code != exitFailed || !strings.Contains(said, "BackupAsync without Sticky") {
		t.Errorf("got exit code %d and %q, want %d and a contradiction", code, said, exitFailed)
	}
}

func TestConfigFileTakesNamesOfMSM(t *testing.T) {
	file := configFile(t, `
		memcachedNodes = "n1:127.0.0.1:11211 n2:127.0.0.1:11212"
		failoverNodes = "n1"
		sticky = true
		sessionBackupAsync = true
		maxInactiveInterval = 60
		jvmRoute = "app1"
		sessionCookieName = "JSESSIONID"
		useHttpOnly = false
		requestUriIgnorePattern = '.*\.png'`)
	c, err := parse(t, []string{"app", "--config", file}, []string{"HOLDFAST_IDLE_TIMEOUT=5m"})
	if err != nil {
		t.Fatal(err)
	}
	o := c.App.options(nil)
	got := fmt.Sprintln(c.App.Nodes, o.FailoverNodes, o.Sticky, o.BackupAsync, o.IdleTimeout, o.Route, o.Cookie.Name, o.Cookie.AllowScript, o.IgnoreRequest(httptest.NewRequest("GET", "/a.png", nil)))
	if want := "n1:127.0.0.1:11211 n2:127.0.0.1:11212 [n1] true true 5m0s app1 JSESSIONID true true\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfigFileWithNamesOfMSMIsRefusedAsItIsThere(t *testing.T) {
	rows := []struct{ content, want string }{
		{"memcachdNodes = 'n1:a:1'", "did you mean memcachedNodes?"},
		{"operationTimeout = '1s'", "operationTimeout: want a whole number"},
		{"lockingMode = 'app'", "never worked in msm"},
		{"enabled = false", "leave the session manager out"},
		{"nodes = 'n1:a:1'\nmemcachedNodes = 'n1:a:1'", "are the same setting: leave one out"},
		{"sessionAttributeFilter = 'a'", "would vanish"},
		{"requestUriIgnorePattern = '(?!a)'", "requestUriIgnorePattern: want a pattern"},
	}
	for _, row := range rows {
		file := configFile(t, row.content)
		wantErrorWith(t, []string{"app", "--config", file}, nil, row.want)
		wantErrorWith(t, []string{"app", "--config", file}, nil, file+": ")
	}
	wantErrorWith(t, []string{"node", "--config", configFile(t, "memcachedNodes = 'n1:a:1'")}, nil, "unknown setting")
}

func TestCheckTellsWhatWasUnderstoodAndNoSecret(t *testing.T) {
	xml := contextFile(t, `memcachedProtocol="binary" username="shop" password="hush" lockingMode="all" requestUriIgnorePattern=".*\.(icopng)"`)
	code, said := check(t, "--context-xml", xml, "--key-file=testdata/keys.txt")
	for _, want := range []string{
		"node-user = shop    (" + xml + ": line 1: Manager username)", "node-password = …", "note: " + xml + ": line 1: Manager lockingMode: has no effect with sticky",
		`note: .*\.(icopng) matches hardly any request`, "The settings are right.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("got exit code %d and %s, want %q in it", code, said, want)
		}
	}
	if strings.Contains(said, "hush") {
		t.Errorf("got the password in %s", said)
	}
}

func TestNotesAreLoggedAtTheStart(t *testing.T) {
	app := start(t, "app", "--listen=127.0.0.1:0", "--locking=uriPattern:/a|/b")
	app.stderr.wait(t, `level=WARN msg=".*/a\|/b can never match.*write \[A-Z\]\+ \(/a\|/b\)`)
	app.stop()
	app.wantEnd(exitOK)
}

func TestKeysAndPasswordsNeverShow(t *testing.T) {
	c, err := parse(t, []string{"app", "--key-file=testdata/keys.txt", "--node-password=hush"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := c.App.options(nil).Keys[0]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		got := fmt.Sprintf(verb+verb, c.App.KeyFile, c.App.NodePassword)
		for _, secret := range []string{"hush", string(key), fmt.Sprintf("%x", key), fmt.Sprint(key), "68757368"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s: got a secret in %q", verb, got)
			}
		}
	}
}

func TestKeysAreReadAsBase64AndHex(t *testing.T) {
	write := func(line string) string {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(line+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := bytes.Repeat([]byte{0xfb, 0xff}, 16)
	for _, line := range []string{
		strings.Repeat("fbff", 16), strings.Repeat("FBFF", 16),
		"+//7//v/+//7//v/+//7//v/+//7//v/+//7//v/+/8=", "-__7__v_-__7__v_-__7__v_-__7__v_-__7__v_-_8",
	} {
		var ring keyRing
		if err := ring.UnmarshalText([]byte(write(line))); err != nil || len(ring) != 1 || !bytes.Equal(ring[0], want) {
			t.Errorf("%s: got %x and error %v, want %x", line, [][]byte(ring), err, want)
		}
	}
	for _, line := range []string{"", strings.Repeat("fb", 31), strings.Repeat("zz", 32), "+//7"} {
		var ring keyRing
		if err := ring.UnmarshalText([]byte(write(line))); err == nil || line != "" && strings.Contains(err.Error(), line) {
			t.Errorf("%q: got error %v, want one that does not repeat the line", line, err)
		}
	}
}

func TestIgnoredRequestsOfAPatternTouchNoSession(t *testing.T) {
	c, err := parse(t, []string{"app", "--ignore-request=POST /session", "--insecure-cookie"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	m, err := holdfast.New(nil, c.App.options(log))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	h := newApp(m, "", log, nil).handler()
	for target, want := range map[string]bool{"/session": false, "/counter/a": true} {
		r := httptest.NewRequest("POST", target, strings.NewReader("a=1"))
		r.Header.Set("Content-Type", formType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := len(w.Result().Cookies()) > 0; got != want {
			t.Errorf("POST %s: got a cookie: %t, want %t", target, got, want)
		}
	}
}
