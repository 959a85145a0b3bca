package tomcat

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// An element is one of an XML file. Text and comments are left out.
type element struct {
	name       string
	attributes []xml.Attr
	line       int
	parent     *element
	children   []*element
}

// parseXML returns the outermost element.
func parseXML(r io.Reader) (*element, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = latin1
	document := &element{}
	for at := document; ; {
		line, _ := d.InputPos()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child := &element{token.Name.Local, token.Copy().Attr, line, at, nil}
			if twice := child.twice(); twice != "" {
				return nil, fmt.Errorf("line %d: <%s> has two attributes %s", line, child.name, twice)
			}
			at.children = append(at.children, child)
			at = child
		case xml.EndElement:
			at = at.parent
		}
	}
	if len(document.children) != 1 {
		return nil, fmt.Errorf("want one outermost element, such as <Context> or <Server>, not %d", len(document.children))
	}
	return document.children[0], nil
}

// latin1 reads the encodings beside UTF-8 that these files have.
func latin1(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "iso-8859-1", "us-ascii", "latin1":
	default:
		return nil, fmt.Errorf("encoding %s: save the file as UTF-8", charset)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text := make([]rune, len(content))
	for i, b := range content {
		text[i] = rune(b)
	}
	return strings.NewReader(string(text)), nil
}

// twice returns the name of an attribute that stands there more than once, which
// XML forbids and the decoder lets pass.
func (e *element) twice() string {
	seen := map[string]bool{}
	for _, a := range e.attributes {
		if seen[a.Name.Local] {
			return a.Name.Local
		}
		seen[a.Name.Local] = true
	}
	return ""
}

func (e *element) attribute(name string) (string, bool) {
	for _, a := range e.attributes {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// all yields e and everything in it, in the order of the file.
func (e *element) all() iter.Seq[*element] {
	return func(yield func(*element) bool) { e.walk(yield) }
}

func (e *element) walk(yield func(*element) bool) bool {
	if !yield(e) {
		return false
	}
	for _, child := range e.children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// within returns the nearest element around e with one of names, nil if there is
// none.
func (e *element) within(names ...string) *element {
	for around := e.parent; around != nil; around = around.parent {
		if slices.Contains(names, around.name) {
			return around
		}
	}
	return nil
}

// child returns the first child called name, nil if there is none.
func (e *element) child(name string) *element {
	for _, child := range e.children {
		if child.name == name {
			return child
		}
	}
	return nil
}
