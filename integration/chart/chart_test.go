package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drawn is what the tests need of a picture.
type drawn struct {
	bars  []float64 // widths
	texts []string
	right float64 // the end of the rightmost bar
}

func look(t *testing.T, svg string) (d drawn) {
	t.Helper()
	in := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			d.add(e)
		case xml.CharData:
			d.texts = append(d.texts, string(e))
		}
	}
}

func (d *drawn) add(e xml.StartElement) {
	attr := map[string]string{}
	for _, a := range e.Attr {
		attr[a.Name.Local] = a.Value
	}
	if e.Name.Local != "rect" || attr["height"] != strconv.Itoa(barHeight-6) {
		return
	}
	x, _ := strconv.ParseFloat(attr["x"], 64)
	width, _ := strconv.ParseFloat(attr["width"], 64)
	d.bars = append(d.bars, width)
	d.right = max(d.right, x+width)
}

func TestBarsAreAsLongAsTheirFigures(t *testing.T) {
	d := look(t, Chart{
		Title: "a < b & c", Parts: []string{"x", "y"},
		Panels: []Panel{
			{Title: "one", Bars: []Bar{{Label: "a", Text: "30 + 10", Parts: []float64{30, 10}}, {Label: `"b"`, Ours: true, Text: "20", Parts: []float64{20, 0}}}},
			{Title: "of its own scale", Bars: []Bar{{Label: "c", Text: "1", Parts: []float64{1}}}},
			{Title: "nothing", Bars: []Bar{{Label: "d", Text: "0", Parts: []float64{0, -1}}}},
		},
	}.SVG())
	const all = float64(barsWidth)
	if want := []float64{all * 3 / 4, all / 4, all / 2, 0, all, 0, 0}; !slices.Equal(d.bars, want) {
		t.Errorf("bars of %v, want %v", d.bars, want)
	}
	if d.right != labelWidth+barsWidth {
		t.Errorf("the longest bar ends at %v, want %v", d.right, labelWidth+barsWidth)
	}
	for _, want := range []string{"a < b & c", `"b"`, "30 + 10", "of its own scale", "x", "y"} {
		if !slices.Contains(d.texts, want) {
			t.Errorf("no text %q in %q", want, d.texts)
		}
	}
}
