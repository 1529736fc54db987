package service_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/atrest"
	"concord/jobs"
	"concord/jobs/service"
)

// locked is a house whose service encrypts what it keeps.
type locked struct {
	*house
	recipients, identities []string
}

// addKey makes a pair of keys. The recipient is the one of today, the identities
// before it stay.
func (l *locked) addKey() {
	l.t.Helper()
	to, id, err := atrest.Generate()
	if err != nil {
		l.t.Fatal(err)
	}
	l.recipients, l.identities = []string{to}, append(l.identities, id)
	l.write("secrets/identity", "# made by a test\n"+strings.Join(l.identities, "\n")+"\n")
}

func (l *locked) write(name, text string) {
	l.t.Helper()
	name = filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// configure writes the block, in the place of one that was there; without
// recipients, none.
func (l *locked) configure() {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.dir, "concord.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(b), "\nencryption:")
	if len(l.recipients) > 0 {
		text += "\nencryption: {recipients: [" + strings.Join(l.recipients, ", ") + "], identity_file: secrets/identity}\n"
	}
	l.write("concord.yaml", text)
}

func lock(h *house) *locked {
	l := &locked{house: h}
	l.addKey()
	l.configure()
	return l
}

// openLocked starts a service that encrypts from the first file on.
func openLocked(t *testing.T, more string) *locked {
	t.Helper()
	h := &house{site: newSite(t), t: t}
	h.append(storyJobs + more)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	l := lock(h)
	l.start()
	t.Cleanup(func() { h.stop() })
	return l
}

// shows lists the kept files in which one of some texts is in clear.
func (h *house) shows(texts ...string) (list []string) {
	h.t.Helper()
	data := filepath.Join(h.dir, "data")
	err := filepath.WalkDir(data, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(data, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (rel == "homes" || rel == "microsoft"): // others read and write there
			return fs.SkipDir
		case !d.Type().IsRegular(), strings.HasPrefix(rel, "concord.db"):
			return nil
		}
		b, err := os.ReadFile(name)
		for _, text := range texts {
			if bytes.Contains(b, []byte(text)) {
				list = append(list, rel+" has "+text)
			}
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// hidden sees that no kept file has one of some texts in clear.
func (h *house) hidden(texts ...string) {
	h.t.Helper()
	if found := h.shows(texts...); len(found) > 0 {
		h.t.Error(strings.Join(found, "\n"))
	}
}

// telltales are in the files that are kept of the calls below, when they are in
// clear: a number, ids, columns, the names of classes, the ends of Parquet files.
var telltales = []string{canary, "c1-of-the-carrier", "record_id", "duration_over", "discrepancies", "PAR1"}

func calls(rows ...string) string {
	return "record_id,start,duration_ms,caller,callee\n" + strings.Join(rows, "\n") + "\n"
}

const (
	msCall   = "m1-of-microsoft,2026-10-01T10:00:00Z,60000,+" + canary + ",+442071234567"
	ownCall  = "c1-of-the-carrier,2026-10-01T10:00:01Z,90000,+" + canary + ",+442071234567"
	msLater  = "m2-of-microsoft,2026-10-01T11:00:00Z,90000,+" + canary + ",+442071234567"
	badCall  = "c2-of-the-carrier,yesterday,60000,+" + canary + ",+442071234567"
	lateCall = "c3-of-the-carrier,2026-10-01T11:00:01Z,60000,+" + canary + ",+442071234567"
)

// fetch reads a file of the newest version as its readers do.
func (h *house) fetch(version int, name string) string {
	h.t.Helper()
	f, size, err := h.desk.OpenReportFile(h.t.Context(), h.version(version).ID, name, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if cerr := f.Close(); err != nil || cerr != nil || int64(len(b)) != size {
		h.t.Fatalf("%d of %d bytes, %v, %v", len(b), size, err, cerr)
	}
	return string(b)
}

// A canary goes the whole way, and is in clear only where others read it.
func TestWhatIsKeptIsEncrypted(t *testing.T) {
	l := openLocked(t, "")
	l.microsoft("m1.csv", calls(msCall, msLater))
	l.send("a.csv", calls(ownCall, badCall))
	if r := l.run(); r.State != "succeeded" {
		t.Fatalf("%+v", r)
	}
	if got := l.fetch(1, "discrepancies.csv"); !strings.Contains(got, canary) || !strings.Contains(got, "c1-of-the-carrier") {
		t.Errorf("the evidence is %q", got)
	}
	if got := l.fetch(1, "discrepancies.parquet"); !strings.HasPrefix(got, "PAR1") {
		t.Errorf("the Parquet file begins with %q", got[:min(len(got), 8)])
	}
	if r := l.run(); !strings.Contains(r.Error, "the same bytes as version 1") {
		t.Errorf("made anew: %+v", r)
	}
	l.send("b.csv", calls(lateCall))
	if v := l.version(2); v.Pending != 0 || v.Changes.Opened != 1 {
		t.Errorf("version 2: %+v", v)
	}
	if rows := l.rows(2, "changes.csv"); len(rows) != 1 || rows[0][0] != "opened" {
		t.Errorf("changes %v", rows)
	}
	var receipt bytes.Buffer
	if err := l.remote.Get(t.Context(), "receipts/a.csv.rejected.csv", &receipt, 0); err != nil || !strings.HasPrefix(receipt.String(), "side,file,") {
		t.Errorf("the carrier's list of rejected rows is %q, %v", receipt.String(), err)
	}
	l.send("again.csv", calls(ownCall, badCall))
	if list, err := l.desk.Files(t.Context(), jobs.FileFilter{Name: "again.csv"}); err != nil || len(list) != 1 || list[0].Status != "duplicate" {
		t.Errorf("the same content again: %+v, %v", list, err)
	}
	l.stop()
	l.hidden(telltales...)
	if n := l.kept("spool") + l.kept("records") + l.kept("reports"); n < 20 {
		t.Errorf("only %d files are kept", n)
	}
	l.noNumber()
}

// kept counts the files in a folder.
func (h *house) kept(dir string) (n int) {
	h.t.Helper()
	err := filepath.WalkDir(filepath.Join(h.dir, "data", dir), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// Encryption is switched on, its key is replaced, it is switched off: what was
// kept before is read all the while.
func TestEncryptionComesAndGoes(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", calls(msCall))
	h.send("a.csv", calls(ownCall))
	h.run()
	h.version(1)
	h.stop()
	if found := h.shows(telltales...); len(found) == 0 {
		t.Fatal("nothing is in clear: the test looks for nothing")
	}
	l := lock(h)
	l.start()
	l.send("b.csv", calls(lateCall))
	l.version(2)
	l.stop()
	if found := l.shows(telltales...); len(found) == 0 {
		t.Error("what was kept before was written anew")
	}
	l.addKey()
	l.configure()
	l.start()
	l.microsoft("m2.csv", calls(msLater))
	if v := l.version(3); v.Changes.Opened != 1 {
		t.Errorf("version 3: %+v", v)
	}
	if _, err := service.Rewrap(t.Context(), l.config(t), false); err == nil || !strings.Contains(err.Error(), "another concord serve works on it") {
		t.Errorf("beside a running service: %v", err)
	}
	l.stop()
	l.refused("without the old identity", func() { l.identities = l.identities[1:] })
	n, err := service.Rewrap(t.Context(), l.config(t), false)
	if err != nil || n.Written == 0 || n.Left == 0 {
		t.Fatalf("%+v, %v", n, err)
	}
	l.hidden(telltales...)
	l.identities = l.identities[1:]
	l.write("secrets/identity", l.identities[0])
	l.start()
	if r := l.run(); !strings.Contains(r.Error, "the same bytes as version 3") {
		t.Errorf("with the new identity alone: %+v", r)
	}
	l.stop()
	l.refused("without the block", func() { l.recipients = nil })
	if _, err := service.Rewrap(t.Context(), l.config(t), true); err != nil {
		t.Fatal(err)
	}
	l.recipients = nil
	l.configure()
	l.start()
	if got := l.fetch(3, "summary.json"); !strings.Contains(got, "totals") {
		t.Errorf("in clear again: %q", got)
	}
}

// refused changes the configuration, sees that no service starts on it and that
// nothing on the disk has changed, and puts it back.
func (l *locked) refused(what string, change func()) {
	l.t.Helper()
	recipients, identities := l.recipients, l.identities
	change()
	l.write("secrets/identity", strings.Join(l.identities, "\n"))
	l.configure()
	before := l.kept("")
	srv, err := service.Open(l.t.Context(), l.config(l.t), l.options(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "that are encrypted to age1") {
		l.t.Errorf("%s: %v", what, err)
		_ = srv.Close()
	}
	if after := l.kept(""); after != before {
		l.t.Errorf("%s: of %d files %d are left", what, before, after)
	}
	l.recipients, l.identities = recipients, identities
	l.write("secrets/identity", strings.Join(l.identities, "\n"))
	l.configure()
}

// Records that are lost or damaged are made anew from the encrypted spool.
func TestEncryptedRecordsAreMadeAnew(t *testing.T) {
	l := openLocked(t, "")
	l.microsoft("m1.csv", calls(msCall))
	l.send("a.csv", calls(ownCall))
	l.run()
	l.version(1)
	paths, err := filepath.Glob(filepath.Join(l.dir, "data", "records", "fabrikam", "*.records"))
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-30] ^= 1
	if err := os.WriteFile(paths[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(paths[1]); err != nil {
		t.Fatal(err)
	}
	if r := l.run(); !strings.Contains(r.Error, "the same bytes as version 1") {
		t.Errorf("%+v", r)
	}
	l.stop()
	l.hidden(telltales...)
}
