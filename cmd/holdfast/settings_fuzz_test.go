package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

// FuzzSettings gives any file, any variables and any flags, a line each. What is
// refused is refused with a message that says something and keeps the password to
// itself; what is taken is a manager's options, or New says what is wrong.
func FuzzSettings(f *testing.F) {
	f.Add("listen = ':0'\nroute = 'app1'", "IDLE_TIMEOUT=30m", "--sticky")
	f.Add("copies = 2\nbackup-async = true", "LOCKING=uriPattern:GET /.*\nSERVICE_HOST=x", "--max-local-bytes=512m\n--cookie-same-site=none")
	f.Add("listen = \n[app]", "LISEN=1", "--lisen=:1\n-h\n--\nextra")
	f.Add("nodes = ['a']", "NODES=n1:a:1 n2:b:2", "--nodes=n1:[::1]:1\n--failover-nodes=n9\n--ignore-request=(?i)[a-c&&b].*\n--locking=all")
	f.Add("sticky = true\nfailoverNodes = 'n1'\nsessionBackupAsync = 'false'", "=\n\x00=\xff", "--idle-timeout=9223372036854775807ns\n--attribute-filter=(")
	path := filepath.Join(f.TempDir(), "holdfast.toml")
	f.Fuzz(func(t *testing.T, file, variables, flags string) {
		const password = "not-to-be-shown"
		if strings.Contains(file+variables+flags, "/dev") || strings.Contains(file+variables+flags, "/proc") {
			t.Skip("a key file of endless bytes")
		}
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ := []string{"HOLDFAST_CONFIG=" + path, "HOLDFAST_NODE_USER=u", "HOLDFAST_NODE_PASSWORD=" + password}
		for variable := range strings.SplitSeq(variables, "\n") {
			environ = append(environ, variablePrefix+variable)
		}
		c := new(commands)
		_, err := newParser(c, environ, io.Discard, io.Discard, func(int) {}).Parse(append([]string{"app"}, strings.Split(flags, "\n")...))
		if err != nil {
			if text := err.Error(); text == "" || strings.Contains(text, password) && !strings.Contains(file+variables+flags, password) {
				t.Errorf("refused with %q", text)
			}
			return
		}
		m, err := holdfast.New(nil, c.App.options(nil))
		if err != nil {
			return
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzKeyLine: a line of a key file is a key of the right size, or none.
func FuzzKeyLine(f *testing.F) {
	for _, line := range []string{
		strings.Repeat("0f", keySize), strings.Repeat("A", 43) + "=", strings.Repeat("-_", 21) + "A", strings.Repeat("A", 44), "", "=",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if key := decodeKey(line); key != nil && len(key) != keySize {
			t.Errorf("%q is a key of %d bytes", line, len(key))
		}
	})
}
