package jobs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"concord/engine"
	"concord/engine/numbers"
	"concord/exchange/atrest"
	"concord/formats/report"
)

// Assigned is a file that says which numbers were assigned to a carrier during
// a period, cut to it. Equal knowledge gives equal bytes.
type Assigned struct {
	Path string
	report.Numbers
	Position int64 // of the newest listing that it comes from; 0: of none that the state knows
}

// KnownNumbers is what is asked about a carrier's numbers: a part of Numbers.
type KnownNumbers interface {
	NumberSources(ctx context.Context, carrier string) (NumberSources, error)
	KnownNumbers(ctx context.Context, at NumbersAt) numbers.Rows
}

// WriteAssigned writes what is known of a carrier's numbers in [from, to) into
// a new file, row by row. When nothing is known of that time there is no file,
// and the answer is nil.
func WriteAssigned(ctx context.Context, keys *atrest.Keys, known KnownNumbers, carrier string, from, to time.Time, path string) (*Assigned, error) {
	sources, err := known.NumberSources(ctx, carrier)
	if err != nil || len(sources.Begun) == 0 {
		return nil, err
	}
	w := window(from, to)
	for source, at := range sources.Begun {
		w.Sources[source] = at.UnixMicro()
	}
	a, err := writeAssigned(ctx, keys, path, known.KnownNumbers(ctx, NumbersAt{Carrier: carrier, Position: sources.Position}), w)
	if a != nil {
		a.Position = sources.Position
	}
	return a, err
}

// window is the time of a period; of none, all that a call can have.
func window(from, to time.Time) numbers.Window {
	w := numbers.Window{From: engine.MinStart, To: engine.MaxStart, Sources: map[string]int64{}}
	if !from.IsZero() || !to.IsZero() {
		w.From, w.To = from.UnixMicro(), to.UnixMicro()
	}
	return w
}

// assignedHead is the first line of the file, before the time from which on all
// numbers are known. A line for each tenure follows: digits, from, to, in
// microseconds.
const assignedHead = "concord numbers 1 "

func writeAssigned(ctx context.Context, keys *atrest.Keys, path string, rows numbers.Rows, w numbers.Window) (_ *Assigned, err error) {
	f, err := createAssigned(keys, path)
	if err != nil {
		return nil, fmt.Errorf("write the numbers of a run: %w", reason(err))
	}
	known := false
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil || !known {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(f, sum))
	a := &Assigned{Path: path}
	begin := w.Begin()
	fmt.Fprintf(out, "%s%d\n", assignedHead, begin) // Flush tells
	var line []byte
	last := uint64(0)
	for t, err := range numbers.Tenures(rows, w) {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return nil, fmt.Errorf("write the numbers of a run: %w", err)
		}
		if t.Digits != last {
			a.Count++
			last = t.Digits
		}
		line = strconv.AppendUint(line[:0], t.Digits, 10)
		line = strconv.AppendInt(append(line, ' '), t.From, 10)
		line = strconv.AppendInt(append(line, ' '), t.To, 10)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return nil, fmt.Errorf("write the numbers of a run: %w", reason(err))
		}
	}
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("write the numbers of a run: %w", reason(err))
	}
	known = begin < w.To || a.Count > 0
	if !known {
		return nil, nil
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if begin < w.To {
		a.KnownFrom = time.UnixMicro(begin).UTC()
	}
	return a, nil
}

func createAssigned(keys *atrest.Keys, path string) (atrest.Output, error) {
	return keys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// readAssigned reads such a file; it must be the one that was written.
func readAssigned(keys *atrest.Keys, a *Assigned) (_ *numbers.Holders, err error) {
	f, err := keys.Open(a.Path)
	if err != nil {
		return nil, fmt.Errorf("read the numbers of a run: %w", reason(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	in := bufio.NewScanner(io.TeeReader(f, sum))
	var h *numbers.Holders
	for in.Scan() {
		text, isHead := strings.CutPrefix(in.Text(), assignedHead)
		switch {
		case h == nil && isHead:
			begin, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, errAssigned
			}
			h = numbers.NewHolders(begin)
		case h == nil:
			return nil, errAssigned
		default:
			t, ok := parseTenure(text)
			if !ok {
				return nil, errAssigned
			}
			h.Add(t)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read the numbers of a run: %w", reason(err))
	}
	if h == nil || hex.EncodeToString(sum.Sum(nil)) != a.SHA256 {
		return nil, errAssigned
	}
	return h, nil
}

var errAssigned = errors.New("the numbers of this run are not as they were written; do it again")

func parseTenure(s string) (t numbers.Tenure, ok bool) {
	digits, rest, _ := strings.Cut(s, " ")
	from, to, _ := strings.Cut(rest, " ")
	var errs [3]error
	t.Digits, errs[0] = strconv.ParseUint(digits, 10, 63)
	t.From, errs[1] = strconv.ParseInt(from, 10, 64)
	t.To, errs[2] = strconv.ParseInt(to, 10, 64)
	return t, errors.Join(errs[:]...) == nil && t.From <= t.To && t.To < math.MaxInt64
}
