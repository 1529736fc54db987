package config

import (
	"time"

	"concord/formats/yamltree"
)

// CarrierToken lets a carrier in over HTTP. Of several each does, so that one
// can be replaced by another without a gap.
type CarrierToken struct {
	Name    string
	SHA256  [32]byte
	Expires time.Time // the instant from which on it does not; zero: none
}

const exampleCarrierToken = "{name: 2026, sha256: …, expires: 2027-02-01}"

// carrierTokens reads a carrier's tokens.
func (r *reader) carrierTokens(c *Carrier, y *yamltree.Node) {
	if y.Kind != yamltree.List {
		y.Report("is %s; write a list, each item such as %s", y.Kind, exampleCarrierToken)
		return
	}
	for _, item := range y.Items {
		if item.IsObject(exampleCarrierToken) {
			c.Tokens = append(c.Tokens, r.carrierToken(c, item))
		}
	}
}

func (r *reader) carrierToken(c *Carrier, y *yamltree.Node) (t CarrierToken) {
	y.Each(map[string]func(*yamltree.Node){
		"name":    func(y *yamltree.Node) { t.Name, _ = y.Word("2026") },
		"sha256":  func(y *yamltree.Node) { t.SHA256 = hash(y) },
		"expires": func(y *yamltree.Node) { t.Expires = firstDay(y) },
	})
	for _, name := range []string{"name", "sha256"} {
		if !y.Has(name) {
			y.ReportAt(name, "required")
		}
	}
	if other, is := r.tokensOf[t.SHA256]; is && t.SHA256 != [32]byte{} {
		y.ReportAt("sha256", "is that of %s, too; each token is of one carrier", other)
	}
	r.tokensOf[t.SHA256] = y.Path
	return t
}
