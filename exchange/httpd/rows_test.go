package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"concord/exchange/httpd"
	"concord/exchange/landing"
)

// desk takes rows: an R in the body is one, a B is a bad one. Its steps may
// fail.
type desk struct {
	mu      sync.Mutex
	of      map[string]httpd.Batch
	decided map[string]bool
	steps   int
	fails   int // the step that fails; 0: none
	late    bool
}

func newDesk() *desk { return &desk{of: map[string]httpd.Batch{}, decided: map[string]bool{}} }

var errInjected = errors.New("injected failure")

func (d *desk) step(do func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps++
	if d.steps == d.fails && !d.late {
		return errInjected
	}
	do()
	if d.steps == d.fails {
		return errInjected
	}
	return nil
}

// File implements httpd.Rows.
func (d *desk) File(_ context.Context, _, key string, body []byte) (httpd.RowsFile, error) {
	switch n := bytes.Count(body, []byte("B")); {
	case n > 0:
		bad := &httpd.BadRows{}
		for i := range n {
			bad.Faults = append(bad.Faults, httpd.RowFault{Row: i + 1, Field: "start", Reason: "is not a time"})
		}
		return httpd.RowsFile{}, bad
	case !bytes.Contains(body, []byte("R")):
		return httpd.RowsFile{}, &httpd.BadRows{Detail: "there are no rows"}
	}
	return httpd.RowsFile{Name: landing.ReservedPrefix + key + ".csv", Content: body, Rows: bytes.Count(body, []byte("R"))}, nil
}

// Bind implements httpd.Rows.
func (d *desk) Bind(_ context.Context, carrier, key, body string) (b httpd.Batch, err error) {
	err = d.step(func() {
		was, known := d.of[carrier+key]
		if !known {
			was.Body = body
			d.of[carrier+key] = was
		}
		b = was
		b.Fresh = !known
	})
	return b, err
}

// Placed implements httpd.Rows.
func (d *desk) Placed(_ context.Context, carrier, key string) error {
	return d.step(func() {
		b := d.of[carrier+key]
		b.Placed = true
		d.of[carrier+key] = b
	})
}

// Decided implements httpd.Rows.
func (d *desk) Decided(_ context.Context, carrier, name string) (is bool, err error) {
	err = d.step(func() { is = d.decided[carrier+"/"+name] })
	return is, err
}

const asJSON = "application/json"

func (c *counter) posts(want int, carrier, key, body string) string {
	c.Helper()
	return c.wants(want, carrier, "POST", "/carrier/v1/rows", body, "Idempotency-Key", key, "Content-Type", asJSON)
}

// take takes a file out of the inbox, as the claim does.
func (c *counter) take(d *desk, carrier, name string) {
	c.Helper()
	d.decided[carrier+"/"+name] = true
	if err := os.Remove(filepath.Join(c.dir, carrier, "inbox", name)); err != nil {
		c.Fatal(err)
	}
}

func TestPostedRowsAreOneFile(t *testing.T) {
	d := newDesk()
	c := open(t, httpd.Options{Rows: d})
	code, answer, head := c.ask("fabrikam", "POST", "/carrier/v1/rows", "RR", "Idempotency-Key", "k1", "Content-Type", asJSON+"; charset=utf-8")
	if code != 202 || head.Get("Location") != "/carrier/v1/receipts/concord-rows_k1.csv.json" || answer != `{"file":"concord-rows_k1.csv","receipt":"/carrier/v1/receipts/concord-rows_k1.csv.json","rows":2}`+"\n" {
		t.Error(code, answer, head)
	}
	b, err := os.ReadFile(filepath.Join(c.dir, "fabrikam", "inbox", "concord-rows_k1.csv"))
	if err != nil || string(b) != "RR" {
		t.Errorf("%q, %v", b, err)
	}
	for range 2 { // while it waits, and after it was taken
		if again := c.posts(202, "fabrikam", "k1", "RR"); again != answer {
			t.Error(again)
		}
		if got := c.posts(422, "fabrikam", "k1", "R"); !strings.Contains(got, "used before") {
			t.Error(got)
		}
		if !d.decided["fabrikam/concord-rows_k1.csv"] {
			c.take(d, "fabrikam", "concord-rows_k1.csv")
		}
	}
	if got := c.files("fabrikam"); len(got) != 0 {
		t.Errorf("it came again: %q", got)
	}
	c.posts(202, "litware", "k1", "R") // another one's key is another key
	if got := c.files("litware"); len(got) != 1 {
		t.Error(got)
	}
}

// Whatever fails, a client that sends until it is answered has sent one file.
func TestPostedRowsAreTakenOnce(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, taken := range []bool{false, true} {
			for n := 1; ; n++ {
				d := newDesk()
				d.fails, d.late = n, late
				c := open(t, httpd.Options{Rows: d, Rate: 1000})
				code := 0
				for try := 0; code != 202 && try < 5; try++ {
					code, _, _ = c.ask("fabrikam", "POST", "/carrier/v1/rows", "R", "Idempotency-Key", "k1", "Content-Type", asJSON)
					if taken && try == 0 && len(c.files("fabrikam")) == 1 {
						c.take(d, "fabrikam", "concord-rows_k1.csv")
					}
				}
				want := 1
				if len(d.decided) > 0 {
					want = 0
				}
				if got := c.files("fabrikam"); code != 202 || len(got) != want {
					t.Errorf("step %d: %d, %q", n, code, got)
				}
				if d.steps < n {
					break
				}
			}
		}
	}
}

func TestSeveralThatPostTheSameHavePostedItOnce(t *testing.T) {
	d := newDesk()
	c := open(t, httpd.Options{Rows: d, Rate: 1000, Uploads: 100})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if code, got, _ := c.ask("fabrikam", "POST", "/carrier/v1/rows", "R", "Idempotency-Key", "k1", "Content-Type", asJSON); code != 202 {
				t.Error(code, got)
			}
		})
	}
	wg.Wait()
	if got := c.files("fabrikam"); len(got) != 1 {
		t.Error(got)
	}
}

func TestRowsThatAreNotTakenSayWhy(t *testing.T) {
	c := open(t, httpd.Options{Rows: newDesk(), Rate: 1000})
	if got := c.posts(422, "fabrikam", "k", "RBR"); !strings.Contains(got, `"rows":[{"row":1,"field":"start","reason":"is not a time"}]`) {
		t.Error(got)
	}
	if got := c.posts(422, "fabrikam", "k", strings.Repeat("B", 130)); !strings.Contains(got, `"more_rows":30`) {
		t.Error(got)
	}
	c.posts(400, "fabrikam", "k", "no rows")
	c.posts(413, "fabrikam", "k", strings.Repeat("R", 1<<20+1))
	c.posts(400, "fabrikam", "", "R")
	c.posts(400, "fabrikam", "two words", "R")
	c.posts(400, "fabrikam", strings.Repeat("k", 201), "R")
	for _, s := range []struct {
		code  int
		heads []string
	}{
		{400, []string{"Content-Type", asJSON}},
		{415, []string{"Idempotency-Key", "k"}},
		{415, []string{"Idempotency-Key", "k", "Content-Type", "text/csv"}},
		{415, []string{"Idempotency-Key", "k", "Content-Type", asJSON, "Content-Encoding", "gzip"}},
		{400, []string{"Idempotency-Key", "k", "Content-Type", asJSON, "Repr-Digest", digest("other")}},
		{202, []string{"Idempotency-Key", "k", "Content-Type", asJSON, "Repr-Digest", digest("R")}}, // what was refused has bound nothing
	} {
		c.wants(s.code, "fabrikam", "POST", "/carrier/v1/rows", "R", s.heads...)
	}
	c.wants(404, "fabrikam", "GET", "/carrier/v1/rows", "")
	c.wants(403, "fabrikam", "PUT", "/carrier/v1/inbox/concord-rows_x.csv", text)
	c.wants(403, "fabrikam", "PUT", "/carrier/v1/inbox/Concord-Rows_x.csv", text, "Repr-Digest", digest(text))
	if got := c.files("fabrikam"); len(got) != 1 {
		t.Error(got)
	}
	none := open(t, httpd.Options{})
	none.posts(404, "fabrikam", "k", "R")
}

// Whoever has no token that holds is answered in the same way, whatever is
// there, and nothing is remembered of what they sent.
func TestStrangersPostNothing(t *testing.T) {
	d := newDesk()
	c := open(t, httpd.Options{Rows: d, Failures: 100})
	c.posts(202, "fabrikam", "k1", "R")
	steps := d.steps
	var answers []string
	for _, who := range []string{"nobody", "", "fabrikam-"} {
		for _, body := range []string{"R", "RR", "B", strings.Repeat("R", 2<<20)} {
			answers = append(answers, c.posts(401, who, "k1", body))
		}
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Error(a)
		}
	}
	if d.steps != steps || len(c.files("fabrikam")) != 1 {
		t.Error("something was done")
	}
}

func TestRowsAreCountedToo(t *testing.T) {
	c := open(t, httpd.Options{Rows: newDesk(), Rate: 1000, RowRate: 1})
	c.posts(202, "fabrikam", "k1", strings.Repeat("R", 15))
	code, _, head := c.ask("fabrikam", "POST", "/carrier/v1/rows", strings.Repeat("R", 15), "Idempotency-Key", "k2", "Content-Type", asJSON)
	if code != 429 || head.Get("Retry-After") != "10" {
		t.Error(code, head)
	}
	c.posts(202, "litware", "k2", strings.Repeat("R", 15))
	c.later(1e9 * 15)
	c.posts(202, "fabrikam", "k2", strings.Repeat("R", 15))
}

// What breaks off is not taken, and binds no key.
func TestABrokenPostLeavesNothing(t *testing.T) {
	d := newDesk()
	c := open(t, httpd.Options{Rows: d})
	for _, head := range []string{"Content-Length: 100\r\n\r\nRRR", "Transfer-Encoding: chunked\r\n\r\n3\r\nRRR\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nRR"} {
		conn, err := net.Dial("tcp", c.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /carrier/v1/rows HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer fabrikam-t\r\nIdempotency-Key: k1\r\nContent-Type: application/json\r\n%s", head)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(bufio.NewReader(conn))
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%s, %v", answer, err)
		}
		_ = conn.Close()
	}
	if d.steps != 0 || len(c.files("fabrikam")) != 0 {
		t.Error("something was done")
	}
	c.posts(202, "fabrikam", "k1", "R")
}
