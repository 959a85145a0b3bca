package holdfast_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each defect has one row that names tests, each of which is one function in this
// repository.
func TestTheTableOfDefectsNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("docs/msm-defects.md")
	if err != nil {
		t.Fatal(err)
	}
	places := testFunctions(t)
	quoted := regexp.MustCompile("`((?:Test|Fuzz|Example)[A-Z]\\w*)`")
	for _, match := range quoted.FindAllStringSubmatch(string(text), -1) {
		if at := places[match[1]]; len(at) != 1 {
			t.Errorf("%s is in %q, want it in one file", match[1], at)
		}
	}
	rows := map[string]int{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		id := strings.TrimSpace(cells[0])
		if !regexp.MustCompile(`^[DW]\d+$`).MatchString(id) {
			continue
		}
		rows[id]++
		if len(cells) != 4 || !quoted.MatchString(cells[len(cells)-1]) {
			t.Errorf("%s has %d cells, want 4 of which the last names tests", id, len(cells))
		}
	}
	wantRows(t, rows, "D", 30)
	wantRows(t, rows, "W", 10)
}

func wantRows(t *testing.T, rows map[string]int, letter string, n int) {
	t.Helper()
	for i := range n {
		if id := fmt.Sprint(letter, i+1); rows[id] != 1 {
			t.Errorf("%s has %d rows, want 1", id, rows[id])
		}
	}
}

// testFunctions returns the files of each test function of all modules here.
func testFunctions(t *testing.T) map[string][]string {
	t.Helper()
	places := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (entry.Name()[0] == '.' || entry.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				places[f.Name.Name] = append(places[f.Name.Name], path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}
