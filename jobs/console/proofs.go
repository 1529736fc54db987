package console

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// proofsData is the chain of proofs, its last one first.
type proofsData struct {
	listData[control.Proof]
	Acts    []jobs.Act
	Checked *control.ProofCheck // nil: nobody has asked whether the chain is right
	Problem string              // why that is not known
}

var proofActs = []jobs.Act{jobs.ActPurge, jobs.ActErase, jobs.ActHold, jobs.ActRelease}

// checkTime is how long the chain is looked through for a page.
const checkTime = 20 * time.Second

func (v *visit) proofs() error {
	f := v.filters("act", "class", "carrier", "ref", "before")
	before, err := strconv.ParseInt(f["before"], 10, 64)
	if f["before"] != "" && (err != nil || before < 1) {
		return &control.Refusal{Kind: control.Invalid, Text: "The address of this page is none; begin with the first page."}
	}
	list, err := v.Desk.Proofs(v.r.Context(), jobs.ProofFilter{
		Act: jobs.Act(f["act"]), Class: f["class"], Carrier: f["carrier"], Ref: f["ref"], Before: before, Latest: true, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	d := proofsData{listData: listOf(v, f, list, func(p control.Proof) string { return strconv.FormatInt(p.Seq, 10) }), Acts: proofActs}
	if v.r.URL.Query().Get("verify") != "" {
		if d.Checked, err = v.checkProofs(); err != nil {
			r, is := errors.AsType[*control.Refusal](err)
			if !is {
				return err
			}
			d.Problem = r.Text
		}
	}
	return v.page("proofs", "Proofs", d)
}

// checkProofs looks through the whole chain, once at a time and for so long.
func (v *visit) checkProofs() (*control.ProofCheck, error) {
	select {
	case v.checks <- struct{}{}:
		defer func() { <-v.checks }()
	default:
		return nil, &control.Refusal{Kind: control.Unavailable, Text: "The chain is being looked through for somebody else; try again in a moment."}
	}
	ctx, stop := context.WithTimeout(v.r.Context(), checkTime)
	defer stop()
	x, err := v.Desk.VerifyProofs(ctx)
	if err != nil && errors.Is(errors.Join(err, ctx.Err()), context.DeadlineExceeded) {
		return nil, &control.Refusal{Kind: control.Unavailable, Err: err, Text: "The chain is too long for a page. Take the export and run: concord proofs verify --from proofs.jsonl"}
	}
	return &x, err
}

// exportPage is how many proofs are held in memory while the chain is sent.
const exportPage = 500

// exportProofs sends the whole chain as concord proofs list --json writes it.
func (v *visit) exportProofs() error {
	list, err := v.Desk.Proofs(v.r.Context(), jobs.ProofFilter{Limit: exportPage})
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="proofs.jsonl"`)
	h.Set("Content-Security-Policy", "sandbox")
	v.began = true
	to := json.NewEncoder(v.w)
	to.SetEscapeHTML(false)
	for len(list) > 0 {
		v.hurry()
		for i := range list {
			if err := to.Encode(list[i]); err != nil {
				return err
			}
		}
		if list, err = v.Desk.Proofs(v.r.Context(), jobs.ProofFilter{After: list[len(list)-1].Seq, Limit: exportPage}); err != nil {
			return err
		}
	}
	return nil
}
