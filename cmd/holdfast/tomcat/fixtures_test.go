package tomcat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The configurations that many users of msm started from.
func TestFilesThatManyStartedFrom(t *testing.T) {
	rows := []struct {
		file     string
		settings string
		notes    []string
	}{
		{
			"sticky-failover.xml",
			`failover-nodes=n1 ignore-request=.*\.(ico|png|gif|jpg|css|js)$ nodes=n1:10.0.0.1:11211,n2:10.0.0.2:11211 sticky=true`,
			[]string{"transcoderFactoryClass: has no effect", "sessionBackupAsync is not set", "no jvmRoute", "not JSESSIONID"},
		},
		{
			"nonsticky-auto.xml",
			`ignore-request=.*\.(icopnggifjpgcssjs)$ locking=auto nodes=n1:10.0.0.1:11211 n2:10.0.0.2:11211 sticky=false`,
			[]string{"transcoderFactoryClass: has no effect", "not JSESSIONID"},
		},
		{
			"nonsticky-single.xml",
			`cookie-name=JSESSIONID cookie-same-site=strict lock-wait=3000ms locking=uriPattern:/path1|/path2 idle-timeout=1800s nodes=127.0.0.1:11211 operation-timeout=3000ms ignore-request=.*\.(ico|png|gif|jpg|css|js)$ sticky=false namespace=shop`,
			[]string{"sessionBackupTimeout: has no effect: one budget"},
		},
		{
			"sticky-javolution-server.xml",
			`route=tomcat1 cookie-allow-script=false failover-nodes=n2 nodes=n1:10.0.0.1:11211,n2:10.0.0.2:11211 ignore-request=.*\.(png|gif|jpg|css|js)$ backup-async=true sticky=true`,
			[]string{"customConverter: has no effect", "sessionBackupTimeout: has no effect", "transcoderFactoryClass: has no effect", "not only to /shop", "not JSESSIONID"},
		},
	}
	for _, row := range rows {
		t.Run(row.file, func(t *testing.T) {
			config, err := ReadFile(filepath.Join("testdata", row.file), "")
			if err != nil {
				t.Fatal(err)
			}
			wantSettings(t, config, row.settings)
			wantNotes(t, config, row.notes...)
		})
	}
}

// wantSettings compares without regard to the order.
func wantSettings(t *testing.T, config Config, want string) {
	t.Helper()
	rest := " " + want + " "
	for _, s := range config.Settings {
		text := " " + s.Flag + "=" + s.Value + " "
		if !strings.Contains(rest, text) {
			t.Errorf("got setting%s, want %s", text, want)
		}
		rest = strings.Replace(rest, text, " ", 1)
	}
	if strings.TrimSpace(rest) != "" {
		t.Errorf("got no setting %s", rest)
	}
}

// wantNotes wants one note with each of texts and no other.
func wantNotes(t *testing.T, config Config, texts ...string) {
	t.Helper()
	for i, note := range config.Notes {
		if i >= len(texts) || !strings.Contains(note, texts[i]) {
			t.Errorf("got note %q, want those with %q", note, texts)
		}
	}
	if len(config.Notes) < len(texts) {
		t.Errorf("got notes %q, want those with %q", config.Notes, texts)
	}
}

// xmlFile writes a file and returns its path.
func xmlFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "context.xml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
