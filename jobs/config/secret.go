package config

import (
	"fmt"
	"strings"

	"concord/formats/yamltree"
)

// Secret is a text that is shown to nobody: it prints as what it is.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

const maxSecret = 64 << 10

// secretKeys adds the keys by which a secret may be given: NAME_file names a file
// that holds it, NAME_env a variable of the environment. inline takes NAME
// itself; nil refuses it.
func (r *reader) secretKeys(set map[string]func(*yamltree.Node), name string, to *Secret, inline func(*yamltree.Node)) {
	var first *yamltree.Node
	once := func(take func(*yamltree.Node)) func(*yamltree.Node) {
		return func(y *yamltree.Node) {
			if first != nil {
				y.Report("is given beside %s; keep one of them", first.Path)
				return
			}
			first = y
			take(y)
		}
	}
	if inline == nil {
		inline = func(y *yamltree.Node) {
			y.Report("a secret does not belong into this file; write it into a file that only the service may read and name that with %[1]s_file, "+
				"or set it in the environment and name the variable with %[1]s_env", name)
		}
	}
	set[name] = once(inline)
	set[name+"_file"] = once(func(y *yamltree.Node) { *to = r.secretFile(y) })
	set[name+"_env"] = once(func(y *yamltree.Node) { *to = r.secretVariable(y) })
}

// secretFile returns the one line of a file.
func (r *reader) secretFile(y *yamltree.Node) Secret {
	typed, ok := y.Word("secrets/name")
	if !ok {
		return ""
	}
	b, err := readFile(r.path(typed), maxSecret, private)
	if err != nil {
		y.Report("%s: %v", typed, err)
		return ""
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" || strings.ContainsAny(text, "\r\n\x00") {
		y.Report("%s: holds %s; write one line and nothing else", typed, emptyOrMore(text))
		return ""
	}
	return Secret(text)
}

func emptyOrMore(text string) string {
	if text == "" {
		return "nothing"
	}
	return "more than one line"
}

func (r *reader) secretVariable(y *yamltree.Node) Secret {
	name, ok := y.Word("CONCORD_SECRET")
	if !ok {
		return ""
	}
	v, err := r.variable(name)
	if err != nil {
		y.Report("%v", err)
	}
	return Secret(v)
}

// variable returns a variable of the environment. A name that is none is not
// shown: it could be the secret itself.
func (r *reader) variable(name string) (string, error) {
	if !variableName(name) {
		return "", fmt.Errorf("names no variable; write capital letters, digits and _, such as CONCORD_SECRET")
	}
	v, ok := r.env(name)
	if !ok || v == "" {
		return "", fmt.Errorf("the variable %s is not set in the environment, or empty", name)
	}
	return v, nil
}

func variableName(s string) bool {
	return s != "" && s[0] > '9' && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}
