package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A mutant is one small defect, as a patch to the product.
type mutant struct {
	name   string
	breaks string  // the promise, in a sentence
	drills []drill // that must kill it
	patch  string  // path of the file
	files  []string
}

// A drill is a set of tests of one package.
type drill struct {
	pkg     string // "./placement"
	pattern string // as for go test -run
}

func (d drill) String() string { return d.pkg + " " + d.pattern }

// readMutants returns those in dir whose name matches.
func readMutants(dir string, only *regexp.Regexp) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	for _, path := range paths { // Glob sorts
		name := strings.TrimSuffix(filepath.Base(path), ".patch")
		if !only.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m, err := parseMutant(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		m.name, m.patch = name, path
		mutants = append(mutants, m)
	}
	if len(mutants) == 0 {
		return nil, fmt.Errorf("no mutant in %s has a name that matches %q", dir, only)
	}
	return mutants, nil
}

// parseMutant reads the text of a patch but for its hunks.
func parseMutant(text string) (m mutant, err error) {
	m.breaks, _, _ = strings.Cut(text, "\n")
	for line := range strings.Lines(text) {
		if drills, ok := strings.CutPrefix(line, "Drills: "); ok && len(m.files) == 0 {
			if m.drills, err = parseDrills(drills); err != nil {
				return m, err
			}
		}
		if file, ok := strings.CutPrefix(line, "+++ b/"); ok {
			m.files = append(m.files, strings.TrimSpace(file))
		}
	}
	switch {
	case !strings.HasSuffix(m.breaks, "."):
		return m, fmt.Errorf("the first line is no sentence about the promise that it breaks: %q", m.breaks)
	case len(m.drills) == 0:
		return m, fmt.Errorf("there is no line %q", "Drills: ./package TestName; ...")
	case len(m.files) == 0:
		return m, fmt.Errorf("it changes no file: there is no line %q", "+++ b/FILE")
	}
	return m, nil
}

func parseDrills(line string) (drills []drill, err error) {
	for part := range strings.SplitSeq(line, ";") {
		words := strings.Fields(part)
		if len(words) != 2 {
			return nil, fmt.Errorf("%q is not a package and a pattern of test names", strings.TrimSpace(part))
		}
		drills = append(drills, drill{words[0], words[1]})
	}
	return drills, nil
}
