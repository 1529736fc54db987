package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"concord/formats/yamltree"
	"concord/jobs"
	"concord/jobs/config"
)

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Check the configuration and all that it names, and tell every fault at once."`
	Example configExampleCmd `cmd:"" help:"Print an annotated configuration to begin with."`
}

// configFlag is how commands find the configuration.
type configFlag struct {
	Config given `short:"c" default:"concord.yaml" placeholder:"FILE" help:"The configuration [concord.yaml]."`
}

// load reads the configuration; its faults are a usage failure.
func (f configFlag) load() (*config.Config, error) {
	c, err := config.Load(string(f.Config))
	if err != nil {
		return nil, &jobs.Failure{Kind: jobs.KindUsage, Messages: strings.Split(err.Error(), "\n")}
	}
	return c, nil
}

type configCheckCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print the findings as JSON."`
}

// Help has examples.
func (configCheckCmd) Help() string {
	return `Nothing is started or changed. The profiles, keys and secrets that the configuration names are checked with it. ` +
		`Every key is in jobs/config/CONFIG.md.

Examples:
  concord config check
  concord config check -c /etc/concord/concord.yaml --json

Exit codes: 0 good, 2 faults.`
}

// Run checks a configuration and says what it means.
func (c *configCheckCmd) Run(s *session) error {
	if c.JSON {
		return c.report(s)
	}
	conf, err := c.load()
	if err != nil {
		return err
	}
	for _, n := range conf.Notes {
		fmt.Fprintf(s.Err, "note: %v\n", n)
	}
	describe(s.Out, conf)
	return nil
}

// configReport is what --json prints.
type configReport struct {
	File     string            `json:"file"`
	Good     bool              `json:"good"`
	Faults   []*yamltree.Fault `json:"faults"`
	Notes    []*yamltree.Fault `json:"notes"`
	Carriers []string          `json:"carriers"`
	Jobs     []string          `json:"jobs"`
}

func (c *configCheckCmd) report(s *session) error {
	r := configReport{File: string(c.Config), Faults: []*yamltree.Fault{}, Notes: []*yamltree.Fault{}, Carriers: []string{}, Jobs: []string{}}
	conf, err := config.Load(string(c.Config))
	if err != nil {
		s.code = exitUsage
		r.Faults = faults(err)
		return printJSON(s.Out, r)
	}
	r.Good = true
	r.Notes = append(r.Notes, conf.Notes...)
	for _, x := range conf.Carriers {
		r.Carriers = append(r.Carriers, x.Name)
	}
	for _, j := range conf.Jobs {
		r.Jobs = append(r.Jobs, j.Name)
	}
	return printJSON(s.Out, r)
}

// faults returns every fault of an error; one that is of no line stands for
// itself.
func faults(err error) (all []*yamltree.Fault) {
	var f *yamltree.Fault
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			all = append(all, faults(e)...)
		}
		return all
	}
	if errors.As(err, &f) {
		return []*yamltree.Fault{f}
	}
	return []*yamltree.Fault{{Text: err.Error()}}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// describe says in a few lines what a configuration comes to.
func describe(w io.Writer, c *config.Config) {
	fmt.Fprintf(w, "%s: good\n", c.File)
	fmt.Fprintf(w, "  data: %s\n", c.Data)
	database := "SQLite in the data folder"
	if c.Database != "" {
		database = "PostgreSQL"
	}
	fmt.Fprintf(w, "  database: %s\n", database)
	fmt.Fprintf(w, "  SFTP: %s\n", orNone(c.SFTP.Listen))
	fmt.Fprintf(w, "  HTTP: %s, %s\n", orNone(c.HTTP.Listen), count(len(c.HTTP.Tokens), "token"))
	if c.CarrierHTTP.Listen != "" {
		fmt.Fprintf(w, "  HTTP for carriers: %s\n", c.CarrierHTTP.Listen)
	}
	for _, g := range c.Graph {
		fmt.Fprintf(w, "  Microsoft Graph: %s, %s of tenant %s\n", g.Name, strings.Join(g.Lists, " and "), g.Tenant)
	}
	for _, h := range c.MicrosoftHosts {
		fmt.Fprintf(w, "  Microsoft's host: %s, %s every %s\n", h.Name, h.Dial, h.Every)
	}
	var here, there int
	for _, x := range c.Carriers {
		if x.LogsIn() || len(x.Tokens) > 0 {
			here++
		}
		if x.Host != nil {
			there++
		}
	}
	fmt.Fprintf(w, "  carriers: %d; %d with a login here, %d with a host of their own\n", len(c.Carriers), here, there)
	for _, j := range c.Jobs {
		fmt.Fprintf(w, "  job %s: %s\n", j.Name, jobInWords(j))
	}
}

func jobInWords(j *config.Job) string {
	words := string(j.Kind)
	if j.Period != "" {
		words += " " + string(j.Period)
	}
	if j.Schedule == nil {
		words += ", when asked for"
	} else {
		words += fmt.Sprintf(", %s (%s)", j.Spec, j.Zone)
	}
	if len(j.Carriers) == 0 {
		return words + ", all carriers"
	}
	return words + ", " + strings.Join(j.Carriers, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type configExampleCmd struct{}

// Run prints the example.
func (configExampleCmd) Run(s *session) error {
	_, err := s.Out.Write(config.Example)
	return err
}
