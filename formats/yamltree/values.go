package yamltree

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Word returns the text of a node that must not be empty.
func (y *Node) Word(example string) (string, bool) {
	if y.Kind == Text && y.Text != "" {
		return y.Text, true
	}
	if y.Kind != Broken {
		kind := y.Kind.String()
		if y.Kind == Text {
			kind = "empty"
		}
		y.Report("is %s; write a text such as %s", kind, example)
	}
	return "", false
}

// AnyText returns the text of a node that may be empty.
func (y *Node) AnyText(example string) (string, bool) {
	if y.Kind == Text {
		return y.Text, true
	}
	if y.Kind == Empty {
		return "", true
	}
	return y.Word(example)
}

// Texts returns a list of texts; a single text is a list of one.
func (y *Node) Texts(example string) []string {
	if y.Kind == Text {
		return []string{y.Text}
	}
	if y.Kind != List {
		y.Word(example)
		return nil
	}
	out := []string{}
	for _, item := range y.Items {
		if item.Kind == Empty { // NULL and ~ are texts here
			out = append(out, item.Text)
			continue
		}
		if s, ok := item.AnyText(example); ok {
			out = append(out, s)
		}
	}
	return out
}

// OneOf returns the text of a node that must be one of words; "" when it is
// not.
func (y *Node) OneOf(words ...string) string {
	s, ok := y.Word(words[0])
	if !ok || slices.Contains(words, s) {
		return s
	}
	if like := Nearest(strings.ToLower(s), words); like != "" {
		y.Report("%q is none of %s; did you mean %s?", s, strings.Join(words, ", "), like)
	} else {
		y.Report("%q is none of %s", s, strings.Join(words, ", "))
	}
	return ""
}

// Boolean returns true or false.
func (y *Node) Boolean() bool { return y.OneOf("true", "false") == "true" }

// Whole returns a whole number within bounds; 0 when it is none.
func (y *Node) Whole(lowest, highest int64) int64 {
	s, ok := y.Word(strconv.FormatInt(lowest, 10))
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < lowest || v > highest {
		y.Report("%q is no whole number from %d to %d", s, lowest, highest)
		return 0
	}
	return v
}

// Size returns a number of bytes, such as 64KiB; 0 when it is none.
func (y *Node) Size(highest int64) int64 {
	s, ok := y.Word("64KiB")
	if !ok {
		return 0
	}
	text, factor := s, int64(1)
	for i, suffix := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if head, found := strings.CutSuffix(s, suffix); found {
			text, factor = strings.TrimSpace(head), int64(1)<<(10*(i+1))
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 1 || v > highest/factor {
		y.Report("%q is no size from 1 to %d bytes; write one such as 64KiB, 16MiB or 2GiB", s, highest)
		return 0
	}
	return v * factor
}

// Duration returns a length of time, such as 5s or -1h30m; 0 when it is none.
func (y *Node) Duration(example string) time.Duration {
	s, ok := y.Word(example)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		y.Report("%q is no length of time; write one with its unit, such as %s, 500ms, 90s or 1h30m", s, example)
	}
	return d
}

// Zone returns a time zone of the zone database; nil when it is none.
func (y *Node) Zone() *time.Location {
	s, ok := y.Word("Europe/Berlin")
	if !ok {
		return nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "Local" || !safeZone(s) {
		y.Report("%q is no time zone; write a name of the zone database, such as Europe/Berlin, or UTC", s)
		return nil
	}
	return loc
}

// safeZone reports whether a zone name is one and not a path.
func safeZone(s string) bool { return !strings.Contains(s, "..") && !strings.HasPrefix(s, "/") }

// Nearest returns the name that is at most two typing errors away; "" when
// none is.
func Nearest(word string, names []string) string {
	best, limit := "", min(2, len(word)/2)
	for _, n := range names {
		if d := distance(word, n); d <= limit {
			best, limit = n, d-1
		}
	}
	return best
}

// distance is how many letters must be typed, removed or changed to make b
// of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
