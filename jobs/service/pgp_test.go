package service_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// gpg is GnuPG as somebody has it: with keys of theirs and of others.
type gpg struct {
	t    *testing.T
	home string
}

// newGPG makes a home of GnuPG with a key of its own, which a passphrase
// protects.
func newGPG(t *testing.T, who, passphrase string) *gpg {
	t.Helper()
	// Not below a test's own folder: the sockets of GnuPG have short names.
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	g := &gpg{t, home}
	t.Cleanup(func() {
		stop := exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent")
		if err := errors.Join(stop.Run(), os.RemoveAll(home)); err != nil {
			t.Error(err)
		}
	})
	g.run(nil, "--passphrase", passphrase, "--quick-generate-key", who+"@example.com", "rsa2048", "default", "never")
	g.run(nil, "--passphrase", passphrase, "--quick-add-key", g.fingerprint(), "rsa2048", "encr", "never")
	return g
}

// run runs gpg, and returns what it says.
func (g *gpg) run(in []byte, args ...string) []byte {
	g.t.Helper()
	c := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--yes", "--quiet", "--trust-model", "always", "--pinentry-mode", "loopback"}, args...)...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(in), &out, &errs
	if err := c.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			g.t.Fatal("gpg is missing: make test installs the package gnupg, or says that it is to be installed")
		}
		g.t.Fatalf("gpg %q: %v: %s", args, err, errs.String())
	}
	return out.Bytes()
}

func (g *gpg) fingerprint() string {
	for line := range strings.Lines(string(g.run(nil, "--with-colons", "--list-secret-keys"))) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	g.t.Fatal("gpg shows no key")
	return ""
}

func (g *gpg) public() []byte { return g.run(nil, "--armor", "--export", g.fingerprint()) }

// sealed is a service with PGP, and its carrier's GnuPG.
type sealed struct {
	*locked
	ours, theirs *gpg
}

// openSealed starts a service that encrypts what it keeps, and that has PGP with
// its carrier.
func openSealed(t *testing.T, terms string) *sealed {
	t.Helper()
	h := &house{site: newSite(t), t: t}
	s := &sealed{ours: newGPG(t, "concord", "a long passphrase"), theirs: newGPG(t, "fabrikam", "")}
	s.theirs.run(s.ours.public(), "--import")
	h.append(strings.Replace(storyJobs, "late_delay: 1ms", "late_delay: 1ms, deliver: true", 1))
	h.append("\npgp: {key_file: secrets/pgp, passphrase_file: secrets/passphrase}\n")
	b, err := os.ReadFile(filepath.Join(h.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.locked = &locked{house: h}
	s.write("concord.yaml", strings.Replace(string(b), "  fabrikam:\n", "  fabrikam:\n    pgp: "+terms+"\n", 1))
	s.write("secrets/pgp", string(s.ours.run(nil, "--passphrase", "a long passphrase", "--armor", "--export-secret-keys")))
	s.write("secrets/passphrase", "a long passphrase\n")
	s.write("keys/theirs.asc", string(s.theirs.public()))
	h.offset = 0
	s.addKey()
	s.configure()
	s.start()
	t.Cleanup(func() { h.stop() })
	return s
}

// encrypted is a content as the carrier encrypts it.
func (s *sealed) encrypted(content string, args ...string) string {
	s.t.Helper()
	return string(s.theirs.run([]byte(content), append(args, "--encrypt", "--recipient", s.ours.fingerprint())...))
}

// answer sends a file and returns its receipt.
func (s *sealed) answer(name, content string) (r landing.Receipt) {
	s.t.Helper()
	s.send(name, content)
	text := s.receipt(name)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *sealed) receipt(name string) (text string) {
	s.t.Helper()
	s.until("the receipt of "+name, func() bool {
		var b bytes.Buffer
		err := s.remote.Get(s.t.Context(), "receipts/"+name+".json", &b, 0)
		text = b.String()
		return err == nil
	})
	return text
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A carrier with GnuPG sends its files encrypted and signed, and opens with it
// what it is sent; what was encrypted lies nowhere in clear.
func TestFilesComeAndGoWithPGP(t *testing.T) {
	s := openSealed(t, "{keys_file: keys/theirs.asc, required: true, signed: true, encrypt: true, sign: true}")
	s.microsoft("m1.csv", calls(msCall, msLater))
	content := calls(ownCall, badCall)
	file := s.encrypted(content, "--sign")
	r := s.answer("a.csv.pgp", file)
	if r.Status != landing.StatusPartly || r.SHA256 != sumOf(file) || r.Bytes != int64(len(file)) || r.ContentSHA256 != sumOf(content) ||
		r.ContentBytes != int64(len(content)) || r.Integrity != "verified" || r.Rows != 2 || r.Rejected != 1 ||
		!strings.Contains(strings.Join(r.Notes, " "), "signed with the PGP key "+s.theirs.fingerprint()) {
		t.Errorf("%+v", r)
	}
	for name, again := range map[string]string{"b.csv.GPG": s.encrypted(content, "--sign"), "c.csv.asc": s.encrypted(content, "--sign", "--armor")} {
		if r := s.answer(name, again); r.Status != landing.StatusDuplicate || r.DuplicateOf != "a.csv.pgp" || r.SHA256 != sumOf(again) || r.ContentSHA256 != sumOf(content) {
			t.Errorf("encrypted anew as %s: %+v", name, r)
		}
	}
	stranger := newGPG(t, "stranger", "")
	stranger.run(s.ours.public(), "--import")
	for name, c := range map[string]struct{ content, want string }{
		"clear.csv":        {calls(lateCall), "it is not encrypted, as is agreed upon: encrypt it with PGP to the key " + s.ours.fingerprint()},
		"unsigned.csv.pgp": {s.encrypted(calls(lateCall)), "it is not signed, as is agreed upon; sign it with the key " + s.theirs.fingerprint()},
		"stranger.csv.pgp": {string(stranger.run([]byte(calls(lateCall)), "--sign", "--encrypt", "--recipient", s.ours.fingerprint())), "with a key that is not agreed upon"},
		"other.csv.pgp":    {string(s.theirs.run([]byte(calls(lateCall)), "--sign", "--encrypt", "--recipient", s.theirs.fingerprint())), "it is not encrypted to our key; encrypt it to " + s.ours.fingerprint()},
		"changed.csv.pgp":  {changed(file), "was changed or damaged"},
		"half.csv.pgp":     {file[:len(file)-20], "breaks off"},
		"signed.csv.pgp":   {string(s.theirs.run([]byte(calls(lateCall)), "--sign")), "signed or packed and not encrypted"},
	} {
		if r := s.answer(name, c.content); r.Status != landing.StatusRejected || len(r.Reasons) != 1 || !strings.Contains(r.Reasons[0].Reason, c.want) ||
			r.Rows != 0 || r.ContentSHA256 != "" || r.SHA256 != sumOf(c.content) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := s.run(); r.State != "succeeded" {
		t.Fatalf("%+v", r)
	}
	s.opensWhatItIsSent()
	s.stop()
	s.hidden(append(telltales, "BEGIN PGP PRIVATE")...)
	s.start() // what nothing refers to is removed
	s.stop()
	if list, err := filepath.Glob(filepath.Join(s.dir, "data", "spool", "*", sumOf(file))); err != nil || len(list) != 0 {
		t.Errorf("the file as it arrived is kept beside its content: %v, %v", list, err)
	}
	s.inHomes(canary)
	s.noNumber()
}

// changed has one bit of a message changed, near its end.
func changed(file string) string {
	b := []byte(file)
	b[len(b)-30] ^= 1
	return string(b)
}

// opensWhatItIsSent has GnuPG open and check a version of a report.
func (s *sealed) opensWhatItIsSent() {
	s.t.Helper()
	prefix := "report_fabrikam_2026-10-01_v1_"
	s.until("the version is delivered", func() bool { return outbox(s.t, s.remote, prefix)["manifest.json.pgp"] != "" })
	all := outbox(s.t, s.remote, prefix)
	s.theirs.run(s.ours.public(), "--import")
	open := func(name string) string {
		status := filepath.Join(s.t.TempDir(), "status")
		text := s.theirs.run([]byte(all[name+".pgp"]), "--status-file", status, "--decrypt")
		b, err := os.ReadFile(status)
		if err != nil || !strings.Contains(string(b), "VALIDSIG "+s.ours.fingerprint()) || !strings.Contains(string(b), "GOODMDC") {
			s.t.Errorf("%s: gpg says %s, %v", name, b, err)
		}
		return string(text)
	}
	var m struct{ Files []jobs.DeliveredFile }
	if err := json.Unmarshal([]byte(open("manifest.json")), &m); err != nil || len(m.Files) == 0 || len(all) != len(m.Files)+1 {
		s.t.Fatalf("%d files, %+v, %v", len(all), m, err)
	}
	for _, f := range m.Files {
		if text := open(strings.TrimPrefix(f.Name, prefix)); sumOf(text) != f.SHA256 || int64(len(text)) != f.Bytes {
			s.t.Errorf("%s is not what the manifest says", f.Name)
		}
	}
	if !strings.Contains(open("discrepancies.csv"), canary) {
		s.t.Error("the evidence is not that of the call")
	}
}

// inHomes sees that a text is in clear in no home.
func (h *house) inHomes(text string) {
	h.t.Helper()
	n := 0
	err := filepath.Walk(filepath.Join(h.dir, "data", "homes"), func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || strings.Contains(name, "clear.csv") { // the carrier sent it so
			return err
		}
		n++
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(text)) {
			h.t.Errorf("%s has it in clear", name)
		}
		return err
	})
	if err != nil || n < 10 {
		h.t.Errorf("%d files, %v", n, err)
	}
}

// Without PGP agreed upon, a file that is encrypted says so, and one that is only
// called like one is taken as ever. Where it is allowed and not required, both
// ways are open.
func TestPGPIsOneWayOfTwo(t *testing.T) {
	s := openSealed(t, "{}")
	content := calls(ownCall)
	if r := s.answer("a.csv", content); r.Status != landing.StatusAccepted || r.ContentSHA256 != "" {
		t.Errorf("in clear: %+v", r)
	}
	if r := s.answer("a.csv.pgp", s.encrypted(content)); r.Status != landing.StatusDuplicate || r.DuplicateOf != "a.csv" {
		t.Errorf("encrypted: %+v", r)
	}
	if r := s.answer("b.csv.pgp", s.encrypted(calls(lateCall), "--sign")); r.Status != landing.StatusAccepted || !strings.Contains(fmt.Sprint(r.Notes), "was not checked") {
		t.Errorf("signed: %+v", r)
	}
	s.stop()
	b, err := os.ReadFile(filepath.Join(s.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("concord.yaml", strings.Replace(string(b), "    pgp: {}\n", "", 1))
	s.start()
	if r := s.answer("c.csv.asc", s.encrypted(calls(msCall), "--armor")); r.Status != landing.StatusRejected || !strings.Contains(r.Reasons[0].Reason, "no key for that is agreed upon") {
		t.Errorf("encrypted: %+v", r)
	}
	if r := s.answer("d.csv.asc", calls(msLater)); r.Status != landing.StatusAccepted {
		t.Errorf("only called as if: %+v", r)
	}
}

// What arrived encrypted lies in the archive so, and goes from there when its time
// is over.
func TestWhatArrivedEncryptedIsPurged(t *testing.T) {
	s := openSealed(t, "{keys_file: keys/theirs.asc}\n    files: {grace: 1s}")
	s.answer("day.csv.pgp", s.encrypted(subjectCalls("c", 0, 6, func(int) int { return 60 })))
	s.stop()
	b, err := os.ReadFile(filepath.Join(s.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("concord.yaml", strings.Replace(string(b), "jobs:\n", "retention: {raw: 30d}\njobs:\n  purge: {kind: purge}\n", 1))
	s.offset = 40 * 24 * time.Hour
	s.start()
	s.until("the file is put away", func() bool { return len(s.lies("homes/fabrikam/archive")) == 1 && len(s.lies("spool")) == 1 })
	s.until("it is purged", func() bool { // once it is known which reports it changes
		s.purges()
		return len(s.lies("spool")) == 0
	})
	for _, part := range []string{"homes/fabrikam/archive", "homes/fabrikam/receipts", "spool"} {
		if got := s.lies(part); len(got) > 0 {
			t.Errorf("%s holds %q", part, got)
		}
	}
}

// A file that was refused as it arrived cannot be looked into, and an erasure says
// so; reports that were encrypted to the carrier come again.
func TestAnErasureTellsOfWhatPGPHides(t *testing.T) {
	s := openSealed(t, "{keys_file: keys/theirs.asc, signed: true, encrypt: true}\n    files: {grace: 1s}")
	s.stop()
	s.write("secrets/privacy", "0123456789abcdef0123456789abcdef")
	s.append("\nprivacy: {key_file: secrets/privacy}\n")
	s.start()
	text := subjectCalls("c", 0, 6, func(i int) int { return 60 + 40*(i%2) })
	s.microsoft("m1.csv", subjectCalls("m", 0, 6, func(int) int { return 60 }))
	if r := s.answer("unsigned.csv.pgp", s.encrypted(text)); r.Status != landing.StatusRejected {
		t.Fatalf("%+v", r)
	}
	s.answer("day.csv.pgp", s.encrypted(text, "--sign"))
	s.run()
	s.version(1)
	manifest := func(name string) bool { return strings.HasSuffix(name, "_v1_manifest.json.pgp") }
	s.until("the report is delivered", func() bool { return slices.ContainsFunc(s.lies("homes/fabrikam/outbox"), manifest) })
	before := s.lies("homes/fabrikam/outbox")
	e, err := s.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	e = s.erased(e.ID)
	if left := strings.Join(e.Left, "\n"); !strings.Contains(left, "unsigned.csv.pgp of fabrikam: it was refused as it arrived") {
		t.Errorf("%q", e.Left)
	}
	s.until("the report comes again", func() bool { return slices.Equal(s.lies("homes/fabrikam/outbox"), before) })
	for _, name := range before {
		b, err := os.ReadFile(filepath.Join(s.dir, "data/homes/fabrikam/outbox", name))
		if err != nil {
			t.Fatal(err)
		}
		if clear := s.theirs.run(b, "--decrypt"); bytes.Contains(clear, []byte(canary)) {
			t.Errorf("%s holds the number", name)
		}
	}
}
