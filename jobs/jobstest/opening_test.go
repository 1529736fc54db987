package jobstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/exchange/pgp"
	"concord/jobs"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

func (h *house) now() time.Time { return h.at }

// sealedHouse is a house whose carrier encrypts, and whose spool is encrypted.
type sealedHouse struct {
	*house
	opening *jobs.Opening
	spool   *landing.Spool
	keys    *atrest.Keys
	to      *pgp.Public
	public  []byte // of to
}

func newSealedHouse(t *testing.T, ledger jobs.Ledger) *sealedHouse {
	h := &sealedHouse{house: newHouse(t, ledger)}
	to, identity, err := atrest.Generate()
	if err == nil {
		h.keys, err = atrest.New(atrest.Given{Recipients: []string{to}, Identities: []string{identity}})
	}
	if err == nil {
		h.spool, err = landing.OpenSealedSpool(filepath.Join(h.dir, "sealed"), h.keys.Encrypt)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.spool.Close(); err != nil {
			t.Error(err)
		}
	})
	var ours *pgp.Private
	ours, h.to = h.pair()
	w := jobs.Worker{Program: os.Args[0], Args: []string{"worker"}, Keys: h.keys}
	h.Collector = jobs.NewCollector(jobs.CollectOptions{
		Profile: h.profile, Ledger: ledger, Worker: w, Now: h.now, Content: h.spool.Path, Rejects: filepath.Join(h.dir, "rejects"),
	})
	h.opening = jobs.NewOpening(h.Collector, h.spool, w, func(string) jobs.Seals { return jobs.Seals{Ours: ours, Required: true} }, h.now)
	return h
}

func (h *sealedHouse) pair() (*pgp.Private, *pgp.Public) {
	e, err := openpgp.NewEntity("concord", "", "concord@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: h.now, DefaultCompressionAlgo: packet.CompressionZLIB})
	if err != nil {
		h.Fatal(err)
	}
	var secret, public bytes.Buffer
	if err := errors.Join(e.SerializePrivate(&secret, nil), e.Serialize(&public)); err != nil {
		h.Fatal(err)
	}
	h.public = public.Bytes()
	ours, err1 := pgp.ReadPrivate(secret.Bytes(), nil)
	theirs, err2 := pgp.ReadPublic(public.Bytes())
	if err := errors.Join(err1, err2); err != nil {
		h.Fatal(err)
	}
	return ours, theirs
}

func (h *sealedHouse) seal(content string) string {
	var b bytes.Buffer
	if err := (&pgp.Sealer{To: h.to}).Seal(&b, strings.NewReader(content), h.at); err != nil {
		h.Fatal(err)
	}
	return b.String()
}

// give does what package landing does: it offers a file from the spool.
func (h *sealedHouse) give(ctx context.Context, name, content string, trust landing.Trust) (a landing.Answer, err error) {
	c, err := h.spool.Add(h.Context(), strings.NewReader(content))
	if err != nil {
		h.Fatal(err)
	}
	o := landing.Offer{Carrier: "fabrikam", Name: name, SHA256: c.SHA256, Size: c.Size, Received: h.at, Trust: trust, Content: c.Path}
	a, err = h.opening.Take(ctx, o)
	taken := err == nil && a.Verdict != landing.Wait
	if rerr := h.spool.Release(c.SHA256, taken && !a.Elsewhere || errors.Is(err, landing.ErrDoubt)); rerr != nil {
		h.Fatal(rerr)
	}
	return a, err
}

// holds lists the contents of the spool, each of which must be encrypted.
func (h *sealedHouse) holds() (sums []string) {
	err := filepath.WalkDir(filepath.Join(h.dir, "sealed"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		sums = append(sums, filepath.Base(name))
		b, err := os.ReadFile(name)
		if !bytes.HasPrefix(b, []byte("age-encryption.org/")) || bytes.Contains(b, []byte("4930123456")) {
			h.Errorf("%s is in clear", name)
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	slices.Sort(sums)
	return sums
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const named = "FAB_000001_20261001.csv.pgp"

// Whatever fails around a file, what is in the spool in the end is its content,
// once, and only if it was recorded.
func TestTheSpoolHasWhatIsRecordedAndNothingElse(t *testing.T) {
	content := header + row
	for name, c := range map[string]struct {
		ledger jobs.Ledger
		spoil  func(h *sealedHouse)
		mend   func(h *sealedHouse)
	}{
		"the answer of the database is lost":                {&doubtful{Ledger: new(Mem), lost: 1, records: true}, nil, nil},
		"the database is away":                              {&doubtful{Ledger: new(Mem), lost: 1}, nil, nil},
		"no program can be started":                         {new(Mem), func(h *sealedHouse) { h.opening.Worker.Program = "/nowhere" }, func(h *sealedHouse) { h.opening.Worker.Program = os.Args[0] }},
		"the content cannot be written":                     {new(Mem), func(h *sealedHouse) { h.move("tmp", "away") }, func(h *sealedHouse) { h.move("away", "tmp") }},
		"the content can be written, and gets no place":     {new(Mem), func(h *sealedHouse) { h.block(content) }, func(h *sealedHouse) { h.unblock(content) }},
		"the file cannot be read with the keys that it has": {new(Mem), func(h *sealedHouse) { h.opening.Worker.Keys = h.otherKeys() }, func(h *sealedHouse) { h.opening.Worker.Keys = h.keys }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newSealedHouse(t, c.ledger)
			file := h.seal(content)
			added, err := h.spool.Add(t.Context(), strings.NewReader(file)) // stays while there are faults
			if err != nil {
				t.Fatal(err)
			}
			o := landing.Offer{Carrier: "fabrikam", Name: named, SHA256: added.SHA256, Size: added.Size, Received: h.at, Trust: landing.Vouched, Content: added.Path}
			if c.spoil != nil {
				c.spoil(h)
			}
			if _, err := h.opening.Take(t.Context(), o); err == nil {
				t.Fatal("nothing failed")
			}
			if c.mend != nil {
				c.mend(h)
			}
			a, err := h.opening.Take(t.Context(), o)
			if err != nil || a.Verdict != landing.Accept || !a.Elsewhere || a.Receipt.SHA256 != sumOf(file) || a.Receipt.ContentSHA256 != sumOf(content) {
				t.Fatalf("%+v, %v", a, err)
			}
			if err := h.spool.Release(added.SHA256, false); err != nil {
				t.Fatal(err)
			}
			if got := h.holds(); !slices.Equal(got, []string{sumOf(content)}) {
				t.Errorf("kept: %q", got)
			}
			entries, err := c.ledger.Files(t.Context(), "fabrikam")
			if err != nil || len(entries) != 1 || entries[0].SHA256 != sumOf(content) || entries[0].Sealed != (jobs.Sealed{SHA256: sumOf(file), Bytes: int64(len(file))}) {
				t.Errorf("%+v, %v", entries, err)
			}
		})
	}
}

func (h *sealedHouse) move(from, to string) {
	if err := os.Rename(filepath.Join(h.dir, "sealed", from), filepath.Join(h.dir, "sealed", to)); err != nil {
		h.Fatal(err)
	}
}

// block puts a file where the folder of a content belongs.
func (h *sealedHouse) block(content string) {
	if err := os.WriteFile(filepath.Dir(h.spool.Path(sumOf(content))), nil, 0o600); err != nil {
		h.Fatal(err)
	}
}

func (h *sealedHouse) unblock(content string) {
	if err := os.Remove(filepath.Dir(h.spool.Path(sumOf(content)))); err != nil {
		h.Fatal(err)
	}
}

func (h *sealedHouse) otherKeys() *atrest.Keys {
	to, identity, err := atrest.Generate()
	if err != nil {
		h.Fatal(err)
	}
	k, err := atrest.New(atrest.Given{Recipients: []string{to}, Identities: []string{identity}})
	if err != nil {
		h.Fatal(err)
	}
	return k
}

// A message of which a part is missing waits, as long as more may come; then it
// is rejected, and kept as it came.
func TestAPartOfAMessageWaits(t *testing.T) {
	h := newSealedHouse(t, new(Mem))
	file := h.seal(header + row)
	half := file[:len(file)/2]
	for _, trust := range []landing.Trust{landing.Doubtful, landing.Closed} {
		if a, err := h.give(t.Context(), named, half, trust); err != nil || a.Verdict != landing.Wait || !strings.Contains(a.Why, "breaks off") {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if got := h.holds(); len(got) != 0 {
		t.Errorf("kept: %q", got)
	}
	a, err := h.give(t.Context(), named, half, landing.Vouched)
	if err != nil || a.Verdict != landing.Reject || a.Elsewhere || !strings.Contains(a.Receipt.Reasons[0].Reason, "breaks off") {
		t.Errorf("%+v, %v", a, err)
	}
	if got := h.holds(); !slices.Equal(got, []string{sumOf(half)}) {
		t.Errorf("kept: %q", got)
	}
	if a, err = h.give(t.Context(), named, file, landing.Doubtful); err != nil || a.Verdict != landing.Accept || a.Receipt.Integrity != "verified" {
		t.Errorf("the whole of it: %+v, %v", a, err)
	}
}

// An encrypted empty file says that there was nothing to report, as one in clear
// does.
func TestNothingToReportIsEncrypted(t *testing.T) {
	h := newSealedHouse(t, new(Mem))
	a, err := h.give(t.Context(), named, h.seal(""), landing.Closed)
	if err != nil || a.Receipt.Status != landing.StatusAccepted || !strings.Contains(strings.Join(a.Receipt.Notes, " "), "nothing to report") {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = h.give(t.Context(), strings.TrimSuffix(named, ".pgp"), header+row, landing.Vouched)
	if err != nil || a.Verdict != landing.Reject || !strings.Contains(a.Receipt.Reasons[0].Reason, "it is not encrypted, as is agreed upon") {
		t.Errorf("in clear: %+v, %v", a, err)
	}
}

// A content that unpacks to far more than its file is not written to the end.
func TestABombIsRejected(t *testing.T) {
	h := newSealedHouse(t, new(Mem))
	var b bytes.Buffer
	list, err := openpgp.ReadKeyRing(bytes.NewReader(h.public))
	if err != nil {
		t.Fatal(err)
	}
	w, err := openpgp.Encrypt(&b, list, nil, nil, nil, &packet.Config{Time: h.now, DefaultCompressionAlgo: packet.CompressionZLIB})
	for n := 0; n < 100 && err == nil; n++ {
		_, err = w.Write(make([]byte, 1<<20))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	a, err := h.give(t.Context(), named, b.String(), landing.Vouched)
	if err != nil || a.Verdict != landing.Reject || !strings.Contains(a.Receipt.Reasons[0].Reason, "it unpacks to more than the 67108864 bytes") {
		t.Errorf("%d bytes: %+v, %v", b.Len(), a, err)
	}
	if got := h.holds(); len(got) != 1 {
		t.Errorf("kept: %q", got)
	}
}
