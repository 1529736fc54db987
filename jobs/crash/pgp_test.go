package crash

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"concord/exchange/pgp"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// TestEveryEncryptedFileOnceHoweverOftenTheServiceIsKilled is the same for a
// carrier that encrypts with PGP and a service that encrypts what it keeps: no
// content is ever left in clear, and none twice.
func TestEveryEncryptedFileOnceHoweverOftenTheServiceIsKilled(t *testing.T) {
	dir := t.TempDir()
	key := settle(t, dir)
	to := pgpKey(t, dir)
	encrypt(t, dir)
	everyFileOnce(t, dir, key, func(rng *rand.Rand, seq int) *file {
		f := newFile(rng, seq)
		f.name += pgp.Ending
		var b bytes.Buffer
		if err := (&pgp.Sealer{To: to}).Seal(&b, bytes.NewReader(f.content), time.Now()); err != nil {
			t.Fatal(err)
		}
		f.wire = b.Bytes()
		return f
	})
	err := filepath.WalkDir(filepath.Join(dir, "data"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte("493012345678")) {
			t.Errorf("%s holds a number in clear", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// pgpKey gives the service a key of PGP, and returns its public part.
func pgpKey(t *testing.T, dir string) *pgp.Public {
	t.Helper()
	e, err := openpgp.NewEntity("concord", "", "concord@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var secret, public bytes.Buffer
	if err := errors.Join(e.SerializePrivate(&secret, nil), e.Serialize(&public)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "concord.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "    pgp: {required: true}\npgp: {key_file: pgp}\n"...)
	if err := errors.Join(os.WriteFile(name, text, 0o600), os.WriteFile(filepath.Join(dir, "pgp"), secret.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	k, err := pgp.ReadPublic(public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return k
}
