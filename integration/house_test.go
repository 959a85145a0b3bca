package integration

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The house: what the prose says must be there, and what the command is made
// of must be written down.

// checkout is the root of this repository.
const checkout = ".."

var (
	codeBlock    = regexp.MustCompile("(?ms)^(```|~~~).*?^(```|~~~)")
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	heading      = regexp.MustCompile(`(?m)^#+\s+(.+?)\s*$`)
	testName     = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark|Example)[A-Z]\w+`)
	testFunc     = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)[A-Z]\w*)\(`)
)

func TestMarkdownLinksLeadSomewhere(t *testing.T) {
	for _, file := range filesOf(t, ".md") {
		text := codeBlock.ReplaceAllString(content(t, file), "")
		for _, match := range markdownLink.FindAllStringSubmatch(text, -1) {
			if err := follow(t, file, match[1]); err != nil {
				t.Errorf("%s: link %s: %v", file, match[1], err)
			}
		}
	}
}

// follow looks for what a link to a file or to a heading names.
func follow(t *testing.T, file, link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return err
	}
	target := file
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(file), u.Path)
	}
	if _, err := os.Stat(target); err != nil {
		return err
	}
	if u.Fragment == "" || !strings.HasSuffix(target, ".md") {
		return nil
	}
	for _, h := range heading.FindAllStringSubmatch(content(t, target), -1) {
		if anchor(h[1]) == u.Fragment {
			return nil
		}
	}
	return fmt.Errorf("%s has no heading #%s", target, u.Fragment)
}

// anchor is the name that GitHub gives a heading: lower case, spaces as
// hyphens, punctuation left out.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case strings.ContainsRune("!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~–—…", r):
			return -1
		}
		return r
	}, strings.ToLower(heading))
}

// TestProseNamesRealTests: where the documents prove something by naming a
// test, there is that test.
func TestProseNamesRealTests(t *testing.T) {
	known := map[string]bool{}
	for _, file := range filesOf(t, "_test.go") {
		for _, match := range testFunc.FindAllStringSubmatch(content(t, file), -1) {
			known[match[1]] = true
		}
	}
	for _, file := range filesOf(t, ".md") {
		for _, name := range testName.FindAllString(content(t, file), -1) {
			if !known[name] {
				t.Errorf("%s names %s: there is no such function", file, name)
			}
		}
	}
}

func TestAnchor(t *testing.T) {
	for heading, want := range map[string]string{
		"What it does":            "what-it-does",
		"7a. The `holdfast` app!": "7a-the-holdfast-app",
	} {
		if got := anchor(heading); got != want {
			t.Errorf("anchor of %q is %q, want %q", heading, got, want)
		}
	}
}

// TestCommandLinksOnlyListedModules compares the modules that are linked into
// the command with docs/dependencies.txt, where each has a line: its path and
// the reason for it.
func TestCommandLinksOnlyListedModules(t *testing.T) {
	const list = "docs/dependencies.txt"
	reasons := map[string]string{}
	for line := range strings.Lines(content(t, filepath.Join(checkout, list))) {
		if module, reason, _ := strings.Cut(strings.TrimSpace(line), " "); module != "" && module != "#" {
			reasons[module] = strings.TrimSpace(reason)
		}
	}
	linked := linkedModules(t)
	for _, module := range linked {
		if reasons[module] == "" {
			t.Errorf("the command links %s: decide whether it is worth it, and write the reason into %s", module, list)
		}
	}
	for module := range reasons {
		if !slices.Contains(linked, module) {
			t.Errorf("%s lists %s, and the command does not link it: take it out", list, module)
		}
	}
}

func linkedModules(t *testing.T) []string {
	t.Helper()
	const format = "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"
	cmd := exec.Command("go", "list", "-deps", "-f", format, "./cmd/holdfast")
	cmd.Dir = checkout
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// filesOf returns the files of the checkout whose name ends so.
func filesOf(t *testing.T, suffix string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(checkout, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && path != checkout
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || entry.Name() == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(path, suffix):
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("looking for *%s: %d files, %v", suffix, len(files), err)
	}
	return files
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
