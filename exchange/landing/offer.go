package landing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// offered is one file on its way to the taker.
type offered struct {
	sight
	standing
	try   *try
	sum   uint64 // mark.gen of the checksum beside it, or 0
	final bool
}

// short returns the name of a file below inbox/.
func short(name string) string { return strings.TrimPrefix(name, Inbox+"/") }

// offer has the taker decide of a file and does what follows. With an error
// it is to be tried again.
func (t *tender) offer(ctx context.Context, o offered) error {
	f, err := t.openMarked(o.sight)
	if f == nil || err != nil {
		return err
	}
	content, err := t.spool.Add(ctx, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	answer, err := t.submit(ctx, o, content)
	taken := err == nil && answer.Verdict != Wait
	err = errors.Join(err, t.spool.Release(content.SHA256, taken && !answer.Discard && !answer.Elsewhere || errors.Is(err, ErrDoubt)))
	switch {
	case taken:
		t.took(o.sight, answer)
	case err == nil:
		o.try.asked, o.try.trust, o.try.sum = true, o.trust, o.sum
		t.waiting(o.name, answer.Why)
	}
	return err
}

// openMarked opens a file, if it still is the one that the mark is of.
func (t *tender) openMarked(s sight) (*os.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.marks[s.name] != s.mark {
		return nil, nil
	}
	return t.root.Open(s.name)
}

func (t *tender) submit(ctx context.Context, o offered, c Content) (Answer, error) {
	offer := Offer{
		Carrier: t.carrier, Name: short(o.name), SHA256: c.SHA256, Size: c.Size, Received: o.mark.at.UTC(),
		Content: c.Path, Trust: o.trust, Final: o.final,
	}
	switch {
	case !o.ready:
		offer.Fault = o.why
	case !plainName(offer.Name):
		offer.Fault = "its name holds control characters or is not UTF-8; give it a plain name"
	case o.sum > 0:
		ok, err := t.checked(o.name+checksum, c.SHA256)
		if err != nil {
			return Answer{}, err
		}
		const differs = "the checksum beside it is that of another content"
		if !ok && !o.final {
			return Answer{Verdict: Wait, Why: differs}, nil
		}
		if !ok {
			offer.Fault = differs
		}
		offer.Checked = ok
	}
	return t.taker.Take(ctx, offer)
}

// plainName reports whether a name can be shown and written down as it is.
func plainName(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

var hexSum = regexp.MustCompile(`(?i)(?:^|[^0-9a-f])([0-9a-f]{64})(?:$|[^0-9a-f])`)

// checked reports whether a checksum file, as sha256sum and its likes write it,
// names a sum.
func (t *tender) checked(name, sum string) (bool, error) {
	f, err := t.root.Open(name)
	if err != nil {
		return false, fmt.Errorf("read checksum: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("read checksum: %w", err)
	}
	found := hexSum.FindSubmatch(text)
	return found != nil && strings.EqualFold(string(found[1]), sum), nil
}

func (t *tender) waiting(name, why string) {
	if t.watch.Waiting != nil {
		t.watch.Waiting(t.carrier, short(name), why)
	}
}
