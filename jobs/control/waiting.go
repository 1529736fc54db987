package control

import (
	"context"
	"fmt"

	"concord/jobs"
	"concord/jobs/casework"
)

func (d *Desk) caseClerk() *casework.Clerk {
	return &casework.Clerk{State: d.Book, Folder: d.Folder, Keys: d.Keys, Now: d.now}
}

// catchUp has the register know what was published, and says which versions
// wait.
func (d *Desk) catchUp(ctx context.Context, carrier string) (waiting []string, err error) {
	list, err := d.takeOver(ctx, carrier)
	for i := range list {
		what := versionOf(&list[i])
		if list[i].Err != nil {
			what += " (its cases cannot be taken over)"
		}
		waiting = append(waiting, what)
	}
	return waiting, err
}

// takeOver has the register know what was published; what is damaged is told to
// whoever sees to the data.
func (d *Desk) takeOver(ctx context.Context, carrier string) ([]casework.Waiting, error) {
	list, err := d.caseClerk().CatchUp(ctx, carrier)
	for i := range list {
		if list[i].Err != nil && d.Trouble != nil {
			d.Trouble(list[i].Err)
		}
	}
	return list, err
}

func versionOf(w *casework.Waiting) string {
	return fmt.Sprintf("version %d of %s of %s", w.Version, w.Period.Text, w.Carrier)
}

// readable refuses work on cases of a period of which a version is damaged: nobody
// knows what they are by now.
func (d *Desk) readable(ctx context.Context, f jobs.CasesFilter) error {
	list, err := d.takeOver(ctx, f.Carrier)
	if err != nil {
		return err
	}
	for i := range list {
		w := &list[i]
		if w.Err == nil || f.Carrier != "" && f.Carrier != w.Carrier {
			continue
		}
		in := f
		in.Carrier, in.After, in.Limit = w.Carrier, "", 1
		if in.Period == "" {
			in.Period = w.Period.Text
		}
		meant, _, err := d.Book.ListCases(ctx, in)
		switch {
		case err != nil:
			return err
		case len(meant) > 0 && meant[0].Period.Text == w.Period.Text:
			return refuse(Unavailable, w.Err, "the cases of %s cannot be taken over, so that nobody knows what they are by now: the log says why; restore its folder from a backup if it is damaged, or leave this period out", versionOf(w))
		}
	}
	return nil
}
