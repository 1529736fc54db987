package service_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"
)

// carrier asks as a carrier does over HTTP.
func (h *house) carrier(client *http.Client, scheme, token, method, path, body string) (int, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, fmt.Sprintf("%s://%s%s", scheme, h.srv.CarrierHTTP(), path), strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	sum := sha256.Sum256([]byte(body))
	req.Header.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A carrier that speaks HTTP has what one has over SFTP: the same claim, the
// same receipt. Tokens are replaced without a gap, and end when they are to.
func TestACarrierThatSpeaksHTTP(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	sum := func(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token))) }
	pool := exchangetest.Certificate(t, filepath.Join(h.dir, "crt"), filepath.Join(h.dir, "key"))
	h.append(fmt.Sprintf("    tokens: [{name: old, sha256: %s, expires: 2026-10-02}, {name: now, sha256: %s, expires: 2026-10-03}]\n", sum("old"), sum("now")))
	h.append("  litware: {tokens: [{name: a, sha256: " + sum("other") + "}]}\ncarrier_http: {listen: \"127.0.0.1:0\", tls: {cert: crt, key: key}}\n")
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: pool}}
	t.Cleanup(client.CloseIdleConnections)

	text := table(call{"c1", "2026-10-01T10:00:00Z", 60})
	if code, body := h.carrier(client, "https", "now", "PUT", "/carrier/v1/inbox/a.csv", text); code != 201 {
		t.Fatal(code, body)
	}
	var receipt landing.Receipt
	h.until("there is a receipt", func() bool {
		code, body := h.carrier(client, "https", "now", "GET", "/carrier/v1/receipts/a.csv.json", "")
		return code == 200 && json.Unmarshal([]byte(body), &receipt) == nil
	})
	if receipt.Status != landing.StatusAccepted || receipt.SHA256 != sum(text) || receipt.Rows != 1 || receipt.Integrity != "verified" {
		t.Errorf("%+v", receipt)
	}
	for token, want := range map[string]int{"old": 401, "none": 401, "other": 404, "now": 200} {
		if code, body := h.carrier(client, "https", token, "GET", "/carrier/v1/receipts/a.csv.json", ""); code != want {
			t.Errorf("%s: %d %s", token, code, body)
		}
	}
	h.reload(func(text string) string { return strings.Replace(text, sum("now"), sum("new"), 1) }, "")
	for token, want := range map[string]int{"now": 401, "new": 200} {
		if code, body := h.carrier(client, "https", token, "GET", "/carrier/v1", ""); code != want {
			t.Errorf("%s after the reload: %d %s", token, code, body)
		}
	}
	h.send("b.csv", table(call{"c1", "2026-10-01T10:00:00Z", 61})) // the same home
	h.microsoft("m.csv", text)
	h.run()
	if v := h.version(1); v.CarrierSide.Records != 1 {
		t.Errorf("%+v", v)
	}
	if code, _ := h.carrier(client, "https", "other", "PUT", "/carrier/v1/inbox/4930199988877.csv", "x"); code != 201 {
		t.Error(code)
	}
	h.stop()
	if s := h.out.String(); strings.Contains(s, "4930199988877") || !strings.Contains(s, "…8877.csv") {
		t.Error("the log shows a number, or nothing")
	}
	if _, err := os.Stat(filepath.Join(h.dir, "data", "homes", "litware", "inbox")); err != nil {
		t.Error(err)
	}
}
