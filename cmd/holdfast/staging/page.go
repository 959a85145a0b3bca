package staging

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html
var reportPage string

// HTML writes r as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"inc":     func(i int) int { return i + 1 },
		"percent": func(share float64) string { return fmt.Sprintf("%.2f %%", share*100) },
		"sub":     func(a, b float64) float64 { return a - b },
	}).Parse(reportPage)
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{"R": r, "Rows": r.rows(), "Wide": r.newPlot(960), "Narrow": r.newPlot(340)})
}
