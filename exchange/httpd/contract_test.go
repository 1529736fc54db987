package httpd_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/httpd"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// Every answer is one that the contract has, so that a carrier's program made
// from it understands them all.
func TestAnswersAreThoseOfTheContract(t *testing.T) {
	c := open(t, httpd.Options{Rate: 1000, Failures: 1, Rows: newDesk()})
	doc, err := libopenapi.NewDocument([]byte(c.wants(200, "", "GET", "/carrier/openapi.yaml", "")))
	if err != nil {
		t.Fatal(err)
	}
	v, faults := validator.NewValidator(doc)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if ok, faults := v.ValidateDocument(); !ok {
		t.Fatal(faults)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "fabrikam", "outbox", "n.csv"), []byte("0123456789"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		carrier, method, path, body string
		status                      int
	}{
		{"fabrikam", "GET", "/carrier/v1", "", 200},
		{"nobody", "GET", "/carrier/v1", "", 401},
		{"nobody", "GET", "/carrier/v1", "", 429},
		{"fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, 201},
		{"fabrikam", "PUT", "/carrier/v1/inbox/a.csv", "other", 409},
		{"fabrikam", "PUT", "/carrier/v1/inbox/a.part", text, 400},
		{"fabrikam", "PUT", "/carrier/v1/inbox/b.csv", strings.Repeat("x", 1<<20+1), 507},
		{"fabrikam", "GET", "/carrier/v1/inbox", "", 200},
		{"fabrikam", "GET", "/carrier/v1/inbox/a.csv", "", 200},
		{"fabrikam", "GET", "/carrier/v1/receipts/a.csv.json", "", 404},
		{"fabrikam", "DELETE", "/carrier/v1/outbox/n.csv", "", 204},
		{"fabrikam", "DELETE", "/carrier/v1/outbox/n.csv", "", 404},
		{"fabrikam", "POST", "/carrier/v1/rows", "R", 202},
		{"fabrikam", "POST", "/carrier/v1/rows", "R", 202},
		{"fabrikam", "POST", "/carrier/v1/rows", "RR", 422},
		{"fabrikam", "POST", "/carrier/v1/rows", "RB", 422},
		{"fabrikam", "POST", "/carrier/v1/rows", "none", 400},
		{"nobody", "POST", "/carrier/v1/rows", "R", 429},
	} {
		t.Run(s.method+" "+s.path, func(t *testing.T) {
			code, body, head := c.ask(s.carrier, s.method, s.path, s.body, "Idempotency-Key", "k1", "Content-Type", asJSON)
			if code != s.status {
				t.Fatalf("%d %s, want %d", code, body, s.status)
			}
			r, err := http.NewRequest(s.method, s.path, strings.NewReader(s.body))
			if err != nil {
				t.Fatal(err)
			}
			r.URL, _ = url.Parse(s.path)
			resp := &http.Response{StatusCode: code, Header: head, Body: io.NopCloser(bytes.NewReader([]byte(body)))}
			if ok, faults := v.ValidateHttpResponse(r, resp); !ok {
				for _, f := range faults {
					t.Errorf("%s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
				}
			}
		})
	}
}
