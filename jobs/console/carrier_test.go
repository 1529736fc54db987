package console_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := jobs.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// reads has the world read samples.
func (w *world) reads(t *testing.T) {
	t.Helper()
	worker, err := jobs.Self("worker")
	if err != nil {
		t.Fatal(err)
	}
	w.desk.Reader, w.desk.Scratch = worker, filepath.Join(t.TempDir(), "previews")
}

// try sends the form of a preview.
func (b *browser) try(profile, name, sample string, fields ...string) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, f := range append([]string{"profile"}, fields...) {
		if err := m.WriteField(f, map[bool]string{true: profile, false: "1"}[f == "profile"]); err != nil {
			b.t.Fatal(err)
		}
	}
	f, err := m.CreateFormFile("sample", name)
	if err == nil {
		_, err = f.Write([]byte(sample))
	}
	if err != nil || m.Close() != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+"/console/carriers/fabrikam/preview", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

const (
	columns = "Start;Dauer;A;B;Id\n"
	rowOne  = "01.10.2026 14:00:00;61;" + canary + ";+14255550199;r1\n"
	rowTwo  = "01.10.2026 15:00:00;x;" + canary + ";+14255550199;r2\n"
	german  = "carrier: fabrikam\nfiles: {format: csv, delimiter: \";\"}\ncolumns:\n  record_id: Id\n  caller: A\n  callee: B\n" +
		"  start: {column: Start, layout: \"02.01.2006 15:04:05\", zone: Europe/Berlin}\n  duration: {column: Dauer, unit: s}\n"
)

func TestASampleIsReadByAProfileAndLeftNowhere(t *testing.T) {
	w := newWorld(t)
	w.reads(t)
	b := w.as(t, "admin")
	status, page := b.try("", "calls.csv", columns+rowOne, "propose")
	if status != http.StatusOK || !strings.Contains(page, "Check what was proposed") {
		t.Fatalf("a proposal answers %d: %s", status, page)
	}
	profile := textOf(t, page)
	if !strings.Contains(profile, "Dauer") || !strings.Contains(profile, "carrier: fabrikam") || !strings.Contains(page, "<b>1</b> accepted") {
		t.Fatalf("proposed: %s", profile)
	}
	status, page = b.try(german, "calls.csv", columns+rowOne+rowTwo)
	for _, want := range []string{"2026-10-01 12:00:00", "61", "<b>1</b> accepted", "<b>1</b> rejected", "Rows that would be rejected", "…" + canary[len(canary)-4:]} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("a sample answers %d without %q", status, want)
		}
	}
	if strings.Contains(page, canary[1:]) || len(w.audit(t, "number.unmask")) != 0 {
		t.Error("numbers are shown that nobody has asked for")
	}
	inert(t, "sample", page)
	if left, err := os.ReadDir(w.desk.Scratch); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func textOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, "<textarea")
	_, rest, _ = strings.Cut(rest, ">")
	text, _, ok := strings.Cut(rest, "</textarea>")
	if !ok {
		t.Fatal("the page has no profile")
	}
	return text
}

func TestNumbersOfASampleAreShownToWhoMaySeeThem(t *testing.T) {
	w := newWorld(t)
	w.reads(t)
	if status, page := w.as(t, "ops").try(german, "calls.csv", columns+rowOne, "unmask"); status != http.StatusForbidden || strings.Contains(page, canary[1:]) {
		t.Errorf("ops is answered %d", status)
	}
	if status, _ := w.as(t, "finance").try(german, "calls.csv", columns+rowOne); status != http.StatusForbidden {
		t.Errorf("finance is answered %d", status)
	}
	if rows := w.audit(t, "console.denied"); len(rows) != 2 {
		t.Errorf("refused: %v", rows)
	}
	status, page := w.as(t, "admin").try(german, "calls.csv", columns+rowOne, "unmask")
	if status != http.StatusOK || !strings.Contains(page, canary[1:]) {
		t.Errorf("an admin is answered %d", status)
	}
	if rows := w.audit(t, "number.unmask"); len(rows) != 1 || rows[0] != "admin fabrikam a sample of a file" {
		t.Errorf("noted: %v", rows)
	}
}

func TestSamplesAndProfilesThatCannotBeUsedAreToldOf(t *testing.T) {
	w := newWorld(t)
	w.reads(t)
	b := w.as(t, "ops")
	for name, c := range map[string]struct {
		profile, sample string
		status          int
		want            string
	}{
		"no file":                  {german, "", http.StatusBadRequest, "choose a file"},
		"a file that is too large": {german, strings.Repeat("x", 10<<20), http.StatusBadRequest, "its first part will do"},
		"a profile that is none":   {payloads[0], columns + rowOne, http.StatusOK, "cannot be used"},
		"another's profile":        {strings.Replace(german, "fabrikam", "litware", 1), columns + rowOne, http.StatusOK, "is litware; the configuration calls the carrier fabrikam"},
		"a file that is none":      {german, strings.Join(payloads, "\n"), http.StatusOK, "would be rejected"},
		"hostile rows":             {german, columns + strings.ReplaceAll(rowOne, "r1", `"`+strings.ReplaceAll(payloads[0], `"`, `""`)+`"`), http.StatusOK, "accepted"},
	} {
		status, page := b.try(c.profile, payloads[1], c.sample)
		if status != c.status || !strings.Contains(page, c.want) {
			t.Errorf("%s: answers %d without %q", name, status, c.want)
		}
		inert(t, name, page)
	}
	if status, _ := b.post("/console/carriers/fabrikam/preview", "profile", german); status != http.StatusBadRequest {
		t.Errorf("a form without a file answers %d", status)
	}
	if left, err := os.ReadDir(w.desk.Scratch); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
