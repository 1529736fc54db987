package page

import (
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"html/template"
	"io"
)

//go:embed page.css
var style string

//go:embed page.tmpl
var markup string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": Count, "minutes": Minutes, "signed": SignedMinutes, "span": Span, "share": Share, "size": Size,
	"word": plainWord, "country": country, "number": number,
}).Parse(markup))

// view is what the template sees.
type view struct {
	*Page
	Style, StyleHash string
	Waterfall        *chart
	ByDay, ByCountry *chart
}

// CSS is the style, which is ours.
func (v view) CSS() template.CSS { return template.CSS(v.Style) }

// Policy forbids the page to load or run anything.
func (v view) Policy() string {
	return "default-src 'none'; style-src '" + v.StyleHash + "'; base-uri 'none'; form-action 'none'"
}

// Write writes the page as HTML.
func Write(w io.Writer, p *Page) error {
	sum := sha256.Sum256([]byte(style))
	return page.Execute(w, view{
		Page: p, Style: style, StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
		Waterfall: p.waterfall(), ByDay: p.days(), ByCountry: p.countries(),
	})
}
