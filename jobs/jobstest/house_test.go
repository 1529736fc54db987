package jobstest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// TestMain lets the test program be a worker, or a service that is killed.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "worker":
		err = jobs.Work(context.Background(), os.Stdin, os.Stdout)
	case len(os.Args) == 3 && os.Args[1] == "collect":
		err = collectAll(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	header = "record_id,caller,callee,start,duration_ms\n"
	row    = "c1,+4930123456,+33145678900,2026-10-01T12:00:01Z,75000\n"
	bad    = "c2,+4930123456,+33145678900,+4930123456,75000\n"

	fabrikam = "carrier: fabrikam\n" +
		"files: {pattern: \"FAB_{seq:06}_{date:20060102}.csv\", corrections: \"FAB_{seq:06}_{date:20060102}_K{any}.csv\"}\n"
)

// house is a Collector with a spool and a ledger.
type house struct {
	*testing.T
	*jobs.Collector
	dir      string
	ledger   jobs.Ledger
	profiles map[string]string // by carrier
	file     string            // of a profile; empty: the carrier's name
	at       time.Time

	mu      sync.Mutex
	decided []jobs.Entry
	gaps    []jobs.Entry
}

func newHouse(t *testing.T, ledger jobs.Ledger) *house {
	h := &house{T: t, dir: t.TempDir(), ledger: ledger, profiles: map[string]string{"fabrikam": fabrikam}, at: time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)}
	if err := os.Mkdir(filepath.Join(h.dir, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.open()
	return h
}

// open starts the Collector, as a new process would.
func (h *house) open() {
	h.Collector = jobs.NewCollector(jobs.CollectOptions{
		Profile: h.profile, Ledger: h.ledger, Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Now: func() time.Time { return h.at }, Content: h.content, Rejects: filepath.Join(h.dir, "rejects"),
		Observer: jobs.CollectObserver{
			Decided: func(e jobs.Entry) { h.note(&h.decided, e) }, Gap: func(e jobs.Entry) { h.note(&h.gaps, e) },
		},
	})
}

func (h *house) note(list *[]jobs.Entry, e jobs.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*list = append(*list, e)
}

func (h *house) profile(carrier string) (string, error) {
	text, ok := h.profiles[carrier]
	if !ok {
		return "", nil
	}
	name := filepath.Join(h.dir, cmp.Or(h.file, carrier)+".yaml")
	return name, os.WriteFile(name, []byte(text), 0o600)
}

func (h *house) content(sum string) string { return filepath.Join(h.dir, "spool", sum) }

// offer puts a content into the spool and returns the offer of a new upload.
func (h *house) offer(name, content string) landing.Offer {
	h.Helper()
	sum := sha256.Sum256([]byte(content))
	o := landing.Offer{Carrier: "fabrikam", Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), Received: h.at, Trust: landing.Closed}
	o.Content = h.content(o.SHA256)
	if err := os.WriteFile(o.Content, []byte(content), 0o600); err != nil {
		h.Fatal(err)
	}
	h.at = h.at.Add(time.Minute)
	return o
}

func (h *house) take(o landing.Offer) landing.Answer {
	h.Helper()
	a, err := h.Take(h.Context(), o)
	if err != nil {
		h.Fatal(err)
	}
	return a
}

// send offers a file and returns its receipt.
func (h *house) send(name, content string) landing.Receipt {
	h.Helper()
	return h.take(h.offer(name, content)).Receipt
}
