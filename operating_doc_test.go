package holdfast_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

// TestOperatingNamesEachLogMessage: an operator finds each line of the log in
// docs/operating.md.
func TestOperatingNamesEachLogMessage(t *testing.T) {
	doc := operating(t)
	messages := logMessages(t, ".", "placement", "placement/health", "sticky", "lock", "store/memcachedstore")
	if len(messages) < 10 {
		t.Fatalf("found only the messages %q: are they logged in another way now?", messages)
	}
	for _, message := range messages {
		beginning, _, _ := strings.Cut(message, ":") // what is behind it is advice
		if !strings.Contains(doc, "`"+message+"`") && !strings.Contains(doc, "`"+beginning+": …`") {
			t.Errorf("docs/operating.md does not tell what to do about %q", message)
		}
	}
}

// logMessages returns what the code of these folders logs.
func logMessages(t *testing.T, folders ...string) (messages []string) {
	t.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for node := range ast.Preorder(tree) {
				if message := logMessage(node); message != "" {
					messages = append(messages, message)
				}
			}
		}
	}
	return messages
}

// logMessage is the message of a call such as logger.Warn("…"), or "".
func logMessage(node ast.Node) string {
	call, ok := node.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, method.Sel.Name) {
		return ""
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	message, _ := strconv.Unquote(literal.Value)
	return message
}

// TestOperatingNamesRealCounts: what docs/operating.md tells to watch is there to
// be watched.
func TestOperatingNamesRealCounts(t *testing.T) {
	text, err := json.Marshal(holdfast.Stats{})
	if err != nil {
		t.Fatal(err)
	}
	var stats map[string]any
	if err := json.Unmarshal(text, &stats); err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(placement|local|locks)\\.([a-z_]+)`").FindAllStringSubmatch(operating(t), -1)
	if len(named) < 10 {
		t.Fatalf("docs/operating.md names only %d counts", len(named))
	}
	for _, name := range named {
		if _, ok := stats[name[1]].(map[string]any)[name[2]]; !ok {
			t.Errorf("docs/operating.md names %s, which is not in Stats", name[0])
		}
	}
}

func operating(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
