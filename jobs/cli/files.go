package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

type filesCmd struct {
	List filesListCmd `cmd:"" default:"withargs" help:"List files, the newest first."`
	Show filesShowCmd `cmd:"" help:"Show one file, the runs that read it and the reports made of it."`
}

type filesListCmd struct {
	targetFlags
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	Side    string `enum:",carrier,microsoft" default:"" placeholder:"SIDE" help:"Only those that the carrier sent, or Microsoft."`
	Status  string `placeholder:"STATUS" help:"Only those that are accepted, \"accepted with rejected rows\", duplicate or rejected."`
	Name    string `placeholder:"TEXT" help:"Only those with this in their name."`
	Before  string `placeholder:"ID" help:"Only those that were recorded before this one, to page on."`
	Limit   uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Help has examples.
func (filesListCmd) Help() string {
	return "Lists what arrived and what became of it, the newest first.\n\nExamples:\n  concord files --carrier fabrikam\n  concord files --status rejected --json\n  concord files show 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e"
}

// Run lists files.
func (c *filesListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Files(s.ctx, jobs.FileFilter{
			Carrier: c.Carrier, Side: c.Side, Status: landing.Status(c.Status), Name: c.Name, Before: c.Before, Limit: int(c.Limit),
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{right: []bool{4: true, 5: true, 6: true}}
		g.add("Received (UTC)", "Carrier", "Of", "File", "Rows", "Rejected", "Seconds", "Status", "Id", "Why")
		for i := range list {
			g.file(&list[i])
		}
		return s.printGrid(g, "no files")
	})
}

func (g *grid) file(f *control.File) {
	why := ""
	if len(f.Reasons) > 0 {
		why = f.Reasons[0].Reason
	}
	g.add(clock(f.Received), f.Carrier, f.Side, shown(f.File), fmt.Sprint(f.Rows), fmt.Sprint(f.Rejected), f.Seconds.String(), string(f.Status), f.ID, why)
}

type filesShowCmd struct {
	targetFlags
	FileID string `arg:"" name:"file" help:"The id of a file."`
	Unmask bool   `help:"Show names as they arrived, which may hold phone numbers. Who asks is in the audit trail."`
}

// Run shows a file.
func (c *filesShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		f, err := c.look(s, t)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, f)
		}
		s.showFile(&f)
		return nil
	})
}

func (c *filesShowCmd) look(s *session, t *target) (control.FileDetail, error) {
	if c.Unmask {
		return t.UnmaskedFile(s.ctx, c.FileID, t.by)
	}
	return t.File(s.ctx, c.FileID)
}

func (s *session) showFile(f *control.FileDetail) {
	g := &grid{}
	g.add("file", shown(f.File.File))
	g.add("id", f.ID)
	g.add("carrier", f.Carrier+", sent by "+f.Side)
	g.add("received", clock(f.Received))
	g.add("status", string(f.Status))
	g.add("sha256", f.SHA256)
	g.add("bytes", grouped(f.Bytes))
	g.add("rows", fmt.Sprintf("%s: %s accepted, %s rejected, %s left out", grouped(f.Rows), grouped(f.Accepted), grouped(f.Rejected), grouped(f.Filtered)))
	g.add("seconds", f.Seconds.String())
	if f.Replaces != "" {
		g.add("corrects", shown(f.Replaces))
	}
	if f.DuplicateOf != "" {
		g.add("repeats", shown(f.DuplicateOf))
	}
	for _, p := range f.Purged {
		g.add("purged", purgedInWords(p))
	}
	g.write(s.Out, "")
	for _, r := range f.Reasons {
		fmt.Fprintf(s.Out, "  %s\n", reasonInWords(r))
	}
	s.showRuns("Runs that read it", f.Runs)
	s.showReports("Reports made of it", f.Reports)
}

func reasonInWords(r landing.Reason) string {
	words := r.Reason
	if r.Field != "" {
		words = r.Field + ": " + words
	}
	switch {
	case r.Line > 0:
		return fmt.Sprintf("line %d: %s", r.Line, words)
	case r.Row > 0:
		return fmt.Sprintf("row %d: %s", r.Row, words)
	}
	return words
}

// database is where the state is.
func database(c *config.Config) string {
	if url := c.Database.Reveal(); url != "" {
		return url
	}
	return c.Data
}

// shown is a name as a terminal may have it: what a carrier calls a file can
// hold anything.
func shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToASCII(name)
	}
	return name
}
