package service_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"concord/jobs"
)

// fakeGraph lists one call of the first of October, once it is let.
func fakeGraph(t *testing.T, open *atomic.Bool) *httptest.Server {
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !open.Load():
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000222: the secret of +4930199988877 is expired"}`)
		case strings.HasSuffix(r.URL.Path, "/token"):
			fmt.Fprint(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"t"}`)
		case strings.Contains(r.URL.Path, "fromDateTime=2026-10-01T00:00:00Z"):
			fmt.Fprint(w, `{"value":[{"id":"m1","callId":"x","startDateTime":"2026-10-01T10:00:00Z","endDateTime":"2026-10-01T10:01:00Z","duration":60,`+
				`"callType":"user_out","callerNumber":"+493012345678","calleeNumber":"+442071234567","operator":"Fabrikam Telecom","callDurationSource":"microsoft"}]}`)
		default:
			fmt.Fprint(w, `{"value":[]}`)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// Microsoft's side comes from Graph itself: nobody need carry files. When it
// cannot be read somebody is told, and it goes on by itself.
func TestCallsComeFromGraph(t *testing.T) {
	var open atomic.Bool
	g := fakeGraph(t, &open)
	h := &house{site: newSite(t), t: t}
	if err := os.WriteFile(filepath.Join(h.dir, "app"), []byte("a~secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	const tenant = "8f7c0b62-3f5e-4a7e-9d0c-2f6f0c9b1a11"
	h.append(fmt.Sprintf("microsoft: {graph: {contoso: {tenant: %s, client_id: %s, secret_file: app, since: 2026-10-01, every: 50ms, "+
		"operators: {\"fabrikam telecom\": fabrikam}, authority: %q, endpoint: %q}}}\n", tenant, tenant, g.URL, g.URL))
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	alerts := func() int {
		list, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Kind: jobs.AlertHost})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	h.until("it is told of", func() bool { return alerts() == 1 })
	open.Store(true)
	h.until("it goes on", func() bool { return alerts() == 0 })
	h.until("the call is taken", func() bool {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Side: "microsoft"})
		return err == nil && len(list) == 1 && list[0].Accepted == 1
	})
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	if v := h.version(1); v.Microsoft.Records != 1 || v.CarrierSide.Records != 1 || v.Discrepancies != 0 {
		t.Errorf("%+v", v)
	}
	var usage []string
	for _, row := range h.rows(1, "usage.csv") {
		usage = append(usage, row[1])
	}
	if len(usage) != 1 || usage[0] != tenant {
		t.Errorf("the customers are %q", usage)
	}
	h.stop()
	if s := h.out.String(); strings.Contains(s, "999888") || strings.Contains(s, "a~secret") {
		t.Error("the log holds a number or a secret")
	}
}
