package jobs

import (
	"strings"
	"time"
)

// Edges names a period by its ends, FROM/TO as RFC 3339, which tells it from every
// other one. Its text does not when the zone of a job was changed.
func (p Period) Edges() string {
	return p.From.UTC().Format(time.RFC3339Nano) + "/" + p.To.UTC().Format(time.RFC3339Nano)
}

// Beside is the text of a period or, if the other one has the same, its edges.
func (p Period) Beside(other Period) string {
	if p.Text == other.Text {
		return p.Edges()
	}
	return p.Text
}

// ByEdges reads what Edges has written.
func ByEdges(s string) (p Period, ok bool) {
	first, last, _ := strings.Cut(s, "/")
	from, err := time.Parse(time.RFC3339Nano, first)
	to, err2 := time.Parse(time.RFC3339Nano, last)
	return Period{From: from.UTC(), To: to.UTC(), Text: s}, err == nil && err2 == nil
}
