package cli

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

// offline verifies proofs that were exported.
func (c *proofsVerifyCmd) offline(s *session) (err error) {
	sum := strings.ToLower(string(c.Sum))
	if c.At > 0 && len(sum) < leastSum {
		return usageFailure("--sum: give at least its first %d digits", leastSum)
	}
	src := s.In
	if c.From != "-" {
		f, operr := os.Open(c.From)
		if operr != nil {
			return usageFailure("--from: %v", operr)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		src = f
	}
	is := ""
	x, cerr := jobs.CheckProofs(exported(src, func(p *control.Proof) {
		if p.Seq == c.At {
			is = p.Sum
		}
	}))
	if cerr != nil {
		return cerr
	}
	if x.Fault == "" && c.At > 0 {
		x.Fault = unanchored(c.At, is, sum)
	}
	if x.Fault == "" && x.Count == 0 {
		return usageFailure("--from %s: there are no proofs in it; write them with concord proofs list --json", c.From)
	}
	return s.tellProofs(control.ProofCheck{Count: x.Count, Last: x.Last, Fault: x.Fault}, c.JSON)
}

// exported reads proofs, one JSON object after the other, and shows each of them
// to see.
func exported(src io.Reader, see func(*control.Proof)) iter.Seq2[jobs.Proof, error] {
	return func(yield func(jobs.Proof, error) bool) {
		d := json.NewDecoder(src)
		d.DisallowUnknownFields()
		for n := 1; ; n++ {
			var p control.Proof
			err := d.Decode(&p)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(jobs.Proof{}, usageFailure("--from: proof %d cannot be read: %v; write the file with concord proofs list --json", n, err))
				return
			}
			see(&p)
			if !yield(p.Link(), nil) {
				return
			}
		}
	}
}
