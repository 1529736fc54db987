package service_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
)

// canary is a number that nobody but the evidence may show.
const canary = "4930199988877"

// leaks are files that hold the number where it does not belong.
func leaks() map[string]string {
	const header = "record_id,start,duration_ms,caller,callee\n"
	good := "r1,2026-10-01T10:00:00Z,60000,+" + canary + ",+442071234567\n"
	return map[string]string{
		"good.csv":      header + good,
		"start.csv":     header + good + "r2,+" + canary + ",60000,+" + canary + ",+442071234567\n",
		"duration.csv":  header + good + "r3,2026-10-01T10:00:00Z,+" + canary + ",+" + canary + ",+442071234567\n",
		"number.csv":    header + good + "r4,2026-10-01T10:00:00Z,60000,+" + canary + "x+" + canary + ",+442071234567\n",
		"fields.csv":    header + good + "r5,2026-10-01T10:00:00Z,60000,+" + canary + ",+442071234567,+" + canary + "\n",
		"headless.csv":  good + good,
		"column.csv":    "record_id,start,duration_ms,caller,callee,+" + canary + "\nr1,2026-10-01T10:00:00Z,60000,+" + canary + ",+442071234567,x\n",
		"quote.csv":     header + good + "\"+" + canary,
		"all_wrong.csv": header + strings.Repeat("+"+canary+"\n", 50),
		"not.parquet":   "PAR1" + canary + "PAR1",
		"noise.csv.gz":  "\x1f\x8b" + canary,
		"binary.csv":    header + "\x00\x01" + canary + "\n",
	}
}

// A phone number is in the evidence and nowhere else: not in the log, not in
// metrics, not in a list, not in an error.
func TestNoNumberIsShown(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	path := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum, ops := sha256.Sum256([]byte("token")), sha256.Sum256([]byte("ops"))
	text := strings.Replace(string(b), "http: {listen: none}", "http: {listen: \"127.0.0.1:0\", tokens: [{name: t, role: admin, sha256: "+hex.EncodeToString(sum[:])+"}, {name: o, role: ops, sha256: "+hex.EncodeToString(ops[:])+"}]}", 1)
	if err := os.WriteFile(path, []byte(text+"    files: {deadline: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.leak()
	// The carrier chose the name, and its receipt has it.
	h.send(canary+".csv", "nonsense")
	h.microsoft(canary+".csv", "nonsense")
	h.run()
	h.version(1)
	for _, name := range []string{"summary.json", "version.json", "rejected.csv", "manifest.json", "usage.csv", "report.html"} {
		b, err := os.ReadFile(filepath.Join(h.folder(1), name))
		if err != nil {
			t.Error(err)
		}
		h.clean(name, string(b))
	}
	for _, at := range []string{
		"/metrics", "/v1/jobs", "/v1/runs", "/v1/files?limit=1000", "/v1/reports", "/v1/alerts", "/v1/audit", "/v1/carriers", "/v1/files?name=" + canary,
	} {
		h.clean(at, h.get(at))
	}
	// Of a report that read a file with a number in its name, the role ops sees
	// neither evidence nor what names its inputs.
	h.send("cdr_"+canary+".csv", leaks()["good.csv"]+"r9,2026-10-01T11:00:00Z,60000,+"+canary+",+442071234567\n")
	r := h.version(2)
	for _, name := range []string{"summary.json", "rejected.csv", "version.json", "report.html", "report.xlsx", "dispute.xlsx", "discrepancies.csv"} {
		h.clean(name+" for ops", h.ask("ops", "/v1/reports/"+r.ID+"/files/"+name))
	}
	// Who asks for a number is told that it is not there; the log is not.
	for _, at := range []string{"/v1/runs/%2B" + canary, "/v1/jobs/%2B" + canary, "/v1/files?name=%2B" + canary + "&nonsense=1"} {
		h.get(at)
	}
	files, err := h.desk.Files(t.Context(), jobs.FileFilter{})
	if err != nil || len(files) != 2*len(leaks())+3 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		h.clean("file "+f.File, h.get("/v1/files/"+f.ID))
	}
	h.stop()
	h.clean("the log", h.out.String())
}

// leak sends the files of both sides, and looks at the receipts.
func (h *house) leak() {
	h.t.Helper()
	for name, content := range leaks() {
		h.send(name, content)
		var receipt strings.Builder
		if err := h.remote.Get(h.t.Context(), "receipts/"+name+".json", &receipt, 0); err != nil {
			h.t.Error(err)
		}
		h.clean("the receipt of "+name, receipt.String())
		h.microsoft(name, content)
	}
}

func (h *house) clean(what, text string) {
	h.t.Helper()
	if i := strings.Index(text, canary); i >= 0 {
		h.t.Errorf("%s shows the number: …%s…", what, text[max(0, i-200):min(len(text), i+40)])
	}
}

func (h *house) get(path string) string {
	h.t.Helper()
	return h.ask("token", path)
}

func (h *house) ask(token, path string) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, fmt.Sprintf("http://%s%s", h.srv.HTTP(), path), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}
