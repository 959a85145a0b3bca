package main

import (
	"bytes"
	"fmt"
	"os"
)

// renew puts text into a document, between the comment that begins the section and the
// one that ends it, in place of what stands there.
func renew(name, section string, text []byte) error {
	document, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	begin, end := fmt.Appendf(nil, "<!-- %s -->\n", section), fmt.Appendf(nil, "<!-- end of %s -->\n", section)
	before, rest, begun := bytes.Cut(document, begin)
	_, after, ended := bytes.Cut(rest, end)
	if !begun || !ended {
		return fmt.Errorf("%s has no section between %q and %q", name, begin, end)
	}
	return os.WriteFile(name, bytes.Join([][]byte{before, begin, []byte("\n"), text, []byte("\n"), end, after}, nil), 0o644)
}
