package cli

import (
	"context"
	"fmt"
	"io"

	"concord/formats/yamltree"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/doctor"
)

type carrierTestCmd struct {
	configFlag
	Carrier carrierName `arg:"" help:"The carrier."`
	JSON    bool        `name:"json" help:"Print the findings as JSON."`
}

// Help has examples.
func (carrierTestCmd) Help() string {
	return `Connects to the carrier's host as the service would, and looks for the folders. Nothing is changed there.

Examples:
  concord carrier test litware -c /etc/concord/concord.yaml

Exit codes: 0 all is well, 1 something is wrong at the host or on the way, 2 the configuration is.`
}

// finding is one thing that was looked at.
type finding struct {
	What string `json:"what"` // connection, or a key of carriers.NAME.host
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"` // what to do
}

// hostReport is what --json prints.
type hostReport struct {
	Carrier  string    `json:"carrier"`
	Host     string    `json:"host"`
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

// Run looks at everything it can, and fails if something is wrong.
func (c *carrierTestCmd) Run(s *session) error {
	conf, err := c.load()
	if err != nil {
		return err
	}
	h, err := ownHost(conf, string(c.Carrier))
	if err != nil {
		return err
	}
	r := hostReport{Carrier: string(c.Carrier), Host: h.Dial.String(), OK: true, Findings: examine(s.ctx, h)}
	var wrong []string
	for _, f := range r.Findings {
		if !f.OK {
			r.OK = false
			wrong = append(wrong, fmt.Sprintf("%s: %s", f.What, f.Text), "  "+f.Hint)
		}
	}
	if c.JSON {
		if !r.OK {
			s.code = exitFailed
		}
		return printJSON(s.Out, r)
	}
	r.print(s.Out)
	if !r.OK {
		return &jobs.Failure{Kind: jobs.KindFailed, Messages: wrong}
	}
	return nil
}

func (r *hostReport) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s\n", r.Carrier, r.Host)
	for _, f := range r.Findings {
		if f.OK {
			fmt.Fprintf(w, "  %s: %s\n", f.What, f.Text)
		}
	}
}

// ownHost returns the host of a carrier that has one.
func ownHost(c *config.Config, name string) (*config.Host, error) {
	x, ok := c.Carrier(name)
	if !ok {
		var names []string
		for _, x := range c.Carriers {
			names = append(names, x.Name)
		}
		if like := yamltree.Nearest(name, names); like != "" {
			return nil, usageFailure("%s has no carrier %s; did you mean %s?", c.File, name, like)
		}
		return nil, usageFailure("%s has no carrier %s; add it under carriers", c.File, name)
	}
	if x.Host == nil {
		return nil, usageFailure("carriers.%s has no host: this carrier comes to us, and there is nothing to connect to", name)
	}
	return x.Host, nil
}

// examine connects and looks for the folders.
func examine(ctx context.Context, h *config.Host) (all []finding) {
	for _, f := range doctor.Host(ctx, h) {
		all = append(all, finding{What: f.What, OK: f.Level == doctor.OK, Text: f.Text, Hint: f.Hint})
	}
	return all
}
