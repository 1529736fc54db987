package config

import (
	"net/url"
	"regexp"
	"strings"

	"concord/formats/yamltree"
)

const exampleURL = "postgres://concord:${PGPASSWORD}@db.example.com/concord"

var (
	variables = regexp.MustCompile(`\$\{([^{}]*)\}`)
	// passwords finds where a URL of PostgreSQL holds one.
	passwords = regexp.MustCompile(`://[^/?#:]*:([^?#]*)@|[?&](?:ssl)?password=([^&#]*)`)
)

// database takes a URL whose password comes from the environment.
func (r *reader) database(y *yamltree.Node) {
	text, _ := y.AnyText(exampleURL)
	for _, m := range passwords.FindAllStringSubmatch(text, -1) {
		if variables.ReplaceAllString(m[1]+m[2], "") != "" {
			y.Report("holds a password; write ${NAME} in its place and set that in the environment, such as %s, or use database_file", exampleURL)
			return
		}
	}
	full, ok := r.expand(y, text)
	if !ok || full == "" {
		return
	}
	r.c.Database = Secret(full)
	r.checkDatabase(y)
}

// expand puts variables of the environment in. A variable that is a part of the
// URL but not of its host is escaped, so that a password may hold any character.
func (r *reader) expand(y *yamltree.Node, text string) (string, bool) {
	var out strings.Builder
	at, query, whole, done := strings.LastIndexByte(text, '@'), strings.IndexByte(text, '?'), true, 0
	for _, m := range variables.FindAllStringSubmatchIndex(text, -1) {
		value, err := r.variable(text[m[2]:m[3]])
		if err != nil {
			y.Report("%v", err)
			whole = false
		}
		if m[0] < at || query >= 0 && m[0] > query {
			value = strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		out.WriteString(text[done:m[0]] + value)
		done = m[1]
	}
	out.WriteString(text[done:])
	return out.String(), whole
}

// checkDatabase does not show the URL: it may hold a password.
func (r *reader) checkDatabase(y *yamltree.Node) {
	u, err := url.Parse(r.c.Database.Reveal())
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		y.Report("is no address of a PostgreSQL; write one such as %s, or nothing for the database in the data folder", exampleURL)
	}
}
