package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/tomcat"
)

var update = flag.Bool("update", false, "write the documents that are made from tables")

// check starts an app server as far as --check goes and returns its exit code and
// all that it says.
func check(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out := newOutput()
	code := Run(t.Context(), append([]string{"app", "--check"}, args...), nil, out, out)
	return code, out.String()
}

func documented() []settingRow {
	return slices.DeleteFunc(slices.Clone(settingRows), func(row settingRow) bool { return row.command != "app" })
}

func TestEveryExampleStarts(t *testing.T) {
	for _, row := range documented() {
		args := slices.Concat(row.with, []string{"--" + row.name + "=" + row.example})
		if code, said := check(t, args...); code != exitOK {
			t.Errorf("%q: got exit code %d: %s", args, code, said)
		}
	}
}

func TestEveryRefusedExampleStopsTheStart(t *testing.T) {
	for _, row := range documented() {
		args := slices.Concat(row.with, []string{"--" + row.name + "=" + row.refused})
		code, said := check(t, args...)
		if code == exitOK || !namesSetting(said, row) {
			t.Errorf("%q: got exit code %d and %q, want a refusal that names the setting", args, code, said)
		}
	}
}

// namesSetting reports whether one of the lines that begin as errors names the
// setting, as a flag or as a field of Options.
func namesSetting(said string, row settingRow) bool {
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "holdfast: ") {
			continue
		}
		field := row.option[strings.LastIndexByte(row.option, '.')+1:]
		words := strings.ReplaceAll(row.name, "-", " ")
		for _, name := range []string{row.name, field, words[strings.LastIndexByte(words, ' ')+1:]} {
			if name != "" && strings.Contains(strings.ToLower(line), strings.ToLower(name)) {
				return true
			}
		}
	}
	return false
}

func TestEveryAttributeExampleStarts(t *testing.T) {
	for _, a := range carriedAttributes() {
		if code, said := check(t, "--context-xml", attributeFile(t, a, a.Takes)); code != exitOK {
			t.Errorf("%s %s=%q: got exit code %d: %s", a.Element, a.Name, a.Takes, code, said)
		}
	}
}

func TestEveryRefusedAttributeExampleStopsTheStart(t *testing.T) {
	for _, a := range carriedAttributes() {
		for _, refused := range []string{a.Refuses, "${" + a.Name + "}"} {
			if refused == "" {
				continue
			}
			code, said := check(t, "--context-xml", attributeFile(t, a, refused))
			if code == exitOK || !strings.Contains(said, a.Name) && !strings.Contains(strings.ToLower(said), last(a.Flag)) {
				t.Errorf("%s %s=%q: got exit code %d and %q, want a refusal that names it", a.Element, a.Name, refused, code, said)
			}
		}
	}
}

// last is the last word of a flag's name.
func last(flag string) string { return flag[strings.LastIndexByte(flag, '-')+1:] }

// carriedAttributes are those that are about sessions.
func carriedAttributes() []tomcat.Attribute {
	return slices.DeleteFunc(tomcat.Attributes(), func(a tomcat.Attribute) bool { return a.Takes == "" })
}

// attributeFile writes a server.xml with one attribute, beside what it needs.
func attributeFile(t *testing.T, a tomcat.Attribute, value string) string {
	t.Helper()
	given := map[string]string{a.Element: a.With + fmt.Sprintf(" %s='%s'", a.Name, strings.ReplaceAll(value, "<", "&lt;"))}
	manager := given["Manager"]
	if a.Name != "className" || a.Element != "Manager" {
		manager += " className='" + classFor(a) + "'"
	}
	if a.Name != "memcachedNodes" && strings.Contains(manager, "msm") {
		manager += " memcachedNodes='n1:127.0.0.1:11211,n2:127.0.0.1:11212'"
	}
	content := fmt.Sprintf("<Server><Service><Engine %s><Host><Context %s><CookieProcessor %s/><Manager %s><SessionIdGenerator %s/><Store %s/></Manager></Context></Host></Engine></Service></Server>",
		given["Engine"], given["Context"], given["CookieProcessor"], manager, given["SessionIdGenerator"], given["Store"])
	path := filepath.Join(t.TempDir(), "server.xml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func classFor(a tomcat.Attribute) string {
	switch {
	case a.Element != "Manager" || a.Of&tomcat.MSM != 0:
		return "de.javakaffee.web.msm.MemcachedBackupSessionManager"
	case a.Of&tomcat.Persistent != 0:
		return "org.apache.catalina.session.PersistentManager"
	}
	return "org.apache.catalina.session.StandardManager"
}

// onlyInGo are the fields of Options that no flag sets, since a program does.
var onlyInGo = map[string]string{
	"RenewGrace":         "how long requests with the former id still get the session after a Renew; 10 s",
	"AppVersion":         "stored with each session, for people who look into the store; none",
	"Hooks":              "tell of what happens to sessions; none",
	"OnUnavailable":      "answers a request whose session cannot be read or stored; 503 with Retry-After",
	"Logger":             "gets what an operator should know; none",
	"Locking.MaxWaiting": "how many requests of one session wait on one server; 100",
	"Locking.Status":     "503 or 423 for a request that got no lock; 503",
}

func TestEveryOptionIsDocumented(t *testing.T) {
	named := map[string]bool{}
	for _, row := range documented() {
		for option := range strings.SplitSeq(row.option, ", ") {
			named[option] = true
		}
	}
	for _, field := range fieldsOf(reflect.TypeFor[holdfast.Options](), "") {
		if !named[field] && onlyInGo[field] == "" {
			t.Errorf("no row of settingRows or onlyInGo has Options.%s", field)
		}
	}
}

// fieldsOf names the fields of a struct, and those of Cookie and Locking in it.
func fieldsOf(structure reflect.Type, prefix string) []string {
	var names []string
	for field := range structure.Fields() {
		if field.Name == "Cookie" || field.Name == "Locking" {
			names = append(names, fieldsOf(field.Type, field.Name+".")...)
			continue
		}
		names = append(names, prefix+field.Name)
	}
	return names
}

func TestSettingsDocumentIsUpToDate(t *testing.T) {
	const path = "../../docs/settings.md"
	want := settingsDocument(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the tables say (%v): run go generate in cmd/holdfast", path, err)
	}
}

func settingsDocument(t *testing.T) string {
	var out strings.Builder
	out.WriteString(documentHead)
	writeFlags(t, &out)
	out.WriteString(documentGo)
	for _, name := range slices.Sorted(maps.Keys(onlyInGo)) {
		fmt.Fprintf(&out, "| `%s` | %s |\n", name, onlyInGo[name])
	}
	out.WriteString(documentTomcat)
	for _, a := range carriedAttributes() {
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", a.Element, code(a.Name), code(flagOf(a)), code(a.Takes), code(cmp.Or(a.Refuses, "${…}")), a.Remark)
	}
	return out.String()
}

func writeFlags(t *testing.T, out *strings.Builder) {
	model := newParser(new(commands), nil, t.Output(), t.Output(), func(int) {}).Model
	for _, command := range model.Leaves(false) {
		if command.Name != "app" {
			continue
		}
		flags := settableFlags(command)
		for _, row := range documented() {
			usual := cmp.Or(row.usual, flags[row.name].Default, "false")
			fmt.Fprintf(out, "| %s | %s | `--%s` | %s | %s | %s | %s |\n",
				foreignNames(row.name), code(row.option), row.name, usual, code(row.example), code(cmp.Or(row.refused, "(empty)")), row.remark)
		}
	}
}

// foreignNames are the names that a setting has in Tomcat's files.
func foreignNames(flag string) string {
	var names []string
	for _, a := range carriedAttributes() {
		if a.Flag == flag {
			names = append(names, code(a.Name))
		}
	}
	return strings.Join(slices.Compact(names), ", ")
}

func flagOf(a tomcat.Attribute) string {
	if a.Flag == "" {
		return ""
	}
	return "--" + a.Flag
}

// code is text as a cell of a table shows it.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

const documentHead = `# Settings

Every flag of ` + "`holdfast app`" + ` is also an environment variable (` + "`--idle-timeout`" + `: ` + "`HOLDFAST_IDLE_TIMEOUT`" + `) and a key of the
TOML file that ` + "`--config`" + ` names (` + "`idle-timeout = \"30m\"`" + `). That file takes the names of
memcached-session-manager's (msm's) and the cookie's attributes too, with their units. ` + "`--context-xml`" + ` reads a
` + "`context.xml`" + ` or ` + "`server.xml`" + ` as it is. A flag wins over the environment, the environment over the
TOML file, that over the XML file. A setting that is unknown, wrong, or contradicts another stops the
start; ` + "`holdfast app --check`" + ` prints what was understood and ends.

This file is made from tables whose examples are tried: ` + "`go generate`" + ` in ` + "`cmd/holdfast`" + ` writes it.

## Settings of holdfast app and holdfast.Options

| in Tomcat's files | Options | flag | default | takes | refuses | remark |
| --- | --- | --- | --- | --- | --- | --- |
`

const documentGo = `
Fields of Options that a program sets, without a flag:

| Options | what it is; its default |
| --- | --- |
`

const documentTomcat = `
## Tomcat's and msm's attributes

What has no flag has no effect here; if that makes a difference, the start says so. ` + "`${…}`" + ` is refused
everywhere: Tomcat fills it in from its system properties. Booleans are true or false, where Tomcat
takes every other word for false.

Patterns are Java's and keep their meaning: that of ` + "`requestUriIgnorePattern`" + ` and ` + "`lockingMode`" + `
is compared with the whole of ` + "`METHOD URI?query`" + ` (without the query for POST), that of a filter with the
whole name. What Go's regular expressions do not have stops the start with what to write instead: looking ahead or
behind, references to groups, atomic groups, possessive quantifiers, classes inside classes and their
intersections, the flags x, u and U, and names of properties that only Java has. At ` + "`\\b`" + ` only ASCII
letters make a word, as since Java 19. A pattern that can match no request, or lost the | between file
endings, is doubted at the start.

| element | attribute | flag | takes | refuses | remark |
| --- | --- | --- | --- | --- | --- |
`
