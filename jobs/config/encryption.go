package config

import (
	"path/filepath"
	"strings"

	"concord/exchange/atrest"
	"concord/formats/yamltree"
)

const (
	exampleEncryption = "{recipients: [age1…], identity_file: secrets/concord.age}"
	exampleRecipient  = "age1…, as concord encrypt keygen prints it"
)

// encryption reads the keys of what is kept. The identities may be several: the
// one of today, and those of before.
func (r *reader) encryption(y *yamltree.Node) {
	if !y.IsObject(exampleEncryption) {
		return
	}
	var g atrest.Given
	var from string
	before := y.Doc().Faults()
	once := func(take func(*yamltree.Node)) func(*yamltree.Node) {
		return func(y *yamltree.Node) {
			if from != "" {
				y.Report("is given beside %s; keep one of them", from)
				return
			}
			from = y.Path
			take(y)
		}
	}
	y.Each(map[string]func(*yamltree.Node){
		"recipients": func(y *yamltree.Node) { g.Recipients = recipients(y) },
		"identity": func(y *yamltree.Node) {
			y.Report("a secret does not belong into this file; write it into a file that only the service may read and name that with identity_file, or set it in the environment and name the variable with identity_env")
		},
		"identity_file": once(func(y *yamltree.Node) { g.Identities = r.identityFile(y) }),
		"identity_env": once(func(y *yamltree.Node) {
			g.Identities = strings.Fields(r.secretVariable(y).Reveal())
		}),
	})
	if !y.Has("recipients") {
		y.ReportAt("recipients", "required: name the public keys that everything is encrypted to")
	}
	if from == "" {
		y.ReportAt("identity_file", "required, or identity_env: without the identity nothing could be read again")
	}
	if y.Doc().Faults() > before {
		return
	}
	k, err := atrest.New(g)
	if err != nil {
		y.Report("%v", err)
		return
	}
	r.c.Encryption = k
}

// recipients returns the public keys of a list, each of which is one.
func recipients(y *yamltree.Node) (list []string) {
	take := func(y *yamltree.Node) {
		text, ok := y.Word(exampleRecipient)
		if !ok {
			return
		}
		if _, err := atrest.Recipient(text); err != nil {
			y.Report("%v", err)
			return
		}
		list = append(list, text)
	}
	if y.Kind != yamltree.List {
		take(y)
		return list
	}
	for _, item := range y.Items {
		take(item)
	}
	if len(y.Items) == 0 {
		y.Report("is empty; name at least one public key, %s", exampleRecipient)
	}
	return list
}

// identityFile returns the identities of a file as age-keygen writes one: a line
// each, and comments.
func (r *reader) identityFile(y *yamltree.Node) (list []string) {
	typed, ok := y.Word("secrets/concord.age")
	if !ok {
		return nil
	}
	r.identityPath = r.path(typed)
	b, err := readFile(r.identityPath, maxSecret, private)
	if err != nil {
		y.Report("%s: %v", typed, err)
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		y.Report("%s: holds no identity; write lines that begin with AGE-SECRET-KEY-, as concord encrypt keygen does", typed)
	}
	return list
}

// checkEncryption makes sure that the key does not lie beside what it opens:
// who has a copy of the data folder must not have both.
func (r *reader) checkEncryption() {
	if r.identityPath == "" || r.c.Data == "" {
		return
	}
	rel, err := filepath.Rel(real(r.c.Data), real(r.identityPath))
	if err == nil && filepath.IsLocal(rel) {
		r.root.ReportAt("encryption.identity_file", "lies in the data folder, beside what it opens; keep it elsewhere, and back it up elsewhere, too")
	}
}

// real returns a path without symbolic links, as far as it is there.
func real(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	if up := filepath.Dir(path); up != path {
		return filepath.Join(real(up), filepath.Base(path))
	}
	return path
}
