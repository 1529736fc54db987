package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"concord/exchange/pgp"
	"concord/formats/yamltree"
)

const (
	examplePGP        = "{key_file: secrets/concord.pgp, passphrase_file: secrets/concord.passphrase}"
	exampleCarrierPGP = "{keys_file: keys/fabrikam.asc, required: true}"
)

// CarrierPGP says what is encrypted with OpenPGP between a carrier and us.
type CarrierPGP struct {
	Keys *pgp.Public // the carrier's; nil: none are known
	// Required refuses files of the carrier that are not encrypted, Signed also
	// those that it has not signed.
	Required, Signed bool
	// Encrypt encrypts what goes into the carrier's outbox, Sign also signs it.
	Encrypt, Sign bool

	sum string // of the file of Keys
}

// pgp reads our own keys.
func (r *reader) pgp(y *yamltree.Node) {
	if !y.IsObject(examplePGP) {
		return
	}
	var passphrase Secret
	var text []byte
	var first *yamltree.Node
	once := func(take func(*yamltree.Node) []byte) func(*yamltree.Node) {
		return func(y *yamltree.Node) {
			if first != nil {
				y.Report("is given beside %s; keep one of them", first.Path)
				return
			}
			first, text = y, take(y)
		}
	}
	set := map[string]func(*yamltree.Node){
		"key_file": once(func(y *yamltree.Node) []byte {
			b, path := r.pgpFile(y, "secrets/concord.pgp", private)
			r.pgpPath = path
			return b
		}),
		"key_env": once(func(y *yamltree.Node) []byte { return []byte(r.secretVariable(y).Reveal()) }),
	}
	r.secretKeys(set, "passphrase", &passphrase, nil)
	before := y.Doc().Faults()
	y.Each(set)
	if first == nil {
		y.ReportAt("key_file", "required, or key_env: name the private key that carriers encrypt to")
	}
	if y.Doc().Faults() > before {
		return
	}
	keys, err := pgp.ReadPrivate(text, []byte(passphrase.Reveal()))
	if err != nil {
		first.Report("%v", err)
		return
	}
	r.c.PGP, r.c.pgpSum = keys, sumOf(text)
}

// pgpFile returns the content of a file of keys, and where it is.
func (r *reader) pgpFile(y *yamltree.Node, example string, who privacy) (text []byte, path string) {
	typed, ok := y.Word(example)
	if !ok {
		return nil, ""
	}
	b, err := readFile(r.path(typed), maxFile, who)
	if err != nil {
		y.Report("%s: %v", typed, err)
		return nil, ""
	}
	return b, r.path(typed)
}

// carrierPGP reads what holds for a carrier. It is judged once our own keys are
// known.
func (r *reader) carrierPGP(y *yamltree.Node) *CarrierPGP {
	if !y.IsObject(exampleCarrierPGP) {
		return nil
	}
	p := &CarrierPGP{}
	y.Each(map[string]func(*yamltree.Node){
		"keys_file": func(y *yamltree.Node) {
			b, path := r.pgpFile(y, "keys/fabrikam.asc", public)
			if path == "" {
				return
			}
			keys, err := pgp.ReadPublic(b)
			if err != nil {
				y.Report("%v", err)
			}
			p.Keys, p.sum = keys, sumOf(b)
		},
		"required": func(y *yamltree.Node) { p.Required = y.Boolean() },
		"signed":   func(y *yamltree.Node) { p.Signed = y.Boolean() },
		"encrypt":  func(y *yamltree.Node) { p.Encrypt = y.Boolean() },
		"sign":     func(y *yamltree.Node) { p.Sign = y.Boolean() },
	})
	for name, on := range map[string]bool{"signed": p.Signed, "encrypt": p.Encrypt} {
		if on && !y.Has("keys_file") {
			y.ReportAt(name, "needs keys_file: name the carrier's public keys")
		}
	}
	if p.Sign && !p.Encrypt {
		y.ReportAt("sign", "needs encrypt: what is signed is encrypted, too")
	}
	return p
}

// checkPGP judges what holds for carriers beside our own keys.
func (r *reader) checkPGP() {
	if r.pgpPath != "" && r.c.Data != "" {
		if rel, err := filepath.Rel(real(r.c.Data), real(r.pgpPath)); err == nil && filepath.IsLocal(rel) {
			r.root.ReportAt("pgp.key_file", "lies in the data folder, beside what it opens; keep it elsewhere, and back it up elsewhere, too")
		}
	}
	carriers, _ := r.root.Get("carriers")
	for _, c := range r.c.Carriers {
		if c.PGP == nil {
			continue
		}
		y, _ := carriers.Get(c.Name)
		for name, on := range map[string]bool{"required": c.PGP.Required, "signed": c.PGP.Signed, "sign": c.PGP.Sign} {
			if on && !r.root.Has("pgp") {
				y.ReportAt("pgp."+name, "needs our own key: name it as pgp.key_file of the whole configuration")
			}
		}
	}
}

// PGPTrouble says which keys of PGP cannot do what they are there for at a
// time, or soon not any more.
func (c *Config) PGPTrouble(now time.Time) (list []string) {
	for _, x := range c.Carriers {
		if x.PGP == nil || !x.PGP.Encrypt {
			continue
		}
		if err := x.PGP.Keys.CanEncrypt(now); err != nil {
			list = append(list, fmt.Sprintf("carriers.%s.pgp: %v", x.Name, err))
		}
		if x.PGP.Sign && c.PGP != nil {
			if err := c.PGP.CanSign(now); err != nil {
				list = append(list, fmt.Sprintf("pgp: %v", err))
			}
		}
	}
	return list
}

func (p *CarrierPGP) text() string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(p.sum, p.Required, p.Signed, p.Encrypt, p.Sign)
}

// sumOf differs when a text does.
func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
