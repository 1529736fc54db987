package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/state"
)

type filesCmd struct {
	configFlag
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	Status  string `placeholder:"STATUS" help:"Only those that are accepted, \"accepted with rejected rows\", duplicate or rejected."`
	Name    string `placeholder:"TEXT" help:"Only those with this in their name."`
	Before  string `placeholder:"ID" help:"Only those that were recorded before this one, to page on."`
	Limit   int    `default:"50" help:"How many to list, the newest first; 0 lists all."`
	JSON    bool   `help:"Print JSON, one object a line."`
}

// Help is shown below the flags.
func (filesCmd) Help() string {
	return "Lists what carriers sent and what became of it, the newest first.\n\nExamples:\n\n  concord files --carrier fabrikam\n  concord files --status rejected --json"
}

// Run lists files out of the state database.
func (c *filesCmd) Run(s *session) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	store, err := state.Open(s.ctx, database(cfg))
	if err != nil {
		return err
	}
	list, err := store.ListFiles(s.ctx, jobs.FileFilter{
		Carrier: c.Carrier, Status: landing.Status(c.Status), Name: c.Name, Before: c.Before, Limit: c.Limit,
	})
	if cerr := store.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return c.printJSON(s, list)
	}
	return c.printTable(s, list)
}

// database is where the state is.
func database(c *config.Config) string {
	if url := c.Database.Reveal(); url != "" {
		return url
	}
	return c.Data
}

// listedFile is what is printed of an entry.
type listedFile struct {
	ID      string `json:"id"`
	Carrier string `json:"carrier"`
	landing.Receipt
}

func (c *filesCmd) printJSON(s *session, list []jobs.Entry) error {
	enc := json.NewEncoder(s.Out)
	for i := range list {
		if err := enc.Encode(listedFile{list[i].ID, list[i].Carrier, list[i].Receipt()}); err != nil {
			return err
		}
	}
	return nil
}

func (c *filesCmd) printTable(s *session, list []jobs.Entry) error {
	if len(list) == 0 {
		fmt.Fprintln(s.Out, "no files")
		return nil
	}
	g := grid{right: []bool{3: true, 4: true, 5: true}}
	g.add("Received (UTC)", "Carrier", "File", "Rows", "Rejected", "Seconds", "Status", "Why")
	for _, e := range list {
		why := ""
		if len(e.Reasons) > 0 {
			why = e.Reasons[0].Reason
		}
		g.add(e.Received.UTC().Format(time.DateTime), e.Carrier, shown(e.Name), fmt.Sprint(e.Rows), fmt.Sprint(e.Rejected),
			e.Receipt().Seconds.String(), string(e.Status), why)
	}
	g.write(s.Out, "")
	return nil
}

// shown is a name as a terminal may have it: what a carrier calls a file can
// hold anything.
func shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToASCII(name)
	}
	return name
}
