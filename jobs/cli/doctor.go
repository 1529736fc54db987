package cli

import (
	"errors"
	"fmt"
	"time"

	"concord/jobs/api"
	"concord/jobs/config"
	"concord/jobs/doctor"
	"concord/jobs/service"
)

type doctorCmd struct {
	configFlag
	Hosts bool `help:"Also ask the carriers' own hosts, Microsoft's and the webhook."`
	JSON  bool `name:"json" help:"Print the findings as JSON, one object a line."`
}

// Help has examples.
func (doctorCmd) Help() string {
	return `Looks at the configuration, the data folder, the database, the clock, keys, ports, Microsoft's folder, and a sample of what is kept, beside a running service or without one. Run it as the user of the service.

Examples:
  concord doctor -c /etc/concord/concord.yaml
  concord doctor --hosts --json | jq 'select(.level != "ok")'

Exit codes: 0 nothing keeps the service from its work, 1 something does.`
}

// Run looks at everything and fails if there is a problem.
func (c *doctorCmd) Run(s *session) error {
	list, err := c.examine(s)
	if err != nil {
		return err
	}
	for _, f := range list {
		if f.Level == doctor.Problem {
			s.code = exitFailed
		}
	}
	if c.JSON {
		return printLines(s, list)
	}
	g := &grid{}
	for _, f := range list {
		text := f.Text
		if f.Hint != "" {
			text += "; " + f.Hint
		}
		g.add(string(f.Level), f.What, shown(text))
	}
	g.write(s.Out, "")
	return nil
}

// examine finds what is wrong; without a configuration, only what is wrong
// with that.
func (c *doctorCmd) examine(s *session) (list []doctor.Finding, err error) {
	cfg, err := config.Load(string(c.Config))
	if err != nil {
		for _, f := range faults(err) {
			list = append(list, doctor.Finding{What: "configuration", Level: doctor.Problem, Text: f.Error(), Hint: "correct it; nothing else was looked at"})
		}
		return list, nil
	}
	client, err := api.DialLocal(s.ctx, cfg.Data)
	running := err == nil
	switch {
	case running:
		if err := client.Close(); err != nil {
			return nil, err
		}
	case !errors.Is(err, api.ErrNotRunning):
		list = append(list, doctor.Finding{What: "service", Level: doctor.Problem, Text: err.Error(), Hint: "run doctor as the user of the service"})
	}
	if running {
		list = append(list, doctor.Finding{What: "service", Level: doctor.OK, Text: "it runs on " + cfg.Data})
	} else if len(list) == 0 {
		list = append(list, doctor.Finding{What: "service", Level: doctor.OK, Text: fmt.Sprintf("none runs on %s", cfg.Data)})
	}
	return append(list, doctor.Examine(s.ctx, doctor.Options{
		Config: cfg, Reports: service.ReportsFolder(cfg), Who: string(self()), Running: running, Hosts: c.Hosts, Now: time.Now,
	})...), nil
}
