package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs/graph"
	"concord/jobs/state"
)

const tenant = "11111111-2222-3333-4444-555555555555"

// desk is a feed with a server, a state and a folder.
type desk struct {
	*graphServer
	*graph.Feed
	store *state.Store
	at    time.Time
	log   bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{graphServer: newGraphServer(t), at: time.Date(2026, 10, 3, 6, 0, 0, 0, time.UTC)}
	var err error
	if d.store, err = state.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.store.Close() })
	d.open(t.TempDir())
	return d
}

// open is a feed as a new process has it.
func (d *desk) open(folder string) {
	d.Feed = &graph.Feed{
		Name: "contoso", List: graph.PSTN, Operators: map[string]string{"fabrikam telecom": "fabrikam", "Litware": "litware"},
		Access: graph.Access{Tenant: tenant, ClientID: "app", Secret: func() string { return secret }, Authority: d.URL, Endpoint: d.URL, HTTP: d.Client()},
		Since:  time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Folder: folder, Rows: d.store,
		Now: func() time.Time { return d.at }, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
	}
}

// look looks and returns what came into the folder of a carrier since the last
// look, each row as ID SECONDS SOURCE, in the order in which files are taken.
func (d *desk) look(carrier string) (rows []string) {
	d.Helper()
	if err := d.Look(d.Context()); err != nil {
		d.Fatal(err)
	}
	return d.empty(carrier)
}

func (d *desk) empty(carrier string) (rows []string) {
	d.Helper()
	names, err := filepath.Glob(filepath.Join(d.Folder, carrier, "graph", "*"))
	if err != nil {
		d.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		var doc struct{ Value []map[string]any }
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &doc)
		}
		if err = errors.Join(err, os.Remove(name)); err != nil {
			d.Fatal(err)
		}
		if strings.Contains(string(b), "ome") || !strings.Contains(string(b), `"charge":0.10`) {
			d.Errorf("names of people, or money as another number: %s", b)
		}
		for _, r := range doc.Value {
			if r["tenantId"] != tenant {
				d.Errorf("tenant %v", r["tenantId"])
			}
			rows = append(rows, fmt.Sprint(r["id"], " ", r["duration"], " ", r["callDurationSource"]))
		}
	}
	return rows
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

const pstn = "getPstnCalls"

// Every call is handed on once, whatever pages, windows and looks it is in.
func TestEachCallIsHandedOnOnce(t *testing.T) {
	d := newDesk(t)
	for i := range 7 {
		d.add(pstn, fmt.Sprint("a", i), "2026-10-01T10:00:00.1234567Z", 10+i, "microsoft")
	}
	d.add(pstn, "edge", "2026-10-02T00:00:00Z", 60, "microsoft") // in two windows
	d.add(pstn, "other", "2026-10-02T01:00:00Z", 61, "microsoft", "operator", "LITWARE")
	same(t, d.look("fabrikam"), "a0 10 microsoft", "a1 11 microsoft", "a2 12 microsoft", "a3 13 microsoft", "a4 14 microsoft", "a5 15 microsoft", "a6 16 microsoft", "edge 60 microsoft")
	same(t, d.empty("litware"), "other 61 microsoft")
	if d.tokens != 1 {
		t.Errorf("%d tokens", d.tokens)
	}
	d.at = d.at.Add(time.Hour)
	same(t, d.look("fabrikam"))
	d.open(d.Folder) // a restart
	same(t, d.look("fabrikam"))
	d.add(pstn, "late", "2026-10-01T11:00:00Z", 5, "microsoft") // comes a day and more after its call
	d.add(pstn, "older", "2026-09-30T11:00:00Z", 5, "microsoft")
	same(t, d.look("fabrikam"), "late 5 microsoft")
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := d.asked[len(d.asked)-1]; !strings.Contains(last, "2026-10-03T05:00:00Z 2026-10-03T07:00:00Z") && !strings.HasSuffix(last, "2026-10-03T07:00:00Z ") {
		t.Errorf("asked for %q", last)
	}
}

// Microsoft's own measuring is what it is compared by; once a carrier's figure
// has taken its place nothing is left to compare.
func TestTheFirstDurationOfMicrosoftsIsKept(t *testing.T) {
	d := newDesk(t)
	d.add(pstn, "a", "2026-10-02T10:00:00Z", 60, "microsoft")
	d.add(pstn, "b", "2026-10-02T10:00:00Z", 60, "operator")
	same(t, d.look("fabrikam"), "a 60 microsoft", "b 60 operator")
	d.add(pstn, "a", "2026-10-02T10:00:00Z", 75, "operator")
	same(t, d.look("fabrikam"))
	d.add(pstn, "a", "2026-10-02T10:00:00Z", 75, "operator", "calleeNumber", "+442079999999") // something else of it, too
	d.add(pstn, "b", "2026-10-02T10:00:00Z", 62, "microsoft")
	same(t, d.look("fabrikam"), "a 60 microsoft", "b 62 microsoft")
	d.add(pstn, "b", "2026-10-02T10:00:00Z", 70, "operator")
	d.add(pstn, "b", "2026-10-02T10:00:00Z", 71, "microsoft")
	d.open(d.Folder)
	same(t, d.look("fabrikam"))
}

// Of a call that comes twice in one look the last counts.
func TestACallThatChangesWhileItIsRead(t *testing.T) {
	d := newDesk(t)
	d.mu.Lock()
	for _, seconds := range []int{10, 20} {
		d.rows[pstn] = append(d.rows[pstn], map[string]any{
			"id": "a", "startDateTime": "2026-10-02T10:00:00Z", "duration": seconds, "operator": "Litware", "callDurationSource": "operator", "charge": json.Number("0.10"),
		})
	}
	d.mu.Unlock()
	d.look("fabrikam")
	same(t, d.empty("litware"), "a 20 operator")
}

func TestWhoseCallsTheyAre(t *testing.T) {
	d := newDesk(t)
	d.add(pstn, "a", "2026-10-02T10:00:00Z", 1, "microsoft", "operator", "Microsoft")
	d.add(pstn, "b", "2026-10-02T10:00:00Z", 1, "microsoft", "operator", nil)
	same(t, d.look("fabrikam"))
	if s := d.log.String(); !strings.Contains(s, "graph.contoso.operators") || !strings.Contains(s, "operator=Microsoft") {
		t.Error(s)
	}
	d.Carrier = "fabrikam" // it is told whose they are
	same(t, d.look("fabrikam"), "a 1 microsoft", "b 1 microsoft")
	d.List = graph.DirectRouting
	d.add("getDirectRoutingCalls", "c", "2026-10-02T10:00:00Z", 1, "microsoft")
	same(t, d.look("fabrikam"), "c 1 microsoft")
	d.add("getDirectRoutingCalls", "", "2026-10-02T10:00:00Z", 2, "microsoft") // it cannot be known again
	same(t, d.look("fabrikam"), " 2 microsoft")
	same(t, d.look("fabrikam"))
}

// What was handed on and could not be remembered is handed on as the same file.
func TestACrashBeforeItIsRemembered(t *testing.T) {
	d := newDesk(t)
	d.add(pstn, "a", "2026-10-02T10:00:00Z", 1, "microsoft")
	d.Rows = forgetful{d.store}
	if err := d.Look(t.Context()); !errors.Is(err, errForgotten) {
		t.Fatal(err)
	}
	was, err := filepath.Glob(filepath.Join(d.Folder, "fabrikam", "graph", "*"))
	if err != nil || len(was) != 1 {
		t.Fatal(was, err)
	}
	d.open(d.Folder)
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if is, _ := filepath.Glob(filepath.Join(d.Folder, "fabrikam", "graph", "*")); !slices.Equal(is, was) {
		t.Errorf("%q, before it was %q", is, was)
	}
}

func says(code int, header, body string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		answer(w, code, body)
	}
}

const throttled = `{"error":{"code":"TooManyRequests","message":"slow down"}}`

// bubble serves requests on virtual time, without a network.
type bubble struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (b bubble) RoundTrip(r *http.Request) (*http.Response, error) {
	w := newRecorder()
	b.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestWhatMayPassIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		refuse []func(w http.ResponseWriter)
		least  time.Duration
		most   time.Duration
	}{
		"seconds":     {[]func(w http.ResponseWriter){says(429, "Retry-After: 17", throttled)}, 17 * time.Second, 17 * time.Second},
		"a date":      {[]func(w http.ResponseWriter){says(503, "Retry-After: Sat, 03 Oct 2026 06:00:40 GMT", "")}, 40 * time.Second, 40 * time.Second},
		"not said":    {[]func(w http.ResponseWriter){says(429, "", throttled), says(502, "", "<html>")}, 4 * time.Second, 10 * time.Second},
		"too much":    {[]func(w http.ResponseWriter){says(429, "Retry-After: 999999", throttled)}, 5 * time.Minute, 5 * time.Minute},
		"a bad token": {[]func(w http.ResponseWriter){says(401, "", `{"error":{"code":"InvalidAuthenticationToken","message":"x"}}`)}, 0, time.Second},
		"half a page": {[]func(w http.ResponseWriter){says(200, "", `{"value":[{`)}, time.Second, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.add(pstn, "a", "2026-10-01T10:00:00Z", 1, "microsoft")
			d.refuse = c.refuse
			d.open(d.Folder)
			rows := d.Rows
			synctest.Test(t, func(t *testing.T) {
				d.Feed.HTTP = &http.Client{Transport: bubble{d.graphServer}}
				d.Rows = newMemory()
				begun := time.Now()
				if err := d.Look(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took < c.least || took > c.most {
					t.Errorf("it took %v, want %v to %v", took, c.least, c.most)
				}
			})
			d.Rows = rows
			same(t, d.empty("fabrikam"), "a 1 microsoft")
		})
	}
}

func TestWhatWillNotPassIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(d *desk)
		want string
	}{
		"forbidden": {func(d *desk) {
			d.refuse = append(d.refuse, says(403, "", `{"error":{"code":"Forbidden","message":"no +4930199988877\nmore"}}`))
		}, "CallRecords.Read.All with admin consent in tenant " + tenant},
		"not found": {func(d *desk) { d.refuse = append(d.refuse, says(404, "", "")) }, "answer of Graph: 404"},
		"wrong secret": {func(d *desk) {
			d.noToken = says(401, "", `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret."}`)
		}, "gets no token from Microsoft: invalid_client AADSTS7000215: Invalid client secret.; check its id and secret"},
		"another host": {func(d *desk) {
			d.nextHost = "https://graph.example.org"
			for i := range 4 {
				d.add(pstn, fmt.Sprint(i), "2026-10-01T10:00:00Z", 1, "microsoft")
			}
		}, "must not see the token"},
		"no rows":  {func(d *desk) { d.refuse = append(d.refuse, says(200, "", `{"value":[7]}`)) }, "no object"},
		"no place": {func(d *desk) { d.add(pstn, "a", "2026-10-01T10:00:00Z", 1, "microsoft"); d.Folder = "/dev/null" }, "Microsoft's folder of fabrikam"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			c.set(d)
			err := d.Look(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read getPstnCalls of contoso from Graph: ") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "999888") || strings.Contains(err.Error(), "token1")) {
				t.Errorf("it tells a secret: %v", err)
			}
		})
	}
}

func TestALookEndsWithItsContext(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	d.refuse = append(d.refuse, func(w http.ResponseWriter) {
		cancel()
		says(429, "Retry-After: 300", throttled)(w)
	})
	if err := d.Look(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A server that accepts and never answers must not keep the service from
// ending, nor a look from failing.
func TestALookEndsWhileNobodyAnswers(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d := newDesk(t)
	d.Authority = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Look(ctx) }()
	conn, err := l.Accept() // it asks for a token
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = conn.Close()
}
