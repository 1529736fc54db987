package dialect

import (
	"fmt"
	"strconv"
	"strings"
)

// Infer proposes a profile from the head of a file, which may be packed with
// gzip or zstd. The text can be read by Parse. doubts say what the sample leaves
// open, each with the path of the setting: a person has to settle them before
// the profile is used. They hold names of columns and no values. The error says
// why nothing can be proposed.
func Infer(name string, data []byte) (text []byte, doubts []string, err error) {
	s, err := sniff(data)
	if err != nil {
		return nil, nil, fmt.Errorf("infer a profile from %s: %w", name, err)
	}
	in := infer(s)
	_, start := in.column["start"]
	_, duration := in.column["duration"]
	switch {
	case !start && !in.dateTime:
		err = fmt.Errorf("no column looks like the start of a call; write the profile by hand")
	case !duration && !in.minus:
		err = fmt.Errorf("no column looks like the duration or the end of a call; write the profile by hand")
	}
	if err != nil {
		return nil, in.doubts, fmt.Errorf("infer a profile from %s: %w", name, err)
	}
	text = []byte(in.yaml(name))
	if _, err := Parse("proposal", text); err != nil {
		return nil, in.doubts, fmt.Errorf("infer a profile from %s: the proposal does not hold; write it by hand: %w", name, err)
	}
	return text, in.doubts, nil
}

// yamlWriter writes the lines of a profile.
type yamlWriter struct{ strings.Builder }

func (w *yamlWriter) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// quoted writes a text in a form that YAML reads back unchanged.
func quoted(s string) string {
	return strings.ReplaceAll(strconv.QuoteToGraphic(strings.ToValidUTF8(s, "\ufffd")), `\x7f`, `\u007f`)
}

// plainOrQuoted leaves the quotes off where they help nobody.
func plainOrQuoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && s[0] > '9' {
		return s
	}
	return quoted(s)
}

// yaml writes the proposal.
func (in *inference) yaml(name string) string {
	w := &yamlWriter{}
	w.line(0, "# proposed from a sample; settle what is doubtful before use")
	for _, d := range in.doubts {
		w.line(0, "# - %s", strings.Map(printable, d))
	}
	w.line(0, "carrier: %s", plainOrQuoted(carrierOf(name)))
	in.filesYAML(w)
	w.line(0, "columns:")
	for _, field := range inferredFields() {
		in.columnYAML(w, field)
	}
	if in.minus {
		w.line(1, "duration: end - start")
	}
	in.numbersYAML(w)
	if in.trailer != nil {
		w.line(0, "trailer: {prefix: %s, count: %d}", quoted(in.trailer.Prefix), in.trailer.Count)
	}
	return w.String()
}

func printable(r rune) rune {
	if !strconv.IsGraphic(r) {
		return ' '
	}
	return r
}

// carrierOf makes the name of a carrier from the head of a file's name.
func carrierOf(name string) string {
	head := strings.TrimLeft(strings.ToLower(name), "0123456789_-. ")
	end := strings.IndexFunc(head, func(r rune) bool { return r < 'a' || r > 'z' })
	if end >= 0 {
		head = head[:end]
	}
	if head == "" {
		return "carrier"
	}
	return head
}

func (in *inference) filesYAML(w *yamlWriter) {
	w.line(0, "files:")
	w.line(1, "format: csv")
	w.line(1, "delimiter: %s", quoted(string(in.delim)))
	if in.encoding != "" {
		w.line(1, "encoding: %s", in.encoding)
	}
	if in.comment != "" {
		w.line(1, "comment: %s", quoted(in.comment))
	}
	if in.header != nil {
		return
	}
	w.line(1, "header: false")
	w.line(1, "columns: [%s]", quoteList(in.names))
}

func (in *inference) columnYAML(w *yamlWriter, field string) {
	at, ok := in.column[field]
	if !ok {
		if field == "start" && in.dateTime {
			w.line(1, "start: {columns: [%s, %s], %s}", quoted(in.names[in.column["date"]]), quoted(in.names[in.column["time"]]), in.timeYAML("start"))
		}
		return
	}
	col := plainOrQuoted(in.names[at])
	switch field {
	case "date", "time":
	case "start", "end":
		w.line(1, "%s: {column: %s, %s}", field, col, in.timeYAML(field))
	case "duration":
		comma := ""
		if in.comma {
			comma = `, decimal: ","`
		}
		w.line(1, "duration: {column: %s, unit: %s%s}", col, quoted(in.unit), comma)
	default:
		w.line(1, "%s: %s", field, col)
	}
}

// timeYAML writes the layout of a time and, when it needs one, its zone.
func (in *inference) timeYAML(field string) string {
	l := in.layouts[field]
	s := "layout: " + quoted(l)
	if c := compileLayout(l); !c.offset && !c.isEpoch() {
		s += ", zone: UTC"
	}
	return s
}

func (in *inference) numbersYAML(w *yamlWriter) {
	var parts []string
	if in.country != "" {
		parts = append(parts, "country: "+quoted(in.country))
	}
	if in.national != "" {
		parts = append(parts, "national_prefix: "+quoted(in.national))
	}
	if len(in.intl) > 0 {
		parts = append(parts, "international_prefix: "+quoted(in.intl[0]))
	}
	if in.bare != "" {
		parts = append(parts, "bare: "+in.bare)
	}
	if len(parts) > 0 {
		w.line(0, "numbers: {%s}", strings.Join(parts, ", "))
	}
}
