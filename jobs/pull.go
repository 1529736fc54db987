package jobs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/exchange/pgp"
)

// Host is a carrier's own host, from which files are pulled and to which
// receipts and the outbox are pushed. One goroutine uses it at a time.
type Host struct {
	Home     *landing.Home
	Inbox    string // folder of the host in which the carrier leaves its files
	Done     string // folder to which taken files are moved; empty: they are removed
	Receipts string // folder for the receipts; empty: there are none
	Outbox   string // folder for what is in the outbox; empty: it stays there

	seen map[string]*sighting
}

// sighting is one file of the host, since it was seen first.
type sighting struct {
	entry   exchange.Entry
	got     int64     // bytes fetched
	sum     hash.Hash // of them
	fetched bool
}

// Pull looks through the host's folder once. A file that is as it was at the
// last look is fetched into the inbox; one that has its receipt is answered and
// taken off the host. What goes wrong with one file does not keep it from the
// others, and is tried again at the next look.
func (h *Host) Pull(ctx context.Context, r exchange.Remote) error {
	list, err := r.List(ctx, h.Inbox)
	if err != nil {
		return fmt.Errorf("look into %s: %w", h.Inbox, err)
	}
	before := h.seen
	h.seen = map[string]*sighting{}
	var errs []error
	for _, e := range list {
		if e.Type != 0 || landing.IsTemporary(e.Name) {
			continue
		}
		s := before[e.Name]
		if s == nil || !s.entry.Same(e) {
			h.seen[e.Name] = &sighting{entry: e, sum: sha256.New()}
			continue
		}
		h.seen[e.Name] = s
		if err := h.advance(ctx, r, s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// advance takes one file a step further.
func (h *Host) advance(ctx context.Context, r exchange.Remote, s *sighting) error {
	var err error
	if s.fetched {
		err = h.answer(ctx, r, s)
	} else {
		err = h.fetch(ctx, r, s)
	}
	if errors.Is(err, exchange.ErrChanged) {
		delete(h.seen, s.entry.Name) // it is another file now
		return nil
	}
	return err
}

// fetch pulls one file, from where an earlier try has stopped.
func (h *Host) fetch(ctx context.Context, r exchange.Remote, s *sighting) error {
	session := h.Home.Session()
	defer session.End()
	name := path.Join(landing.Inbox, s.entry.Name)
	if i, err := session.Stat(name); err != nil || i.Size() != s.got {
		s.got = 0
		s.sum.Reset()
	}
	u, err := session.Upload(name, landing.UploadOptions{Create: true, Truncate: s.got == 0, Measured: true})
	if err != nil {
		return err
	}
	dst := io.MultiWriter(io.NewOffsetWriter(u, s.got), s.sum)
	n, err := exchange.Fetch(ctx, r, path.Join(h.Inbox, s.entry.Name), s.entry, dst, s.got)
	s.got += n
	if err != nil {
		u.Break(err)
		_ = u.Close() // it only says again what broke it
		return err
	}
	if err := u.Close(); err != nil {
		return err
	}
	s.fetched = true
	return nil
}

// answer pushes the receipt of a file once there is one, and takes the file off
// the host.
func (h *Host) answer(ctx context.Context, r exchange.Remote, s *sighting) error {
	text, found, err := h.receipt(s)
	if err != nil || !found {
		return err
	}
	name := path.Join(h.Inbox, s.entry.Name)
	if h.Receipts != "" {
		to := path.Join(h.Receipts, path.Base(landing.ReceiptName(s.entry.Name)))
		if err := exchange.Publish(ctx, r, to, text, text.Size()); err != nil {
			return fmt.Errorf("push the receipt: %w", err)
		}
	}
	if h.Done != "" {
		return exchange.MoveIfSame(ctx, r, name, path.Join(h.Done, s.entry.Name), s.entry)
	}
	return exchange.RemoveIfSame(ctx, r, name, s.entry)
}

// receipt returns the receipt of what was fetched, when there is one.
func (h *Host) receipt(s *sighting) (text *bytes.Reader, found bool, err error) {
	session := h.Home.Session()
	defer session.End()
	f, err := session.Open(landing.ReceiptName(s.entry.Name))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, false, err
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, false, err
	}
	var got landing.Receipt
	if err := json.Unmarshal(b, &got); err != nil {
		return nil, false, err
	}
	return bytes.NewReader(b), got.SHA256 == hex.EncodeToString(s.sum.Sum(nil)), nil
}

// Push pushes what is in the outbox and removes it from there, the manifest of
// a delivery after the other files of it.
func (h *Host) Push(ctx context.Context, r exchange.Remote) error {
	if h.Outbox == "" {
		return nil
	}
	session := h.Home.Session()
	defer session.End()
	list, err := session.List(landing.Outbox)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b landing.Info) int { return cmp.Compare(rank(a.Name()), rank(b.Name())) })
	var errs []error
	var failed []string
	for _, i := range list {
		if i.IsDir() || heldBack(i.Name(), failed) {
			continue
		}
		name := path.Join(landing.Outbox, i.Name())
		f, err := session.Open(name)
		if err == nil {
			err = exchange.Publish(ctx, r, path.Join(h.Outbox, i.Name()), f, i.Size())
			err = errors.Join(err, f.Close())
		}
		if err == nil {
			err = session.Remove(name)
		}
		if err != nil {
			failed = append(failed, i.Name())
			errs = append(errs, fmt.Errorf("%s: %w", i.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// manifestEnd ends the name of the file that says what belongs to a delivery.
const manifestEnd = "manifest.json"

// rank has manifests pushed last: whoever finds one finds the rest.
func rank(name string) int {
	if _, is := deliveryOf(name); is {
		return 1
	}
	return 0
}

// deliveryOf returns how the names of a delivery begin whose manifest, which may
// be encrypted, has this name.
func deliveryOf(name string) (prefix string, is bool) {
	return strings.CutSuffix(strings.TrimSuffix(name, pgp.Ending), manifestEnd)
}

// heldBack reports a manifest of a delivery of which not all could be pushed.
func heldBack(name string, failed []string) bool {
	prefix, is := deliveryOf(name)
	return is && slices.ContainsFunc(failed, func(f string) bool { return strings.HasPrefix(f, prefix) })
}
