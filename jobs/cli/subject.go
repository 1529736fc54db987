package cli

import (
	"bufio"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/control"
	"concord/jobs/service"
)

type subjectCmd struct {
	Find  subjectFindCmd  `cmd:"" help:"Find what is kept about a phone number."`
	Erase subjectEraseCmd `cmd:"" help:"Erase a phone number from everything that is kept."`
	Show  subjectShowCmd  `cmd:"" help:"Show one erasure: how far it is, what it came to, what is left to do."`
	List  subjectListCmd  `cmd:"" help:"List what was asked to be erased, and how far that is."`
}

// numberArg is a number that a person asks about.
type numberArg struct {
	Number given `arg:"" help:"The number in E.164, such as +4930123456; - reads it from the input, so that no list of processes and no history of a shell has it."`
}

// read returns the number.
func (a numberArg) read(s *session) (string, error) {
	if a.Number != "-" {
		return string(a.Number), nil
	}
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return "", usageFailure("-: there is no number on the input: %v", err)
	}
	return line, nil
}

type subjectFindCmd struct {
	targetFlags
	numberArg
}

// Help has examples.
func (subjectFindCmd) Help() string {
	return "Looks into every store: received files, records, reports, homes of carriers, numbers, the database, Microsoft's folders. It changes nothing, and takes as long as reading all of it.\n" +
		"Exit code 0: done, whether something was found or not.\n\nExamples:\n  concord subject find +4930123456\n  echo +4930123456 | concord subject find - --json"
}

// Run finds a number.
func (c *subjectFindCmd) Run(s *session) error {
	number, err := c.read(s)
	if err != nil {
		return err
	}
	return c.with(s, func(t *target) error {
		var found jobs.SubjectFound
		err := s.alone(t, func(o control.Operations) (err error) {
			found, err = o.FindSubject(s.ctx, number, t.by)
			return err
		})
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, found)
		}
		return s.showFound(number, &found)
	})
}

// alone does something with the service, or, when none runs, with its data
// folder for itself.
func (s *session) alone(t *target, do func(control.Operations) error) error {
	if !t.alone {
		return do(t)
	}
	w, err := jobs.Self(workerCommand)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return service.Alone(s.ctx, t.cfg, service.Options{Worker: w, Log: log, Now: time.Now, Program: programVersion()}, func(d *control.Desk) error { return do(d) })
}

func (s *session) showFound(number string, f *jobs.SubjectFound) error {
	fmt.Fprintf(s.Out, "%s is in %s\n", lastFour(number), plural(len(f.Items), "place", "places"))
	g := &grid{right: []bool{3: true}}
	g.add("Where", "Carrier", "What", "Times", "Days", "Id", "Reports")
	for _, i := range f.Items {
		g.add(i.Store, i.Carrier, shown(i.Name), fmt.Sprint(i.Rows), strings.Join(i.Days, " "), i.ID, strings.Join(i.Reports, " "))
	}
	if len(f.Items) > 0 {
		g.write(s.Out, "")
	}
	for _, u := range f.Unread {
		fmt.Fprintf(s.Out, "not looked into: %s\n", shown(u))
	}
	_, err := fmt.Fprintln(s.Out, "Numbers whose last digits are hidden are anybody's, and are not looked for.")
	return err
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// lastFour shows the end of a number.
func lastFour(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	return "…" + digits[max(0, len(digits)-4):]
}

type subjectEraseCmd struct {
	targetFlags
	numberArg
	Yes  bool `help:"Do it. Without this, only what would be erased is shown."`
	Wait bool `help:"Wait until it is done."`
}

// Help has examples.
func (subjectEraseCmd) Help() string {
	return "Takes the number out of everything that is kept: received files that hold it are removed, in records and reports a number that is nobody's stands in its place, and totals stay what they are. " +
		"It cannot be undone. No run begins until it is done. privacy.key_file or privacy.key_env must be set.\n" +
		"Only the last lines say what is left for a person to do: backups, files of Microsoft's, carriers that were told the number.\n\nExamples:\n" +
		"  concord subject erase +4930123456           shows what would be erased\n  concord subject erase +4930123456 --yes --wait"
}

// Run erases a number.
func (c *subjectEraseCmd) Run(s *session) error {
	number, err := c.read(s)
	if err != nil {
		return err
	}
	return c.with(s, func(t *target) error {
		if !c.Yes {
			return s.wouldErase(t, number, c.JSON)
		}
		var e control.Erasure
		err := s.alone(t, func(o control.Operations) (err error) {
			e, err = o.EraseSubject(s.ctx, number, t.by)
			return err
		})
		if err == nil && (c.Wait || t.alone) {
			e, err = t.awaitErasure(s, e.ID)
		}
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, e)
		}
		s.showErasure(&e)
		return nil
	})
}

func (s *session) wouldErase(t *target, number string, asJSON bool) error {
	var found jobs.SubjectFound
	err := s.alone(t, func(o control.Operations) (err error) {
		found, err = o.FindSubject(s.ctx, number, t.by)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(s.Out, found)
	}
	if err := s.showFound(number, &found); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, "Nothing was erased: say --yes.")
	return err
}

// awaitErasure waits until an erasure has ended.
func (t *target) awaitErasure(s *session, id string) (control.Erasure, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		e, err := t.Erasure(s.ctx, id)
		if err != nil || e.Ended != nil {
			return e, err
		}
		select {
		case <-s.ctx.Done():
			return e, s.ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *session) showErasure(e *control.Erasure) {
	g := &grid{}
	g.add("erasure", e.ID)
	g.add("state", e.State)
	g.add("asked", clock(e.Asked))
	if e.Ended != nil {
		g.add("ended", clock(*e.Ended))
		g.add("proof", e.Proof)
	}
	for _, c := range e.Stores {
		g.add(c.Store, fmt.Sprintf("%d, the number %d times", c.Items, c.Rows))
	}
	g.write(s.Out, "")
	for _, l := range e.Left {
		fmt.Fprintf(s.Out, "to do: %s\n", shown(l))
	}
	if e.Ended != nil {
		fmt.Fprintln(s.Out, "to do: remove backups from before, and logs and archives of the database, when their time is over; tell those to whom the number was delivered")
	}
}

type subjectShowCmd struct {
	targetFlags
	ErasureID string `arg:"" name:"erasure" help:"The id of an erasure."`
}

// Run shows an erasure.
func (c *subjectShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		e, err := t.Erasure(s.ctx, c.ErasureID)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, e)
		}
		s.showErasure(&e)
		return nil
	})
}

type subjectListCmd struct {
	targetFlags
	Limit uint `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Run lists erasures.
func (c *subjectListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Erasures(s.ctx, int(c.Limit))
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := &grid{}
		g.add("Asked (UTC)", "State", "By", "Ended (UTC)", "Proof", "Left", "Id")
		for _, e := range list {
			ended := ""
			if e.Ended != nil {
				ended = clock(*e.Ended)
			}
			g.add(clock(e.Asked), e.State, e.By, ended, e.Proof, fmt.Sprint(len(e.Left)), e.ID)
		}
		return s.printGrid(g, "nothing was asked to be erased")
	})
}
