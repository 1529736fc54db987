package cli

import (
	"fmt"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

type proofsCmd struct {
	List   proofsListCmd   `cmd:"" default:"withargs" help:"List proofs in the order of their chain."`
	Verify proofsVerifyCmd `cmd:"" help:"Compute the sums of the whole chain anew."`
}

type proofsListCmd struct {
	targetFlags
	Act     string `enum:",purge,erase,hold,release" default:"" placeholder:"ACT" help:"Only those of purge, erase, hold or release."`
	Class   string `placeholder:"CLASS" help:"Only those about one class of data."`
	Carrier string `placeholder:"NAME" help:"Only those about one carrier."`
	Ref     string `placeholder:"ID" help:"Only those that are filed under this, such as the id of a hold."`
	After   uint   `placeholder:"N" help:"Only those with a higher number."`
	Limit   uint   `default:"0" help:"How many to list; 0 lists all."`
}

// Help has examples.
func (proofsListCmd) Help() string {
	return "Examples:\n  concord proofs --carrier fabrikam --act purge\n  concord proofs --json\n  concord proofs verify"
}

// Run lists proofs.
func (c *proofsListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Proofs(s.ctx, jobs.ProofFilter{
			Act: jobs.Act(c.Act), Class: c.Class, Carrier: c.Carrier, Ref: c.Ref, After: int64(c.After), Limit: int(c.Limit),
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{right: []bool{0: true, 5: true, 6: true}}
		g.add("Proof", "At (UTC)", "Act", "Class", "Carrier", "Things", "Bytes", "From", "To (UTC)", "Country", "Rule", "Filed under", "By", "Sum")
		for i := range list {
			g.proof(&list[i])
		}
		return s.printGrid(g, "no proofs: nothing was purged, erased or held")
	})
}

func (g *grid) proof(p *control.Proof) {
	g.add(fmt.Sprint(p.Seq), clock(p.At), p.Act, p.Class, p.Carrier, grouped(p.Count), grouped(p.Bytes), clock(p.From), clock(p.To),
		p.Country, shown(p.Rule), shown(p.Ref), shown(p.By), p.Sum[:min(12, len(p.Sum))])
}

type proofsVerifyCmd struct {
	targetFlags
	From string `placeholder:"FILE" help:"Verify what concord proofs list --json wrote; - reads it from the standard input. Needs no service and no data folder."`
	At   int64  `placeholder:"N" help:"With --sum: a proof whose sum was written down elsewhere."`
	Sum  given  `placeholder:"HEX" help:"The sum that proof N had; its first 12 digits are enough."`
}

// Help says what is found.
func (proofsVerifyCmd) Help() string {
	return `Reads the whole chain and computes every sum anew. A proof that was changed, taken away, added or moved is found. Who rewrites the whole chain is found by a sum that was written down elsewhere, such as in the log of the service.

Examples:
  concord proofs verify
  concord proofs verify --at 1024 --sum 5f2c6a0d9e11
  concord proofs list --json > proofs.jsonl; concord proofs verify --from proofs.jsonl` + "\n\nExit codes: 0 the chain is right, 1 it is not."
}

// Run verifies the chain.
func (c *proofsVerifyCmd) Run(s *session) error {
	if (c.At > 0) != (c.Sum != "") {
		return usageFailure("--at and --sum belong together: give both, or none")
	}
	if c.From != "" {
		return c.offline(s)
	}
	return c.with(s, func(t *target) error { return s.verifyProofs(t, c.JSON, c.At, string(c.Sum)) })
}

const leastSum = 12 // digits

func (s *session) verifyProofs(t *target, asJSON bool, at int64, sum string) error {
	x, err := t.VerifyProofs(s.ctx)
	if err == nil && x.Fault == "" && at > 0 {
		x.Fault, err = anchored(s, t, at, strings.ToLower(sum))
	}
	if err != nil {
		return err
	}
	return s.tellProofs(x, asJSON)
}

// tellProofs says what came of a look through the chain.
func (s *session) tellProofs(x control.ProofCheck, asJSON bool) (err error) {
	if asJSON {
		err = printJSON(s.Out, x)
	} else if x.Fault == "" {
		_, err = fmt.Fprintf(s.Out, "the chain is right: %d proofs, the last one has the sum %s\n", x.Count, x.Last)
	}
	if err == nil && x.Fault != "" {
		err = &jobs.Failure{Kind: jobs.KindFailed, Messages: []string{"the chain of proofs is not right: " + x.Fault, fmt.Sprintf("the first %d are right; compare the rest with a backup", x.Count)}}
	}
	return err
}

// anchored says what is wrong when a proof has not the sum that was written down.
func anchored(s *session, t *target, at int64, sum string) (string, error) {
	if len(sum) < leastSum {
		return "", usageFailure("--sum: give at least its first %d digits", leastSum)
	}
	list, err := t.Proofs(s.ctx, jobs.ProofFilter{After: at - 1, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(list) == 0 || list[0].Seq != at {
		return unanchored(at, "", sum), nil
	}
	return unanchored(at, list[0].Sum, sum), nil
}

// unanchored says what is wrong with a proof whose sum was written down; is is
// empty: it is not there.
func unanchored(at int64, is, sum string) string {
	switch {
	case is == "":
		return fmt.Sprintf("there is no proof %d any more", at)
	case !strings.HasPrefix(is, sum):
		return fmt.Sprintf("proof %d has another sum than was written down: the chain was written anew", at)
	}
	return ""
}
