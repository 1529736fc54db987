package service_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

// client is the program of a carrier that uses HTTP.
type client struct {
	*house
	token string
}

func (c *client) ask(method, path, body string, heads ...string) (int, string, http.Header) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.srv.CarrierHTTP().String()+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i < len(heads); i += 2 {
		r.Header.Set(heads[i], heads[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (c *client) post(key, body string) (int, string, http.Header) {
	c.t.Helper()
	return c.ask("POST", "/carrier/v1/rows", body, "Idempotency-Key", key, "Content-Type", "application/json")
}

// A carrier whose files are in a dialect posts rows: they are read as what they
// are, counted once however often they are sent.
func TestPostedRowsAreTakenAsTheyAre(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	profile := "files: {pattern: \"LIT_{seq:06}.csv\", policy: done_marker}\ncolumns: {record_id: record_id, start: {column: start, layout: rfc3339}, caller: caller, callee: callee, duration: {column: duration_ms, unit: s}}\n"
	if err := os.WriteFile(filepath.Join(h.dir, "litware.yaml"), []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	h.append(fmt.Sprintf("  litware: {profile: litware.yaml, tokens: [{name: a, sha256: %x}]}\ncarrier_http: {listen: 127.0.0.1:0}\n", sha256.Sum256([]byte("token"))))
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	c := &client{h, "token"}
	body := `{"rows":[{"record_id":"c1","start":"2026-10-01T10:00:00Z","duration_ms":60000,"caller":"+` + canary + `","callee":"+442071234567"}]}`
	code, answer, head := c.post("k-"+canary, body)
	if code != 202 {
		t.Fatal(code, answer)
	}
	var r landing.Receipt
	h.until("the receipt is there", func() bool {
		code, text, _ := c.ask("GET", head.Get("Location"), "")
		return code == 200 && json.Unmarshal([]byte(text), &r) == nil
	})
	if r.Status != landing.StatusAccepted || r.Accepted != 1 || r.Seconds != "60" {
		t.Errorf("%+v", r)
	}
	h.stop()
	h.start()
	if code, again, _ := c.post("k-"+canary, body); code != 202 || again != answer {
		t.Error(code, again)
	}
	if code, got, _ := c.post("k-"+canary, strings.Replace(body, "60000", "61000", 1)); code != 422 {
		t.Error(code, got)
	}
	if code, got, _ := c.post("k2", strings.Replace(body, "2026", "x2026", 1)); code != 422 || !strings.Contains(got, `"row":1,"field":"start"`) || strings.Contains(got, canary) {
		t.Error(code, got)
	}
	list, err := h.desk.Files(context.Background(), jobs.FileFilter{Carrier: "litware"})
	if err != nil || len(list) != 1 || list[0].Accepted != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	h.stop()
	h.clean("the log", h.out.String())
}
