package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// pgpPair writes a key that has a year: in the clear, protected by the word in
// secrets/word, and its public part.
func pgpPair(t *testing.T, w *world) {
	t.Helper()
	e, err := openpgp.NewEntity("concord", "", "concord@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: 365 * 24 * 3600})
	if err != nil {
		t.Fatal(err)
	}
	var public, secret, locked bytes.Buffer
	err = errors.Join(e.Serialize(&public), e.SerializePrivate(&secret, nil), e.EncryptPrivateKeys([]byte("secretword"), nil), e.SerializePrivateWithoutSigning(&locked, nil))
	if err != nil {
		t.Fatal(err)
	}
	w.write("keys/pgp", 0o644, inArmor(t, openpgp.PublicKeyType, public.Bytes())+inArmor(t, openpgp.PublicKeyType, public.Bytes()))
	w.write("secrets/pgp", 0o600, inArmor(t, openpgp.PrivateKeyType, secret.Bytes()))
	w.write("secrets/pgplocked", 0o600, locked.String())
	w.write("secrets/pgpword", 0o600, "secretword\n")
	w.env["PGP"] = inArmor(t, openpgp.PrivateKeyType, secret.Bytes())
}

func inArmor(t *testing.T, kind string, b []byte) string {
	t.Helper()
	var text bytes.Buffer
	a, err := armor.Encode(&text, kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Write(b)
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	return text.String() + "\n"
}

func TestKeysOfPGP(t *testing.T) {
	w := newWorld(t)
	pgpPair(t, w)
	const all = "carriers: {a: {pgp: {keys_file: keys/pgp, required: true, signed: true, encrypt: true, sign: true}}}\n"
	var first *Config
	for name, ours := range map[string]string{
		"in armor":             "{key_file: secrets/pgp}",
		"with a passphrase":    "{key_file: secrets/pgplocked, passphrase_file: secrets/pgpword}",
		"from the environment": "{key_env: PGP}",
	} {
		c, err := w.parse("data: d\n" + all + "pgp: " + ours + "\n")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := c.Carriers[0].PGP
		if c.PGP == nil || p == nil || !p.Required || !p.Signed || !p.Encrypt || !p.Sign || len(p.Keys.Fingerprints()) != 2 {
			t.Errorf("%s: %+v", name, p)
		}
		now := time.Now()
		if list := c.PGPTrouble(now); len(list) != 0 {
			t.Errorf("%s: %q", name, list)
		}
		if list := strings.Join(c.PGPTrouble(now.Add(366*day)), "\n"); !strings.Contains(list, "carriers.a.pgp: nothing can be encrypted to the key") || !strings.Contains(list, "does not sign") {
			t.Errorf("%s, after a year: %s", name, list)
		}
		first = c
	}
	c, err := w.parse("data: d\ncarriers: {a: {pgp: {keys_file: keys/pgp}}}\npgp: {key_file: secrets/pgp}\n")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Join(first.Diff(c).Lines(), "\n"); !strings.Contains(lines, "carriers.a: changed: pgp") || strings.Contains(lines, "PRIVATE") {
		t.Error(lines)
	}
}
