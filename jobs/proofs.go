package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"
)

// Act is what a proof says was done.
type Act string

// Acts that leave proofs.
const (
	ActPurge   Act = "purge"   // data was removed because its time is over
	ActErase   Act = "erase"   // data of one person was removed
	ActHold    Act = "hold"    // data is kept whatever its time
	ActRelease Act = "release" // it is not any more
)

// Proof says what was done to data that the law is about. It holds no personal
// data: no number, no name of a file, and no hash of what can be guessed.
// Proofs are a chain: each has the sum of the one before it in its own, so
// that none can be changed, taken away or moved without a trace.
type Proof struct {
	Seq     int64     // from 1, without gaps
	At      time.Time // UTC, in whole microseconds
	Act     Act
	Class   string // of data, such as records; empty: several
	Country string // whose rule it is; empty: of none in particular
	Carrier string // empty: of all
	Rule    string // what asked for it, such as retention.records: 90d
	Ref     string // what it is filed under, such as the id of a hold or of a request
	Count   int64  // of things, such as files
	Bytes   int64
	From    time.Time // the data is about the time from here; zero: it is not known
	To      time.Time // to here
	Run     string    // that did it
	By      string    // who asked; empty: no person did
	// Items is the SHA-256, in hex, of what went: one line for each thing,
	// sorted. Empty: it would tell something, or there is nothing to list.
	Items string

	Prev string // Sum of the proof before; that of the first is 64 zeros
	Sum  string // SHA-256 of Text, in hex
}

// FirstProof is what the first proof has for the sum of the one before it.
var FirstProof = strings.Repeat("0", 2*sha256.Size)

// Proofs is the chain. jobstest has its contract as a suite of tests.
type Proofs interface {
	// Testify adds a proof, of which it sets Seq, Prev and Sum, and returns
	// it as it is kept. Calls come one after the other. There is no way to
	// change or remove one.
	Testify(ctx context.Context, p Proof) (Proof, error)
	// Proofs lists proofs in the order of the chain, unless the filter says
	// otherwise.
	Proofs(ctx context.Context, f ProofFilter) ([]Proof, error)
	// ProofHead returns number and sum of the last proof, which are kept
	// beside the chain, so that one that lost its end is found; 0 and
	// FirstProof: there is none.
	ProofHead(ctx context.Context) (seq int64, sum string, err error)
}

// ProofFilter selects proofs; a zero field selects all.
type ProofFilter struct {
	Act                 Act
	Class, Carrier, Ref string
	Since               time.Time // done at this time or later
	After               int64     // those with a higher number
	Before              int64     // those with a lower number
	Latest              bool      // the last of the chain first
	Limit               int       // 0: all
}

// ErrProof is a proof that cannot be kept as it is.
var ErrProof = errors.New("it cannot be testified")

// Seal returns a proof as the one that follows number seq, whose sum is prev.
func (p Proof) Seal(seq int64, prev string) (Proof, error) {
	p.Seq, p.Prev = seq+1, prev
	p.At, p.From, p.To = whole(p.At), whole(p.From), whole(p.To)
	if err := p.validate(); err != nil {
		return Proof{}, err
	}
	p.Sum = p.sum()
	return p, nil
}

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (p *Proof) sum() string {
	sum := sha256.Sum256([]byte(p.Text()))
	return hex.EncodeToString(sum[:])
}

// Text is what the sum is of: one line for each field, in this order, each
// ended by a line feed. A time is in RFC 3339 in UTC with as many digits of the
// second as it has, and empty if it is zero.
func (p *Proof) Text() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "seq=%d\nat=%s\n", p.Seq, proofTime(p.At))
	for _, f := range p.texts() {
		_, _ = fmt.Fprintf(&b, "%s=%s\n", f[0], f[1])
	}
	_, _ = fmt.Fprintf(&b, "count=%d\nbytes=%d\nfrom=%s\nto=%s\nprev=%s\n", p.Count, p.Bytes, proofTime(p.From), proofTime(p.To), p.Prev)
	return b.String()
}

func (p *Proof) texts() [][2]string {
	return [][2]string{
		{"act", string(p.Act)}, {"class", p.Class}, {"country", p.Country}, {"carrier", p.Carrier},
		{"rule", p.Rule}, {"ref", p.Ref}, {"run", p.Run}, {"by", p.By}, {"items", p.Items},
	}
}

func proofTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// validate says what of a proof is not as a proof has to be.
func (p *Proof) validate() error {
	switch p.Act {
	case ActPurge, ActErase, ActHold, ActRelease:
	default:
		return fmt.Errorf("%w: its act is none of purge, erase, hold and release", ErrProof)
	}
	if p.At.IsZero() || p.Count < 0 || p.Bytes < 0 {
		return fmt.Errorf("%w: it has no time, or counts less than nothing", ErrProof)
	}
	for _, f := range p.texts() {
		switch {
		case strings.ContainsFunc(f[1], unwritable):
			return fmt.Errorf("%w: its %s has a control character, or is not UTF-8", ErrProof, f[0])
		case Mask(f[1]) != f[1]:
			return fmt.Errorf("%w: its %s may hold a phone number: leave it out", ErrProof, f[0])
		}
	}
	return nil
}

// unwritable are characters that a line of text cannot have.
func unwritable(r rune) bool {
	return unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029'
}

// ProofCheck is what came of looking through the chain.
type ProofCheck struct {
	Count int64  // of proofs that were looked at and are right
	Last  string // sum of the last one of them
	// Fault says what is wrong first, and where; empty: nothing is.
	Fault string
}

// VerifyProofs reads the whole chain and computes every sum again. The error is
// of reading; a chain that is not right is a fault.
func VerifyProofs(ctx context.Context, p Proofs) (c ProofCheck, err error) {
	const page = 1000
	c.Last = FirstProof
	for {
		list, err := p.Proofs(ctx, ProofFilter{After: c.Count, Limit: page})
		if err != nil {
			return c, err
		}
		for i := range list {
			if c.Fault = c.follow(&list[i]); c.Fault != "" {
				return c, nil
			}
		}
		if len(list) < page {
			return c.end(ctx, p)
		}
	}
}

// CheckProofs looks through proofs that were exported, in the order of the chain
// from the first one on. Whether there were later ones it cannot tell.
func CheckProofs(list iter.Seq2[Proof, error]) (c ProofCheck, err error) {
	c.Last = FirstProof
	for p, err := range list {
		if err != nil {
			return c, err
		}
		if c.Fault = c.follow(&p); c.Fault != "" {
			return c, nil
		}
	}
	return c, nil
}

// follow takes the next proof, or says why it is not the next one.
func (c *ProofCheck) follow(p *Proof) string {
	switch {
	case p.Seq != c.Count+1:
		return fmt.Sprintf("proof %d is missing: number %d comes after number %d", c.Count+1, p.Seq, c.Count)
	case p.Prev != c.Last:
		return fmt.Sprintf("proof %d does not follow proof %d: it was written after another one", p.Seq, c.Count)
	case p.Sum != p.sum():
		return fmt.Sprintf("proof %d was changed: its sum is not that of its text", p.Seq)
	}
	c.Count, c.Last = p.Seq, p.Sum
	return ""
}

// end compares the last proof with what is kept beside the chain. It is asked
// after the chain was read, and may have grown since.
func (c ProofCheck) end(ctx context.Context, p Proofs) (ProofCheck, error) {
	seq, sum, err := p.ProofHead(ctx)
	if err != nil {
		return c, err
	}
	switch {
	case seq < c.Count, seq == c.Count && sum != c.Last:
		c.Fault = fmt.Sprintf("proof %d was added past the program: the last one it wrote is %d", c.Count, seq)
	case seq > c.Count:
		more, err := p.Proofs(ctx, ProofFilter{After: c.Count, Limit: 1})
		if err != nil {
			return c, err
		}
		if len(more) == 0 {
			c.Fault = fmt.Sprintf("proofs after %d are missing: the last one was %d", c.Count, seq)
		}
	}
	return c, nil
}
