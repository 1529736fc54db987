package landing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var errInjected = &fs.PathError{Op: "injected", Path: "/secret/server/path", Err: errors.New("injected")}

// faults fail the operations on a disk that fail says.
type faults struct {
	mu   sync.Mutex
	n    int
	fail func(n int) bool
}

func only(at int) func(n int) bool { return func(n int) bool { return n == at } }

func (f *faults) step() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.fail != nil && f.fail(f.n-1) {
		return errInjected
	}
	return nil
}

// happened reports whether there were so many operations.
func (f *faults) happened(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n > n
}

// begin counts from here on and fails as told; nil: never.
func (f *faults) begin(fail func(n int) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.fail = 0, fail
}

func (f *faults) flush(*os.File) error { return f.step() }

// faulty is a disk with faults.
type faulty struct {
	*os.Root
	f *faults
}

func (d faulty) Open(name string) (*os.File, error) {
	if err := d.f.step(); err != nil {
		return nil, err
	}
	return d.Root.Open(name)
}

func (d faulty) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if err := d.f.step(); err != nil {
		return nil, err
	}
	return d.Root.OpenFile(name, flag, perm)
}

func (d faulty) Lstat(name string) (fs.FileInfo, error) {
	if err := d.f.step(); err != nil {
		return nil, err
	}
	return d.Root.Lstat(name)
}

func (d faulty) do(op func() error) error {
	if err := d.f.step(); err != nil {
		return err
	}
	return op()
}

func (d faulty) Mkdir(name string, perm fs.FileMode) error {
	return d.do(func() error { return d.Root.Mkdir(name, perm) })
}

func (d faulty) MkdirAll(name string, perm fs.FileMode) error {
	return d.do(func() error { return d.Root.MkdirAll(name, perm) })
}

func (d faulty) Rename(from, to string) error {
	return d.do(func() error { return d.Root.Rename(from, to) })
}

func (d faulty) Link(from, to string) error {
	return d.do(func() error { return d.Root.Link(from, to) })
}
func (d faulty) Remove(name string) error { return d.do(func() error { return d.Root.Remove(name) }) }

func (d faulty) Chmod(name string, mode fs.FileMode) error {
	return d.do(func() error { return d.Root.Chmod(name, mode) })
}

func (d faulty) Chtimes(name string, a, m time.Time) error {
	return d.do(func() error { return d.Root.Chtimes(name, a, m) })
}

// home opens a home in dir whose disk fails as f says; nil: never.
func home(t testing.TB, dir string, terms Terms, f *faults) *Home {
	t.Helper()
	if f == nil {
		f = &faults{}
	}
	h, err := OpenHome(dir, "fabrikam", terms, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.root, h.sync = faulty{h.root.(*os.Root), f}, f.flush
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// put uploads a file as a client would that writes blocks of a size.
func put(s *Session, name, content string, block int) error {
	u, err := s.Upload(name, UploadOptions{Create: true, Truncate: true})
	if err != nil {
		return err
	}
	for at := 0; at < len(content); at += block {
		_, _ = u.WriteAt([]byte(content[at:min(len(content), at+block)]), int64(at)) // Close tells
	}
	return u.Close()
}

func mustPut(t testing.TB, s *Session, name, content string) {
	t.Helper()
	if err := put(s, name, content, 1000); err != nil {
		t.Fatal(err)
	}
}

// onDisk returns the content of a file below a folder, or "(none)".
func onDisk(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return "(none)"
	}
	return string(b)
}

// files lists the files below a folder.
func files(t testing.TB, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// notary is a Taker that accepts what is whole, by the rule that a whole text
// ends with "end\n", and knows contents again.
type notary struct {
	mu       sync.Mutex
	answers  []Answer
	settled  map[string]bool
	accepted map[string]int // times that a content was accepted, by hash
	offers   []Offer
	fail     func(n int) bool // of the n-th call
	lost     bool             // answers of Take are, though they were recorded
	calls    int
}

func newNotary() *notary {
	return &notary{settled: map[string]bool{}, accepted: map[string]int{}}
}

func (n *notary) step() error {
	n.calls++
	if n.fail != nil && n.fail(n.calls-1) {
		return errors.New("the ledger does not answer")
	}
	return nil
}

// Take implements Taker.
func (n *notary) Take(_ context.Context, o Offer) (Answer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.step(); err != nil {
		return Answer{}, err
	}
	text, err := os.ReadFile(o.Content)
	if err != nil {
		return Answer{}, err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != o.SHA256 {
		return Answer{}, fmt.Errorf("the content is not what its hash says")
	}
	n.offers = append(n.offers, o)
	r := Receipt{File: o.Name, SHA256: o.SHA256, Bytes: o.Size, Received: o.Received, Time: time.Now().UTC(), Seconds: "0"}
	whole := strings.HasSuffix(string(text), "end\n") && o.Trust > Doubtful || o.Trust == Vouched
	switch {
	case o.Fault == "" && !whole && !o.Final:
		return Answer{Verdict: Wait, Why: "no end yet"}, nil
	case o.Fault != "" || !whole:
		r.Status, r.Reasons = StatusRejected, []Reason{{Reason: o.Fault}}
	case n.accepted[o.SHA256] > 0:
		r.Status = StatusDuplicate
	default:
		r.Status = StatusAccepted
		n.accepted[o.SHA256]++
	}
	a := Answer{ID: fmt.Sprint(len(n.answers)), Verdict: Accept, Receipt: r}
	if r.Status == StatusRejected {
		a.Verdict = Reject
	}
	n.answers = append(n.answers, a)
	if n.lost {
		return Answer{}, fmt.Errorf("%w: the answer was lost", ErrDoubt)
	}
	return a, nil
}

// Unsettled implements Taker.
func (n *notary) Unsettled(context.Context, string) (all []Answer, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.answers {
		if !n.settled[a.ID] {
			all = append(all, a)
		}
	}
	return all, n.step()
}

// Settle implements Taker.
func (n *notary) Settle(_ context.Context, _, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.step(); err != nil {
		return err
	}
	n.settled[id] = true
	return nil
}

// Holds implements Taker.
func (n *notary) Holds(_ context.Context, sum string) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted[sum] > 0, nil
}

// statuses returns what was decided, in order, as NAME STATUS.
func (n *notary) statuses() (all []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.answers {
		all = append(all, a.Receipt.File+" "+string(a.Receipt.Status))
	}
	return all
}

// receipt reads the receipt of a file.
func receipt(t testing.TB, dir, name string) (r Receipt) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, Receipts, filepath.FromSlash(name)+".json"))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
