package cli

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"concord/engine"
	"concord/jobs"
)

type matchCmd struct {
	Microsoft   []string `required:"" sep:"none" placeholder:"FILE" help:"Microsoft's call records; repeat for several files, in the order received."`
	Carrier     []string `required:"" sep:"none" placeholder:"FILE" help:"The carrier's records; repeat for several files, in the order received."`
	Numbers     []string `sep:"none" placeholder:"FILE" help:"Listings of the carrier's numbers, with their times in their names; calls on numbers that were not assigned are flagged. Those of one folder follow each other."`
	Profile     given    `placeholder:"FILE" help:"The carrier's dialect and rules. Without one, files have the canonical columns."`
	CarrierName given    `placeholder:"NAME" help:"The carrier's name in reports. Default: the profile's."`
	Period      given    `placeholder:"PERIOD" help:"A day (2026-10-01), a month (2026-10) or FROM/TO with TO not included, in the profile's zone. Default: everything."`
	AsOf        given    `placeholder:"TIME" help:"When the run looks at the world: late calls are pending until then. Default: nothing is pending."`
	Memory      size     `default:"256MiB" help:"What the run may hold in memory; the rest goes to temporary files."`
	Workers     int      `placeholder:"N" help:"How many processors to use. Default: all."`
	Verdicts    bool     `help:"Also write the verdict on every record."`
	Users       bool     `help:"Also write the usage per user and month."`
	FailOn      string   `enum:"never,dispute" default:"never" help:"Exit with 3 when the totals verdict is as named (dispute)."`
	Out         string   `required:"" placeholder:"DIR" help:"The folder to write; it must not exist."`
}

// Run reconciles and shows the result.
func (c *matchCmd) Run(s *session) error {
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	p := startProgress(s.Err)
	out, err := w.Match(s.ctx, c.options(), p.observer())
	p.stop()
	if err != nil {
		return err
	}
	show := bufio.NewWriter(s.Out)
	writeSummary(show, out)
	if err := show.Flush(); err != nil {
		return &jobs.Failure{Kind: jobs.KindFailed, Messages: []string{fmt.Sprintf("show the summary: %v; the report itself is whole: %s", err, out.Out)}}
	}
	if c.FailOn == "dispute" && out.Summary.Totals.Verdict == engine.TotalsDispute {
		s.code = exitDispute
	}
	return nil
}

func (c *matchCmd) options() jobs.MatchOptions {
	return jobs.MatchOptions{
		Microsoft: c.Microsoft, Carrier: c.Carrier, Listings: c.Numbers, Profile: string(c.Profile), CarrierName: string(c.CarrierName),
		Period: string(c.Period), AsOf: string(c.AsOf), Memory: int64(c.Memory), Workers: c.Workers,
		Verdicts: c.Verdicts, Users: c.Users, Out: c.Out,
	}
}

// given is the value of a flag that may be left out, but not empty: the empty
// one comes from a script whose variable is not set, and would quietly mean
// another run than the one asked for.
type given string

// UnmarshalText takes any text but the empty one.
func (g *given) UnmarshalText(b []byte) error {
	if strings.TrimSpace(string(b)) == "" {
		return errors.New("its value is empty; give one, or leave the flag out")
	}
	*g = given(b)
	return nil
}

// size is a number of bytes, such as 512MiB.
type size int64

// UnmarshalText reads bytes with an optional unit.
func (s *size) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	shift := 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if t, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(t), bits
			break
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v <= 0 || v > math.MaxInt64>>shift {
		return fmt.Errorf("%q is no size; write a whole number with KiB, MiB or GiB, such as 512MiB", b)
	}
	*s = size(v << shift)
	return nil
}
