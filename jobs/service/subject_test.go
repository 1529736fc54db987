package service_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats/trace"
	"concord/jobs"
	"concord/jobs/control"
)

// nowhere looks at every byte below a folder, also at what is packed in files,
// for the digits of the canary however they are cut.
func (h *house) nowhere(dir string, but ...string) {
	h.t.Helper()
	n, err := trace.Parse("+" + canary)
	if err != nil {
		h.t.Fatal(err)
	}
	raw := [][]byte{[]byte(canary), []byte(canary[2:]), []byte(utf16Of(canary)[2:])}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, b := range but {
			if strings.Contains(path, b) {
				return nil
			}
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the database takes its log away when the last reader has gone
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range raw {
			if bytes.Contains(b, r) || strings.Contains(path, string(r)) {
				h.t.Errorf("%s holds the number", path)
			}
		}
		if b, err = h.config(h.t).Encryption.ReadFile(path, 1<<30); err != nil {
			return err
		}
		found, err := n.Scan(h.t.Context(), bytes.NewReader(b), int64(len(b)))
		if found.Times > 0 {
			h.t.Errorf("%s holds the number %d times", path, found.Times)
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}

// subjectHouse is a service with a key.
func subjectHouse(t *testing.T) *house { return subjectHouseOf(t, false) }

// subjectHouseOf is that of a service that may encrypt what it keeps.
func subjectHouseOf(t *testing.T, encrypted bool) *house {
	t.Helper()
	h := &house{site: newSite(t), t: t}
	key := filepath.Join(h.dir, "privacy.key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.append("    operators: [op-f]\n    files: {grace: 1s}\nmicrosoft: {numbers: listings}\nprivacy: {key_file: privacy.key}\nzone: UTC\n\njobs:\n" +
		"  daily: {kind: reconcile, schedule: \"30 6 * * *\", period: previous_day, late_delay: 1ms, verdicts: true, deliver: true}\n" +
		"  numbers: {kind: numbers, schedule: \"0 7 * * *\"}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	if encrypted {
		lock(h)
	}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// fill brings the number into every store.
func (h *house) fill() {
	h.t.Helper()
	same := func(int) int { return 60 }
	h.list("a-20260930T200000Z.csv", shared("u1"))
	h.number1()
	h.microsoft("m1.csv", subjectCalls("m", 0, 60, same))
	h.microsoft("m2.csv", subjectCalls("m", 60, 60, same))
	h.send("plain.csv", subjectCalls("c", 0, 30, func(i int) int { return 60 + i%3*40 }))
	h.send("zipped.csv.gz", gzipped(h.t, subjectCalls("c", 30, 20, func(i int) int { return 60 + i%2*90 })))
	h.send("wide.csv", utf16Of(subjectCalls("c", 50, 20, func(i int) int { return 60 + i%4*30 })))
	h.run()
	h.version(1)
	h.send("cdr_"+canary+".csv", subjectCalls("c", 70, 10, same))
	h.version(2)
	h.send("table.parquet", parquetOf(h.t, subjectCalls("c", 80, 20, func(i int) int { return 60 + i%5*20 })))
	h.version(3)
	h.send("bad.csv", "record_id,start,duration_ms,caller,callee\nx,+"+canary+",60000,+"+canary+",+442071234567\n")
	h.send("nonsense.csv", "tel:+49 (0) 30 199 988 877, nonsense")
	var z bytes.Buffer
	h.version(3)
	w := zip.NewWriter(&z)
	f, err := w.Create("inner.csv")
	if err != nil {
		h.t.Fatal(err)
	}
	fmt.Fprint(f, subjectCalls("z", 0, 3, same))
	if err := w.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.send("broken.csv", z.String())
	h.version(4)
	h.delivered(4)
	if _, err := h.desk.Pause(h.t.Context(), "numbers", "the owner of +"+canary+" complains", "test"); err != nil {
		h.t.Fatal(err)
	}
}

// erased waits until an erasure has ended.
func (h *house) erased(id string) (e control.Erasure) {
	h.t.Helper()
	h.until("the number is erased", func() bool {
		var err error
		e, err = h.desk.Erasure(h.t.Context(), id)
		return err == nil && e.Ended != nil
	})
	return e
}

// sums are the totals of a version, computed from its rows.
func (h *house) sums(version int) (out [5]int64) {
	h.t.Helper()
	for _, row := range h.rows(version, "discrepancies.csv") {
		out[0]++
		for i, cell := range []string{row[14], row[15], row[16]} {
			if cell != "" {
				v, err := strconv.ParseFloat(cell, 64)
				if err != nil {
					h.t.Fatal(err)
				}
				out[1+i] += int64(v * 1000)
			}
		}
	}
	out[4] = int64(len(h.rows(version, "verdicts.csv")))
	return out
}

// read returns the content of a kept file.
func (h *house) read(dir, name string) string {
	h.t.Helper()
	b, err := h.config(h.t).Encryption.ReadFile(filepath.Join(dir, name), 1<<30)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

func (h *house) digest(dir string) string { return digest(h.t, h.config(h.t).Encryption, dir) }

func digest(t *testing.T, keys *atrest.Keys, dir string) string {
	t.Helper()
	b, err := keys.ReadFile(filepath.Join(dir, "manifest.json"), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A number is found in every store, and erased from every one; totals stay, and
// what was made anew is what a rerun makes.
func TestANumberIsErasedEverywhere(t *testing.T) {
	t.Run("in clear", func(t *testing.T) { erasedEverywhere(t, subjectHouse(t)) })
	t.Run("encrypted", func(t *testing.T) {
		h := subjectHouseOf(t, true)
		erasedEverywhere(t, h)
		h.hidden("duration_over", "discrepancies", "PAR1")
	})
}

func erasedEverywhere(t *testing.T, h *house) {
	t.Helper()
	h.fill()
	h.foundEverywhere()
	var before [4]control.Report
	var sums [4][5]int64
	var manifests [4]string
	for v := range 4 {
		list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{})
		if err != nil {
			t.Fatal(err)
		}
		before[v], sums[v], manifests[v] = list[3-v], h.sums(v+1), h.digest(h.folder(v+1))
	}
	if sums[3][0] == 0 || sums[3][4] != 223 {
		t.Fatalf("%v", sums)
	}
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test"); err != nil || again.ID != e.ID && again.Asked.Before(e.Asked) {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	e = h.erased(e.ID)
	h.clean("the erasure", fmt.Sprintf("%+v", e))
	if e.Proof == "" || len(e.Left) == 0 {
		t.Errorf("%+v", e)
	}
	if found, err := h.desk.FindSubject(t.Context(), "+"+canary, "test"); err != nil || len(found.Items) != 3 {
		t.Errorf("it is found still: %+v, %v", found, err)
	}
	h.unchanged(before, sums, manifests)
	h.until("the report is in the outbox again", func() bool {
		for _, name := range []string{"discrepancies.csv", "dispute.xlsx"} {
			b, err := os.ReadFile(filepath.Join(h.dir, "data", "homes", "fabrikam", "outbox", "report_fabrikam_2026-10-01_v4_"+name))
			if err != nil || string(b) != h.read(h.folder(4), name) {
				return false
			}
		}
		return true
	})
	for range 2 {
		if r := h.run(); r.State != "succeeded" || !strings.Contains(r.Error, "the same bytes as version 4") {
			t.Errorf("made anew: %s %q", r.State, r.Error)
		}
	}
	h.returns()
	h.gone()
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.clean("the log", h.out.String())
	h.start()
	if r := h.run(); r.State != "succeeded" {
		t.Errorf("after a restart: %s %q", r.State, r.Error)
	}
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.start()
}

// foundEverywhere looks for the number where it was brought.
func (h *house) foundEverywhere() {
	t := h.t
	t.Helper()
	found, err := h.desk.FindSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	stores := map[string]int{}
	for _, i := range found.Items {
		stores[i.Store]++
		h.clean("what is found", fmt.Sprintf("%+v", i))
	}
	for store, least := range map[string]int{"files": 10, "reports": 4, "homes": 13, "numbers": 1, "microsoft's folders": 3, "database: files": 1} {
		if stores[store] < least {
			t.Errorf("%d found in %s, at least %d are there; %v", stores[store], store, least, stores)
		}
	}
}

// unchanged compares the versions with what they were before: all but their bytes
// is the same.
func (h *house) unchanged(before [4]control.Report, sums [4][5]int64, manifests [4]string) {
	t := h.t
	t.Helper()
	list, err := h.desk.Reports(t.Context(), jobs.ReportFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for v := range 4 {
		now := list[3-v]
		if h.digest(h.folder(v+1)) == manifests[v] {
			t.Errorf("version %d has the manifest that it had", v+1)
		}
		if fmt.Sprintf("%+v", now) != fmt.Sprintf("%+v", before[v]) {
			t.Errorf("version %d was %+v and is %+v", v+1, before[v], now)
		}
		if s := h.sums(v + 1); s != sums[v] {
			t.Errorf("version %d had the sums %v and has %v", v+1, sums[v], s)
		}
	}
}

// returns sends again what was erased: it is not taken, and not kept.
func (h *house) returns() {
	h.t.Helper()
	files, err := h.desk.Files(h.t.Context(), jobs.FileFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	text := subjectCalls("c", 0, 30, func(i int) int { return 60 + i%3*40 })
	for _, name := range []string{"plain-again.csv", "plain-thrice.csv"} {
		if err := exchange.Publish(h.t.Context(), h.remote, "inbox/"+name, strings.NewReader(text), int64(len(text))); err != nil {
			h.t.Fatal(err)
		}
		if r := await(h.t, h.remote, name); r.Status != "duplicate" {
			h.t.Errorf("%+v", r)
		}
	}
	bad := "record_id,start,duration_ms,caller,callee\nx,+" + canary + ",60000,+" + canary + ",+442071234567\n"
	if err := exchange.Publish(h.t.Context(), h.remote, "inbox/bad-again.csv", strings.NewReader(bad), int64(len(bad))); err != nil {
		h.t.Fatal(err)
	}
	if r := await(h.t, h.remote, "bad-again.csv"); r.Status != "rejected" {
		h.t.Errorf("%+v", r)
	}
	now, err := h.desk.Files(h.t.Context(), jobs.FileFilter{})
	if err != nil || len(now) != len(files)+3 {
		h.t.Errorf("%d files, then %d, %v", len(files), len(now), err)
	}
}

// gone ends the connection of the carrier, and waits until what it sent has left
// the inbox.
func (h *house) gone() {
	h.t.Helper()
	if c, ok := h.remote.(io.Closer); ok {
		if err := c.Close(); err != nil {
			h.t.Error(err)
		}
	}
	h.until("the inbox is empty", func() bool {
		list, err := os.ReadDir(filepath.Join(h.dir, "data", "homes", "fabrikam", "inbox"))
		return err == nil && len(list) == 0
	})
}

// Without a key nothing is erased, and a text that is no number is not shown.
func TestWhatCannotBeErasedIsRefused(t *testing.T) {
	h := openHouse(t, "")
	if _, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test"); err == nil || !strings.Contains(err.Error(), "privacy.key_file") {
		t.Errorf("without a key: %v", err)
	}
	for _, n := range []string{"", canary, "+49", "+" + canary + "****"} {
		if _, err := h.desk.FindSubject(t.Context(), n, "test"); err == nil || !strings.Contains(err.Error(), "E.164") || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", n, err)
		}
	}
}

func startNumbers() control.Start { return control.Start{Job: "numbers", By: "test"} }

// outcomeOf is the manifest of a report, and how often what was erased of which
// store.
func outcomeOf(t *testing.T, d control.Operations, version string) string {
	t.Helper()
	list, err := d.Erasures(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].Ended == nil || list[0].Proof == "" {
		t.Errorf("%+v, %v", list, err)
		return ""
	}
	n := len(list[0].Left)
	left := slices.DeleteFunc(list[0].Left, func(s string) bool { return !strings.Contains(s, "tell the carrier") }) // others name folders
	slices.Sort(left)
	return fmt.Sprintf("%s %+v %d %q", digest(t, nil, version), list[0].Stores, n, left)
}
