package pgp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"concord/exchange/pgp"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

var now = time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)

// pair is somebody's key, both parts.
type pair struct {
	entity  *openpgp.Entity
	private *pgp.Private
	public  *pgp.Public
}

func newPair(t testing.TB, name string, lifetime time.Duration) pair {
	t.Helper()
	c := &packet.Config{Time: func() time.Time { return now.Add(-time.Hour) }, Algorithm: packet.PubKeyAlgoEdDSA,
		KeyLifetimeSecs: uint32(lifetime.Seconds()), DefaultCompressionAlgo: packet.CompressionZLIB}
	e, err := openpgp.NewEntity(name, "", name+"@example.com", c)
	if err != nil {
		t.Fatal(err)
	}
	p := pair{entity: e}
	var secret, public bytes.Buffer
	if err := errors.Join(e.SerializePrivateWithoutSigning(&secret, nil), e.Serialize(&public)); err != nil {
		t.Fatal(err)
	}
	if p.private, err = pgp.ReadPrivate(secret.Bytes(), nil); err != nil {
		t.Fatal(err)
	}
	if p.public, err = pgp.ReadPublic(public.Bytes()); err != nil {
		t.Fatal(err)
	}
	return p
}

const content = "record_id,start,duration_ms,caller,callee\nc1,2026-10-01T10:00:00Z,60000,+4915550001234,+442071234567\n"

func seal(t testing.TB, to, by *pair, text string) []byte {
	t.Helper()
	s := pgp.Sealer{To: to.public}
	if by != nil {
		s.By = by.private
	}
	var b bytes.Buffer
	if err := s.Seal(&b, strings.NewReader(text), now); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func armorOf(t testing.TB, b []byte) []byte {
	t.Helper()
	var text bytes.Buffer
	w, err := armor.Encode(&text, "PGP MESSAGE", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(b)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return append(text.Bytes(), '\n')
}

func open(o pgp.Opener, b []byte) (string, pgp.Opened, error) {
	if o.Most == 0 {
		o.Most = 1 << 20
	}
	if o.Now.IsZero() {
		o.Now = now
	}
	var text bytes.Buffer
	found, err := o.Open(&text, bytes.NewReader(b))
	return text.String(), found, err
}

func TestMessagesAreOpenedAndTheirSignerIsKnown(t *testing.T) {
	ours, theirs, other := newPair(t, "ours", 0), newPair(t, "theirs", 0), newPair(t, "other", 0)
	big := strings.Repeat(content, 5000)
	for _, c := range []struct {
		name   string
		by     *pair
		keys   *pgp.Public
		signed bool
		by2    string
	}{
		{"not signed", nil, nil, false, ""},
		{"not signed, and a key is known", nil, theirs.public, false, ""},
		{"signed, and no key is known", &theirs, nil, false, ""},
		{"signed by a stranger", &other, theirs.public, false, ""},
		{"signed", &theirs, theirs.public, false, theirs.public.Fingerprints()[0]},
		{"signed, as agreed", &theirs, theirs.public, true, theirs.public.Fingerprints()[0]},
	} {
		for _, text := range []string{"", content, big} {
			b := seal(t, &ours, c.by, text)
			for _, form := range [][]byte{b, armorOf(t, b)} {
				got, found, err := open(pgp.Opener{Ours: ours.private, Theirs: c.keys, Signed: c.signed}, form)
				if err != nil || got != text || found.SignedBy != c.by2 || found.HasSigned != (c.by != nil) {
					t.Errorf("%s, %d bytes: %d bytes, %+v, %v", c.name, len(text), len(got), found, err)
				}
			}
		}
	}
}

// unpacked is a message whose content is packed.
func packed(t testing.TB, to *pair, text io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	c := &packet.Config{Time: func() time.Time { return now }, DefaultCompressionAlgo: packet.CompressionZLIB}
	w, err := openpgp.Encrypt(&b, []*openpgp.Entity{to.entity}, nil, nil, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1<<20 {
		t.Fatalf("it was not packed: %d bytes", b.Len())
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMessagesThatAreRefusedSayWhatToDo(t *testing.T) {
	ours, theirs, other := newPair(t, "ours", 0), newPair(t, "theirs", 0), newPair(t, "other", 0)
	expired := newPair(t, "expired", 2*time.Hour)
	fine := seal(t, &ours, &theirs, content)
	own := pgp.Opener{Ours: ours.private, Theirs: theirs.public, Signed: true}
	key := ours.public.Fingerprints()[0]
	var signedOnly bytes.Buffer
	w, err := openpgp.Sign(&signedOnly, []*openpgp.Entity{theirs.entity}, nil, &packet.Config{Time: func() time.Time { return now }})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(fine)
	changed[len(changed)-40] ^= 1
	for _, c := range []struct {
		name       string
		o          pgp.Opener
		b          []byte
		want       string
		incomplete bool
	}{
		{"empty", own, nil, "it is empty", true},
		{"text", own, []byte(content), "it is no PGP message that is encrypted; encrypt it to the key " + key, false},
		{"to another key", own, seal(t, &other, &theirs, content), "it is not encrypted to our key; encrypt it to " + key, false},
		{"not signed", own, seal(t, &ours, nil, content), "it is not signed, as is agreed upon; sign it with the key " + theirs.public.Fingerprints()[0], false},
		{"signed by another", own, seal(t, &ours, &other, content), "with a key that is not agreed upon", false},
		{"signed by nobody known", pgp.Opener{Ours: ours.private, Signed: true}, fine, "with a key that is not agreed upon", false},
		{"signed by an expired key", pgp.Opener{Ours: ours.private, Theirs: expired.public, Now: now.Add(24 * time.Hour)}, late(t, &ours, &expired), "its key had expired", false},
		{"signed only", own, signedOnly.Bytes(), "signed or packed and not encrypted", false},
		{"changed", own, changed, "was changed or damaged on the way", false},
		{"broken off", own, fine[:len(fine)-1], "breaks off", true},
		{"broken off in armor", own, armorOf(t, fine)[:200], "breaks off", true},
		{"broken off before the end of the armor", own, bytes.Split(armorOf(t, fine), []byte("-----END"))[0], "breaks off", true},
		{"two in armor", own, append(armorOf(t, fine), armorOf(t, fine)...), "something behind the end", false},
		{"two", own, append(bytes.Clone(fine), fine...), "was changed or damaged", false},
		{"a key in armor", own, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEaA==\n-----END PGP PUBLIC KEY BLOCK-----\n"), "another kind", false},
		{"a bomb", own, packed(t, &ours, io.LimitReader(zeros{}, 64<<20)), "it unpacks to more than the 1048576 bytes", false},
	} {
		_, found, err := open(c.o, c.b)
		var f *pgp.Fault
		if !errors.As(err, &f) || !strings.Contains(f.Reason, c.want) || f.Incomplete != c.incomplete || found != (pgp.Opened{}) {
			t.Errorf("%s: %+v, %v", c.name, found, err)
		}
		if strings.Contains(fmt.Sprint(err), "4915550001234") {
			t.Errorf("%s: a number is in the reason", c.name)
		}
	}
}

// late is a message that a key signed after its end.
func late(t *testing.T, to, by *pair) []byte {
	t.Helper()
	var b bytes.Buffer
	c := &packet.Config{Time: func() time.Time { return now }}
	// The signature is made while the key holds, with a time at which it does not.
	w, err := openpgp.Encrypt(&b, []*openpgp.Entity{to.entity}, nil, []*openpgp.Entity{by.entity}, nil, c)
	if err == nil {
		c.Time = func() time.Time { return now.Add(12 * time.Hour) }
		_, err = io.WriteString(w, content)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever part of a message arrives, and whatever bit of it is changed: its
// content is taken for whole in no case, and a part of one may still grow.
func TestNoHalfAndNoChangedMessageIsOpened(t *testing.T) {
	ours, theirs := newPair(t, "ours", 0), newPair(t, "theirs", 0)
	o := pgp.Opener{Ours: ours.private, Theirs: theirs.public}
	for _, b := range [][]byte{seal(t, &ours, nil, content), seal(t, &ours, &theirs, strings.Repeat(content, 100))} {
		for n := 1; n < len(b); n += 1 + n/50 {
			var f *pgp.Fault
			if _, _, err := open(o, b[:n]); !errors.As(err, &f) || !f.Incomplete {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
		src := rand.New(rand.NewPCG(1, 2))
		for range 400 {
			c := bytes.Clone(b)
			at := src.IntN(len(c))
			c[at] ^= 1 << src.IntN(8)
			if text, _, err := open(o, c); err == nil && (text != content && text != strings.Repeat(content, 100)) {
				t.Fatalf("a changed bit at %d gave another content", at)
			}
		}
	}
}

func TestErrorsOfReadingAndWritingAreNoFaults(t *testing.T) {
	ours := newPair(t, "ours", 0)
	b := seal(t, &ours, nil, strings.Repeat(content, 3000))
	broken := errors.New("the disk is gone")
	o := pgp.Opener{Ours: ours.private, Most: 1 << 30, Now: now}
	for n := 0; n < len(b); n += 1 + len(b)/7 {
		_, err := o.Open(io.Discard, io.MultiReader(bytes.NewReader(b[:n]), failing{broken}))
		var f *pgp.Fault
		if !errors.Is(err, broken) || errors.As(err, &f) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	if _, err := o.Open(failing{broken}, bytes.NewReader(b)); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := (&pgp.Sealer{To: ours.public}).Seal(failing{broken}, strings.NewReader(content), now); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := (&pgp.Sealer{To: ours.public}).Seal(io.Discard, failing{broken}, now); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestKeysAreCheckedWhenTheyAreRead(t *testing.T) {
	ours := newPair(t, "ours", 2*time.Hour)
	var secret, public bytes.Buffer
	if err := ours.entity.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	if err := ours.entity.EncryptPrivateKeys([]byte("open it"), nil); err != nil {
		t.Fatal(err)
	}
	if err := ours.entity.SerializePrivateWithoutSigning(&secret, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, pass, want string
		text             []byte
	}{
		{"nothing", "", "no OpenPGP key", nil},
		{"rubbish", "", "no OpenPGP key", []byte("AGE-SECRET-KEY-1")},
		{"the public one", "", "write the private one", public.Bytes()},
		{"without its passphrase", "", "protected by a passphrase", secret.Bytes()},
		{"with another passphrase", "open", "does not open", secret.Bytes()},
	} {
		if _, err := pgp.ReadPrivate(c.text, []byte(c.pass)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	p, err := pgp.ReadPrivate(secret.Bytes(), []byte("open it"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CanSign(now); err != nil {
		t.Error(err)
	}
	if err := p.CanSign(now.Add(24 * time.Hour)); err == nil {
		t.Error("an expired key signs")
	}
	if _, err := pgp.ReadPublic(secret.Bytes()); err == nil || !strings.Contains(err.Error(), "nobody but its owner") {
		t.Error(err)
	}
	q, err := pgp.ReadPublic(public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(q.CanEncrypt(now)); err != nil {
		t.Error(err)
	}
	if err := q.CanEncrypt(now.Add(24 * time.Hour)); err == nil {
		t.Error("an expired key encrypts")
	}
	// What was encrypted before a key expired is opened after.
	b := seal(t, &pair{public: q}, nil, content)
	if text, _, err := open(pgp.Opener{Ours: p, Now: now.Add(24 * time.Hour)}, b); err != nil || text != content {
		t.Errorf("with an expired key of ours: %q, %v", text, err)
	}
}

func TestAnOpenerIsHandedOver(t *testing.T) {
	ours, theirs := newPair(t, "ours", 0), newPair(t, "theirs", 0)
	o := pgp.Opener{Ours: ours.private, Theirs: theirs.public, Signed: true, Most: 1 << 20, Now: now}
	g, err := o.Share()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", g, g, g); strings.TrimSpace(strings.ReplaceAll(text, "(secret)", "")) != "" {
		t.Error("the keys are shown")
	}
	p, err := pgp.From(g)
	if err != nil {
		t.Fatal(err)
	}
	if text, found, err := open(*p, seal(t, &ours, &theirs, content)); err != nil || text != content || found.SignedBy == "" {
		t.Errorf("%q, %+v, %v", text, found, err)
	}
}

// The memory of opening does not grow with the message.
func TestMessagesAreStreamed(t *testing.T) {
	ours := newPair(t, "ours", 0)
	r, w := io.Pipe()
	go func() { // ends with Open
		s := pgp.Sealer{To: ours.public, By: ours.private}
		w.CloseWithError(s.Seal(w, io.LimitReader(zeros{}, 256<<20), now))
	}()
	o := pgp.Opener{Ours: ours.private, Theirs: ours.public, Signed: true, Most: 1 << 30, Now: now}
	before, most := held(), &peak{}
	if _, err := o.Open(most, r); err != nil {
		t.Fatal(err)
	}
	if most.bytes-before > 64<<20 {
		t.Errorf("for 256 MiB, %d MiB were held at once", (most.bytes-before)>>20)
	}
}

func FuzzOpen(f *testing.F) {
	ours, theirs := newPair(f, "ours", 0), newPair(f, "theirs", 0)
	for _, b := range [][]byte{seal(f, &ours, nil, content), seal(f, &ours, &theirs, content), packed(f, &ours, strings.NewReader(content)), seal(f, &theirs, nil, "")} {
		f.Add(b)
		f.Add(armorOf(f, b))
		f.Add(b[:len(b)/2])
	}
	o := pgp.Opener{Ours: ours.private, Theirs: theirs.public, Most: 1 << 20, Now: now}
	f.Fuzz(func(t *testing.T, b []byte) {
		var text bytes.Buffer
		_, err := o.Open(&text, bytes.NewReader(b))
		var bad *pgp.Fault
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("an error that is not the sender's: %v", err)
		}
		if text.Len() > 1<<20 {
			t.Fatal("more than is allowed was written")
		}
		if err == nil && text.Len() > 0 && text.String() != content {
			t.Fatal("another content was opened")
		}
	})
}
