package httpd_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/exchange/httpd"
	"concord/exchange/landing"
)

// counter is a server with two carriers, whose tokens are their names with -t.
type counter struct {
	*testing.T
	*httptest.Server
	dir    string
	homes  map[string]*landing.Home
	mu     sync.Mutex
	events []httpd.Event
	now    time.Time
}

// ByToken implements httpd.Accounts.
func (c *counter) ByToken(sum [sha256.Size]byte) (httpd.Account, bool) {
	for name, h := range c.homes {
		if sha256.Sum256([]byte(name+"-t")) == sum {
			return httpd.Account{Name: name, Home: h}, true
		}
	}
	return httpd.Account{}, false
}

func open(t *testing.T, o httpd.Options) *counter {
	t.Helper()
	c := &counter{T: t, dir: t.TempDir(), homes: map[string]*landing.Home{}, now: time.Now()}
	for _, name := range []string{"fabrikam", "litware"} {
		h, err := landing.OpenHome(filepath.Join(c.dir, name), name, landing.Terms{MaxFile: 1 << 20, MaxBytes: 2 << 20, MaxFiles: 5}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		c.homes[name] = h
	}
	o.Accounts, o.Now = c, func() time.Time {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.now
	}
	o.Audit = func(e httpd.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, e)
	}
	c.Server = httptest.NewServer(httpd.Handler(o))
	t.Cleanup(c.Close)
	return c
}

func (c *counter) later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ask makes a request of a carrier; more are headers.
func (c *counter) ask(carrier, method, path, body string, more ...string) (int, string, http.Header) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.URL+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if carrier != "" {
		req.Header.Set("Authorization", "Bearer "+carrier+"-t")
	}
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	resp, err := c.Client().Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (c *counter) wants(want int, carrier, method, path, body string, more ...string) string {
	c.Helper()
	code, text, _ := c.ask(carrier, method, path, body, more...)
	if code != want {
		c.Errorf("%s %s: %d %s, want %d", method, path, code, text, want)
	}
	return text
}

// files lists what is on the disk of a carrier.
func (c *counter) files(carrier string) (all []string) {
	c.Helper()
	root := filepath.Join(c.dir, carrier)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, name)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	return all
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

const text = "record_id,start,duration_ms\nr1,2026-10-01T10:00:00Z,1000\n"

func TestAFileArrivesAsItWasSent(t *testing.T) {
	c := open(t, httpd.Options{})
	sum := sha256.Sum256([]byte(text))
	var up struct {
		File, SHA256, Receipt string
		Bytes                 int
	}
	answer := c.wants(201, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Repr-Digest", digest(text))
	if err := json.Unmarshal([]byte(answer), &up); err != nil || up.File != "a.csv" || up.Bytes != len(text) || up.SHA256 != fmt.Sprintf("%x", sum) || up.Receipt != "/carrier/v1/receipts/a.csv.json" {
		t.Errorf("%+v, %v", up, err)
	}
	if got := c.wants(200, "fabrikam", "GET", "/carrier/v1/inbox/a.csv", ""); got != text {
		t.Errorf("there is %q", got)
	}
	// The answer got lost, and the client sends it again.
	if again := c.wants(200, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Repr-Digest", digest(text)); again != answer {
		t.Errorf("sent again: %s", again)
	}
	c.wants(409, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text)
	c.wants(409, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", "other", "Digest", strings.ReplaceAll(digest("other"), ":", ""))
	c.wants(201, "fabrikam", "PUT", "/carrier/v1/inbox/empty.csv", "")
	if got := c.files("fabrikam"); !slices.Equal(got, []string{"inbox/a.csv", "inbox/a.csv.sha256", "inbox/empty.csv"}) {
		t.Errorf("there are %q", got)
	}
	if got := c.files("litware"); len(got) > 0 {
		t.Errorf("the other one has %q", got)
	}
}

func TestWhatIsNotWholeLeavesNothing(t *testing.T) {
	c := open(t, httpd.Options{Idle: 200 * time.Millisecond})
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Content-Digest", digest("else"))
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Content-Digest", "sha-256=:abc:")
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Content-Digest", "md5=:abc:")
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", text, "Content-Encoding", "gzip")
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/.a.csv", text)
	c.wants(400, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv.part", text)
	c.wants(507, "fabrikam", "PUT", "/carrier/v1/inbox/a.csv", strings.Repeat("x", 1<<20+1))
	for name, raw := range map[string]string{
		"no length":      "PUT /carrier/v1/inbox/a.csv HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer fabrikam-t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"half, and gone": "PUT /carrier/v1/inbox/a.csv HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer fabrikam-t\r\nContent-Length: 100\r\n\r\n" + text,
		"half, and idle": "PUT /carrier/v1/inbox/a.csv HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer fabrikam-t\r\nContent-Length: 100\r\n\r\n" + text + "idle",
	} {
		conn, err := net.Dial("tcp", c.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		send, idle := strings.CutSuffix(raw, "idle")
		if _, err := io.WriteString(conn, send); err != nil {
			t.Fatal(err)
		}
		if !idle {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
		answer, err := io.ReadAll(conn)
		if _ = conn.Close(); err != nil || strings.HasPrefix(string(answer), "HTTP/1.1 2") {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
	if got := c.files("fabrikam"); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
	if s := c.homes["fabrikam"].Space(); s.FreeBytes != s.Bytes || s.FreeFiles != s.Files {
		t.Errorf("it takes room: %+v", s)
	}
}

// Whoever has no token learns nothing, not even who the carriers are.
func TestAStrangerLearnsNothing(t *testing.T) {
	c := open(t, httpd.Options{Failures: 1000})
	c.wants(201, "litware", "PUT", "/carrier/v1/inbox/a.csv", text)
	want := c.wants(401, "", "GET", "/carrier/v1", "")
	for _, carrier := range []string{"", "nobody", "litware-t\x00"[:9]} {
		for _, path := range []string{"/carrier/v1", "/carrier/v1/inbox", "/carrier/v1/inbox/a.csv", "/carrier/v1/inbox/none", "/carrier/v1/nothing", "/carrier/v1/receipts/litware"} {
			for _, method := range []string{"GET", "HEAD"} {
				code, got, _ := c.ask(carrier, method, path, "")
				if code != 401 || method == "GET" && got != want {
					t.Errorf("%s %s: %d %s", method, path, code, got)
				}
			}
		}
		if got := c.wants(401, carrier, "PUT", "/carrier/v1/inbox/b.csv", text); got != want {
			t.Error(got)
		}
	}
	for _, scheme := range []string{"Basic bGl0d2FyZS10", "bearer", "Bearer", "Bearer ", "litware-t"} {
		if got := c.wants(401, "", "GET", "/carrier/v1", "", "Authorization", scheme); got != want {
			t.Error(got)
		}
	}
}

// A carrier sees its own home and nothing else, whatever it calls it.
func TestACarrierStaysInItsHome(t *testing.T) {
	c := open(t, httpd.Options{Rate: 1000})
	c.wants(201, "litware", "PUT", "/carrier/v1/inbox/secret.csv", "canary")
	if err := os.WriteFile(filepath.Join(c.dir, "outside"), []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/carrier/v1/inbox/secret.csv", "/carrier/v1/inbox/..%2f..%2flitware%2finbox%2fsecret.csv", "/carrier/v1/..%2f/outside", "/carrier/v1/%2e%2e/outside",
		"/carrier/v1/inbox/%2e%2e%2f%2e%2e%2foutside", "/carrier/v1/.staging", "/carrier/v1/.staging/x", "/carrier/v1/inbox/%00", "/carrier/v1/inbox//..//..//outside",
		"/carrier/v1/inbox/..%5c..%5coutside", "/carrier/v1//etc/passwd",
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			code, got, _ := c.ask("fabrikam", method, path, "")
			if strings.Contains(got, "canary") || code >= 500 || code == 200 && method == "GET" && strings.Contains(got, "outside") {
				t.Errorf("%s %s: %d %s", method, path, code, got)
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(c.dir, "outside")); err != nil || string(b) != "canary" {
		t.Error(string(b), err)
	}
	c.wants(403, "fabrikam", "DELETE", "/carrier/v1/outbox/..%2finbox", "")
}

func TestTheOutboxIsFetchedInPartsAndEmptied(t *testing.T) {
	c := open(t, httpd.Options{})
	out := filepath.Join(c.dir, "fabrikam", "outbox")
	if err := errors.Join(os.WriteFile(filepath.Join(out, "n.csv"), []byte("0123456789"), 0o640), os.MkdirAll(filepath.Join(c.dir, "fabrikam", "archive", "2026-10-02"), 0o750)); err != nil {
		t.Fatal(err)
	}
	if got := c.wants(200, "fabrikam", "GET", "/carrier/v1/outbox", ""); !strings.Contains(got, `"name":"n.csv","bytes":10`) {
		t.Error(got)
	}
	if got := c.wants(206, "fabrikam", "GET", "/carrier/v1/outbox/n.csv", "", "Range", "bytes=4-"); got != "456789" {
		t.Error(got)
	}
	code, got, head := c.ask("fabrikam", "GET", "/carrier/v1/outbox/n.csv", "")
	if code != 200 || got != "0123456789" || head.Get("Content-Type") != "text/csv; charset=utf-8" || head.Get("Content-Disposition") != "attachment" || head.Get("X-Content-Type-Options") != "nosniff" {
		t.Error(code, got, head)
	}
	if got := c.wants(200, "fabrikam", "GET", "/carrier/v1/archive/2026-10-02", ""); got != "{\"files\":[]}\n" {
		t.Error(got)
	}
	if got := c.wants(200, "fabrikam", "GET", "/carrier/v1/archive", ""); !strings.Contains(got, `"folder":true`) {
		t.Error(got)
	}
	c.wants(204, "fabrikam", "DELETE", "/carrier/v1/outbox/n.csv", "")
	c.wants(404, "fabrikam", "DELETE", "/carrier/v1/outbox/n.csv", "")
	c.wants(404, "fabrikam", "GET", "/carrier/v1/outbox/n.csv", "")
	c.mu.Lock()
	defer c.mu.Unlock()
	var acts []string
	for _, e := range c.events {
		acts = append(acts, string(e.Act))
	}
	if !slices.Equal(acts, []string{"download", "download", "remove", "refused", "refused"}) {
		t.Errorf("told of %q", acts)
	}
}

func TestNobodyTakesAllThereIs(t *testing.T) {
	c := open(t, httpd.Options{Rate: 1, Failures: 2, Uploads: 1})
	for range 4 {
		c.wants(200, "fabrikam", "GET", "/carrier/v1", "")
	}
	code, _, head := c.ask("fabrikam", "GET", "/carrier/v1", "")
	if code != 429 || head.Get("Retry-After") != "1" {
		t.Error(code, head)
	}
	c.wants(200, "litware", "GET", "/carrier/v1", "") // another one notices nothing
	c.wants(401, "nobody", "GET", "/carrier/v1", "")
	c.wants(401, "nobody", "GET", "/carrier/v1", "")
	c.wants(429, "nobody", "GET", "/carrier/v1", "")
	c.wants(200, "litware", "GET", "/carrier/v1", "") // though it has the same address
	c.later(time.Hour)
	c.wants(200, "fabrikam", "GET", "/carrier/v1", "")

	write, done := c.slow()
	for began := false; !began; { // the server has the first half
		c.later(time.Minute)
		code, _, _ := c.ask("litware", "PUT", "/carrier/v1/inbox/second.csv", "")
		began = code == 429
		select {
		case <-done: // the second one came first
			write, done = c.slow()
			began = false
		default:
		}
	}
	if _, err := write.Write([]byte("56789")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-done, write.Close()); err != nil {
		t.Error(err)
	}
}

// slow begins to upload a file of ten bytes and stops behind the fifth; done is
// told how it ended.
func (c *counter) slow() (write *io.PipeWriter, done chan error) {
	c.Helper()
	body, write := io.Pipe()
	done = make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(c.Context(), "PUT", c.URL+"/carrier/v1/inbox/slow.csv", body)
		if err == nil {
			req.ContentLength = 10
			req.Header.Set("Authorization", "Bearer litware-t")
			var resp *http.Response
			if resp, err = c.Client().Do(req); err == nil {
				err = resp.Body.Close()
				if resp.StatusCode != 201 {
					err = errors.New(resp.Status)
				}
			}
		}
		done <- err
	}()
	_, _ = write.Write([]byte("01234")) // of one that is refused, done tells
	return write, done
}

func FuzzRequests(f *testing.F) {
	f.Add("GET", "/inbox/a.csv", "Range", "bytes=1-", "")
	f.Add("PUT", "/inbox/a.csv", "Digest", "sha-256=x", "body")
	f.Add("DELETE", "/outbox/%2e%2e/x", "If-Match", "*", "")
	f.Add("POST", "/rows", "Idempotency-Key", "k", "R")
	f.Fuzz(func(t *testing.T, method, path, header, value, body string) {
		if len(body) > 1<<10 {
			t.Skip("a longer body tries nothing else")
		}
		dir := t.TempDir()
		h, err := landing.OpenHome(filepath.Join(dir, "home"), "fabrikam", landing.Terms{}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		server := httpd.Handler(httpd.Options{Accounts: one{h}, Rows: newDesk()})
		req, err := http.NewRequest(method, "http://h/carrier/v1"+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Skip("no client can send this")
		}
		req.Header.Set("Authorization", "Bearer t")
		req.Header.Set("Content-Type", asJSON)
		req.Header[http.CanonicalHeaderKey(header)] = []string{value}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		if w.Code >= 500 && w.Code != 507 {
			t.Errorf("%s %q: %d %s", method, path, w.Code, w.Body)
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
			t.Errorf("%q left %v %v", path, list, err)
		}
	})
}

// one has one carrier, whatever the token.
type one struct{ home *landing.Home }

// ByToken implements httpd.Accounts.
func (o one) ByToken([sha256.Size]byte) (httpd.Account, bool) {
	return httpd.Account{Name: "fabrikam", Home: o.home}, true
}
