package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse reads a command line as Run does.
func parse(t *testing.T, args, environ []string) (*commands, error) {
	t.Helper()
	c, out := new(commands), t.Output()
	_, err := newParser(c, environ, out, out, func(int) {}).Parse(args)
	return c, err
}

// wantErrorWith checks that Run refuses to start, and says text.
func wantErrorWith(t *testing.T, args, environ []string, text string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	stop() // what starts all the same ends at once
	code := Run(ctx, args, environ, &stdout, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), text) {
		t.Errorf("Run(%q, %q): got exit code %d and %q, want code %d and %q", args, environ, code, &stderr, exitUsage, text)
	}
}

func configFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "holdfast.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsTakenFromFlagEnvironmentAndFile(t *testing.T) {
	for _, row := range settingRows {
		t.Run(row.command+" "+row.name, func(t *testing.T) {
			for text, want := range row.takes {
				for place, given := range places(t, row, text) {
					c, err := parse(t, given.args, given.environ)
					if err != nil {
						t.Errorf("%s %q: got error %v", place, text, err)
					} else if got := fmt.Sprint(row.value(c)); got != want {
						t.Errorf("%s %q: got %s, want %s", place, text, got, want)
					}
				}
			}
		})
	}
}

func TestSettingsRefusedSayWhereAndWhatToWrite(t *testing.T) {
	for _, row := range settingRows {
		t.Run(row.command+" "+row.name, func(t *testing.T) {
			for text, want := range row.refuses {
				for _, given := range places(t, row, text) {
					wantErrorWith(t, given.args, given.environ, want)
					wantErrorWith(t, given.args, given.environ, "holdfast: "+given.named+": ")
				}
			}
		})
	}
}

// A giving is one way to give a setting.
type giving struct {
	args, environ []string
	named         string // how an error names the place
}

func places(t *testing.T, row settingRow, text string) map[string]giving {
	file := configFile(t, fmt.Sprintf("%s = %s\n", row.name, tomlString(text)))
	args := append([]string{row.command}, row.with...)
	return map[string]giving{
		"flag":        {append(slices.Clone(args), "--"+row.name+"="+text), nil, "--" + row.name},
		"environment": {args, []string{variableOf(row.name) + "=" + text}, variableOf(row.name)},
		"file":        {append(slices.Clone(args), "--config", file), nil, file + ": " + row.name},
	}
}

// tomlString is text as a TOML literal: nothing in it is escaped.
func tomlString(text string) string { return "'" + text + "'" }

func TestEverySettingHasRows(t *testing.T) {
	tested := map[string]bool{}
	for _, row := range settingRows {
		tested[row.command+" "+row.name] = true
	}
	model := newParser(new(commands), nil, t.Output(), t.Output(), func(int) {}).Model
	for _, command := range model.Leaves(false) {
		for name := range settableFlags(command) {
			if name != "config" && !tested[command.Name+" "+name] {
				t.Errorf("setting %s of command %s has no row in settingRows", name, command.Name)
			}
		}
	}
}

func TestFlagWinsOverEnvironmentWinsOverFile(t *testing.T) {
	file := configFile(t, "route = 'file'\nnamespace = 'file'\nlisten = ':3'\ninsecure-cookie = true")
	environ := []string{"HOLDFAST_ROUTE=env", "HOLDFAST_NAMESPACE=env", "HOLDFAST_CONFIG=" + file, "PATH=/bin"}
	c, err := parse(t, []string{"app", "--route", "flag", "--insecure-cookie=false"}, environ)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.App.Route, " ", c.App.Namespace, " ", c.App.Listen, " ", c.App.InsecureCookie)
	if want := "flag env :3 false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfigFlagWinsOverItsVariable(t *testing.T) {
	one, other := configFile(t, "route = 'one'"), configFile(t, "route = 'other'")
	c, err := parse(t, []string{"app", "--config", one}, []string{"HOLDFAST_CONFIG=" + other})
	if err != nil || c.App.Route != "one" {
		t.Errorf("got route %q and error %v, want one", c.App.Route, err)
	}
}

func TestDefaults(t *testing.T) {
	c, err := parse(t, []string{"app"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := c.App.options(nil)
	got := fmt.Sprintf("%s %q %q %s %s %s %+v %v", c.App.Listen, o.Route, c.App.Nodes, o.OperationTimeout, o.IdleTimeout, o.AbsoluteTimeout, o.Cookie.AllowInsecure, o.Ignore)
	if want := `127.0.0.1:8081 "" "" 500ms 30m0s -1ns false <nil>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFileTakesNumbersAndBooleans(t *testing.T) {
	c, err := parse(t, []string{"app", "--config", configFile(t, "absolute-timeout = 0\ninsecure-cookie = true")}, nil)
	if err != nil || c.App.AbsoluteTimeout != 0 || !c.App.InsecureCookie {
		t.Errorf("got %v, %v and error %v, want 0 and true", c.App.AbsoluteTimeout, c.App.InsecureCookie, err)
	}
}

func TestUnknownSettingsAreNamed(t *testing.T) {
	file := func(content string) []string { return []string{"app", "--config", configFile(t, content)} }
	rows := []struct {
		args, environ []string
		want          string
	}{
		{[]string{"app", "--lisen=:1"}, nil, `unknown flag --lisen, did you mean "--listen"?`},
		{[]string{"app", "--memory=1m"}, nil, "unknown flag --memory"},
		{[]string{"ap"}, nil, `did you mean "app"?`},
		{[]string{}, nil, `expected one of "app"`},
		{[]string{"app"}, []string{"HOLDFAST_LISEN=:1"}, "unknown environment variable HOLDFAST_LISEN; did you mean HOLDFAST_LISTEN?"},
		{[]string{"app"}, []string{"HOLDFAST_IDLE-TIMEOUT=1s"}, "unknown environment variable HOLDFAST_IDLE-TIMEOUT; did you mean HOLDFAST_IDLE_TIMEOUT?"},
		{[]string{"app"}, []string{"HOLDFAST_listen=:1"}, "unknown environment variable HOLDFAST_listen"},
		{[]string{"app"}, []string{"HOLDFAST_=:1"}, "unknown environment variable HOLDFAST_"},
		{[]string{"app"}, []string{"HOLDFAST_HELP=1"}, "unknown environment variable HOLDFAST_HELP"},
		{[]string{"app"}, []string{"HOLDFAST_PORT=8081"}, "unknown environment variable HOLDFAST_PORT"},
		{file("idletimeout = '1s'"), nil, "idletimeout; did you mean idle-timeout?"},
		{file("zzz = 1"), nil, "zzz\n"},
		{file("memory = '1m'"), nil, "unknown setting"},
		{file("config = 'other.toml'"), nil, "unknown setting"},
		{file("route = 'a'\nrout = 'b'\nlist = ':1'"), nil, "rout; did you mean route?"},
		{file("rout = 'b'\nlist = ':1'"), nil, "list; did you mean listen?"},
		{file("nodes = ['n1:a:1']"), nil, `nodes: write the value in quotes, as for the flag: nodes = "…"`},
		{file("[app]\nlisten = ':1'"), nil, "unknown setting"},
		{file("listen = "), nil, "line 1"},
		{file("listen = ':1'\nlisten = ':2'"), nil, "listen"},
		{[]string{"app", "--config", "no-such-file.toml"}, nil, "config file no-such-file.toml: open"},
		{[]string{"app", "extra"}, nil, "extra"},
	}
	for _, row := range rows {
		wantErrorWith(t, row.args, row.environ, row.want)
	}
}

// A flag that wins does not hide what is wrong elsewhere.
func TestBadValueRefusedAlsoWhereAFlagWins(t *testing.T) {
	wantErrorWith(t, []string{"app", "--idle-timeout=1h"}, []string{"HOLDFAST_IDLE_TIMEOUT=soon"}, "HOLDFAST_IDLE_TIMEOUT: want")
	wantErrorWith(t, []string{"app", "--idle-timeout=1h", "--config", configFile(t, "idle-timeout = 'soon'")}, nil, "idle-timeout: want")
}

func TestVariablesThatAreNoSettingsAreLeftAlone(t *testing.T) {
	environ := []string{
		"PATH=/bin", "HOLDFASTER=1", "HOLDFAST_REQUIRE_SERVERS=1", "HOLDFAST_MAX_ITEM=2m",
		"HOLDFAST_SERVICE_HOST=10.0.0.1", "HOLDFAST_SERVICE_PORT=80", "HOLDFAST_SERVICE_PORT_HTTP=80", "HOLDFAST_PORT=tcp://10.0.0.1:80",
		"HOLDFAST_PORT_80_TCP=tcp://10.0.0.1:80", "HOLDFAST_PORT_80_TCP_ADDR=10.0.0.1", "HOLDFAST_PORT_80_TCP_PORT=80", "HOLDFAST_PORT_80_TCP_PROTO=tcp",
		"HOLDFAST_SHOP_SERVICE_HOST=10.0.0.2", "HOLDFAST_SHOP_PORT=tcp://10.0.0.2:80",
	}
	if _, err := parse(t, []string{"app"}, environ); err != nil {
		t.Error(err)
	}
}
