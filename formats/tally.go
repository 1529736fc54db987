package formats

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"concord/engine"
)

// tally counts the rows of one file. Its parts add to it when they close, in
// any order, from any goroutine.
type tally struct {
	mu       sync.Mutex
	accepted int64
	rejected int64
	filtered int64
	ms       int64
	first    *engine.RowError // the rejected row nearest to the head of the file
}

// partTally is what one part counted, without locks.
type partTally struct {
	accepted, rejected, filtered, ms int64
	first                            *engine.RowError
}

func (t *partTally) accept(c *engine.Call) {
	t.accepted++
	t.ms += c.DurationMS
}

func (t *partTally) reject(e *engine.RowError) {
	t.rejected++
	if t.first == nil {
		t.first = e
	}
}

// add takes over what a part counted and clears it, so that a part closed
// twice counts once.
func (t *tally) add(p *partTally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted += p.accepted
	t.rejected += p.rejected
	t.filtered += p.filtered
	t.ms += p.ms
	if p.first != nil && (t.first == nil || p.first.Row < t.first.Row) {
		t.first = p.first
	}
	*p = partTally{}
}

func (t *tally) rows() int64 { return t.accepted + t.rejected + t.filtered }

// fill copies the counts into i.
func (t *tally) fill(i *FileInfo) {
	i.Rows, i.Accepted, i.Rejected, i.Filtered, i.DurationMS = t.rows(), t.accepted, t.rejected, t.filtered, t.ms
}

// check rejects a file of which too many rows were rejected: more than the
// share allowed, unless they are only a few and some row was good.
func (t *tally) check(j *job) error {
	if t.rejected < fewRejected && t.accepted+t.filtered > 0 {
		return nil
	}
	return t.checkShare(j, t.rows())
}

// checkSoFar rejects a file before its end, when no number of good rows that
// can still follow would save it. most bounds the rows of the file.
func (t *tally) checkSoFar(j *job, most int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rejected < hopeless {
		return nil
	}
	return t.checkShare(j, most)
}

func (t *tally) checkShare(j *job, rows int64) error {
	share := j.opts.Limits.MaxRejected
	if t.rejected == 0 || float64(t.rejected) <= share*float64(rows) {
		return nil
	}
	return j.errorf("check that the profile fits the file",
		"more than %s of its rows could not be read; the first is %v", percent(share), t.first)
}

// hopeless is the number of bad rows from which on a file is given up before
// its end.
const hopeless = 100_000

// fewRejected is the number of bad rows from which on their share decides.
const fewRejected = 10

func percent(share float64) string { return fmt.Sprintf("%.4g %%", share*100) }

// fileHash is the SHA-256 of a whole input, computed beside its reading.
type fileHash struct {
	done chan struct{}
	stop context.CancelFunc
	sum  string
	err  error
}

// startHash reads all of in on a goroutine of its own. The caller must call
// wait or cancel.
func startHash(ctx context.Context, in Input) *fileHash {
	ctx, stop := context.WithCancel(ctx)
	h := &fileHash{done: make(chan struct{}), stop: stop}
	go func() {
		defer close(h.done)
		h.sum, h.err = hashInput(ctx, in)
	}()
	return h
}

// wait returns the hash in hex.
func (h *fileHash) wait() (string, error) {
	<-h.done
	h.stop()
	return h.sum, h.err
}

// cancel gives the hash up and waits for its goroutine.
func (h *fileHash) cancel() {
	h.stop()
	<-h.done
}

// HashInput returns the SHA-256 of a whole input, in hexadecimal.
func HashInput(ctx context.Context, in Input) (string, error) { return hashInput(ctx, in) }

func hashInput(ctx context.Context, in Input) (string, error) {
	h := sha256.New()
	buf := make([]byte, 256<<10)
	for at := int64(0); at < in.Size; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := in.R.ReadAt(buf[:min(int64(len(buf)), in.Size-at)], at)
		h.Write(buf[:n])
		at += int64(n)
		if err != nil && (err != io.EOF || at < in.Size) {
			return "", fmt.Errorf("read %s: %w", in.Name, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
