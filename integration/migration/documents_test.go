package migration

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?ms)^( *)```go\n(.*?)^ *```")

// TestDocumentsQuoteProgramsThatRun: each block of Go in these documents is made of
// whole pieces, between empty lines, of a program that is compiled and run.
func TestDocumentsQuoteProgramsThatRun(t *testing.T) {
	for document, programs := range map[string][]string{
		"../../docs/from-scs.md":     {"scs_test.go", "../../example_from_scs_test.go"},
		"../../docs/from-gorilla.md": {"gorilla_test.go", "../../example_from_gorilla_test.go"},
		"../../docs/operating.md":    {"../../example_operating_test.go"},
		"../../SECURITY.md":          {"../../example_security_test.go"},
	} {
		code, blocks := content(t, programs...), goBlock.FindAllStringSubmatch(content(t, document), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no Go in it", document)
		}
		for _, block := range blocks {
			text := strings.ReplaceAll("\n"+block[2], "\n"+block[1], "\n") // not indented
			for piece := range strings.SplitSeq(text, "\n\n") {
				if piece = strings.TrimSpace(piece); !strings.Contains(code, piece) {
					t.Errorf("%s shows what is in none of %v:\n%s", document, programs, piece)
				}
			}
		}
	}
}

func content(t *testing.T, files ...string) string {
	t.Helper()
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
