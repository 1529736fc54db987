package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

// errNothing ends work that changes nothing without a trace.
var errNothing = errors.New("nothing is to be done")

// WorkOnCases implements jobs.CaseBook.
func (s *Store) WorkOnCases(ctx context.Context, w jobs.CaseWork, now time.Time) (done jobs.CaseWorkDone, err error) {
	w.Filter.After, w.Filter.Limit = "", 0
	err = s.write(ctx, "work on cases", func(t tx) (err error) {
		done, err = t.work(ctx, &w, micro(now))
		return err
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	if err != nil {
		done = jobs.CaseWorkDone{}
	}
	return done, err
}

func (t tx) work(ctx context.Context, w *jobs.CaseWork, now time.Time) (done jobs.CaseWorkDone, err error) {
	request, err := requestOf(w)
	if err != nil {
		return done, err
	}
	if err := t.keepFromPurge(ctx, w); err != nil {
		return done, err
	}
	if err := t.keep(ctx, w); err != nil {
		return done, err
	}
	if done, err = t.workedBefore(ctx, w, request); err != nil || done.Repeated {
		return done, firstOf(err, errNothing)
	}
	if err := t.mayWork(ctx, w, &done); err != nil {
		return done, err
	}
	x := selects(w)
	if _, err := t.one(ctx, sumFields(&done.Applied), "SELECT "+x.sums()+" FROM "+x.from+x.text(), x.args...); err != nil {
		return done, err
	}
	switch {
	case w.Expect != nil && *w.Expect != done.Applied.Cases:
		return done, fmt.Errorf("%w: %d instead of %d", jobs.ErrExpected, done.Applied.Cases, *w.Expect)
	case w.DryRun || done.Applied.Cases == 0:
		return done, errNothing
	}
	done.ID = w.ID
	return done, t.doWork(ctx, w, &done, request, now)
}

// keep keeps others from the periods of the cases that are meant.
func (t tx) keep(ctx context.Context, w *jobs.CaseWork) error {
	if t.d.lockRow == "" || w.DryRun {
		return nil
	}
	x := cases(&w.Filter, false)
	return t.query(ctx, func(scan func(...any) error) error {
		var seq int64
		return scan(&seq)
	}, "SELECT seq FROM case_periods WHERE seq IN (SELECT g.period FROM "+x.from+x.text()+") ORDER BY seq"+t.d.lockRow, x.args...)
}

// keepFromPurge keeps purges of the carriers that are meant from deciding until
// what is disputed holds them, as PlaceHold does: one that is under way would
// remove what has just been disputed.
func (t tx) keepFromPurge(ctx context.Context, w *jobs.CaseWork) error {
	if t.d.lockCarrier == "" || w.To != jobs.CaseDisputed || w.DryRun {
		return nil
	}
	carriers := []string{""} // what is about several of them
	err := t.query(ctx, func(scan func(...any) error) error {
		var c string
		err := scan(&c)
		carriers = append(carriers, c)
		return err
	}, "SELECT DISTINCT carrier FROM case_periods WHERE carrier = $1 OR $1 = '' ORDER BY carrier", text(w.Filter.Carrier))
	for i := 0; err == nil && i < len(carriers); i++ {
		err = t.lock(ctx, carriers[i])
	}
	return err
}

// requestOf is a hash of what is asked for, by which a repetition is known. How
// long cases have been open is no part of it: it counts from when it is asked.
func requestOf(w *jobs.CaseWork) (string, error) {
	asked := *w
	asked.ID, asked.DryRun, asked.Filter.Before = "", false, time.Time{}
	b, err := json.Marshal(asked)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// workedBefore returns what came of work of the same key.
func (t tx) workedBefore(ctx context.Context, w *jobs.CaseWork, request string) (done jobs.CaseWorkDone, err error) {
	if w.Key == "" {
		return done, nil
	}
	var before string
	found, err := t.one(ctx, append([]any{&done.ID, &before, &done.Matched}, sumFields(&done.Applied)...),
		"SELECT id, request, matched, cases, microsoft_ms, carrier_ms, diff_ms FROM case_actions WHERE done_by = $1 AND key = $2", text(w.By), text(w.Key))
	if err == nil && found && before != request {
		err = jobs.ErrKey
	}
	done.Repeated = found
	return done, err
}

// mayWork counts the cases that are meant, and sees to it that the one that is
// meant is as it was seen.
func (t tx) mayWork(ctx context.Context, w *jobs.CaseWork, done *jobs.CaseWorkDone) error {
	x := cases(&w.Filter, w.Revision > 0)
	if w.Revision == 0 {
		var all jobs.CaseSums
		_, err := t.one(ctx, sumFields(&all), "SELECT "+x.sums()+" FROM "+x.from+x.text(), x.args...)
		done.Matched = all.Cases
		return err
	}
	var seen []int64
	err := t.query(ctx, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		seen = append(seen, n)
		return err
	}, "SELECT r.revision + g.revision FROM "+x.from+x.text()+" LIMIT 2", x.args...)
	done.Matched = int64(len(seen))
	switch {
	case err != nil:
		return err
	case len(seen) == 0:
		return jobs.ErrNoCase
	case len(seen) > 1:
		return jobs.ErrAmbiguous
	case seen[0] != w.Revision:
		return fmt.Errorf("%w: it is at revision %d", jobs.ErrStale, seen[0])
	}
	return nil
}

// selects selects the cases that the work changes.
func selects(w *jobs.CaseWork) *selection {
	s := cases(&w.Filter, w.Revision > 0)
	if w.To != "" {
		s.add("g.present")
		s.among("g.state", words(w.To.From()))
	}
	return s
}

// doWork changes the cases, and records it in the trail of each: of groups, which
// a filter selects as a whole, in that of the group.
func (t tx) doWork(ctx context.Context, w *jobs.CaseWork, done *jobs.CaseWorkDone, request string, now time.Time) error {
	var key *string
	if w.Key != "" {
		k := text(w.Key)
		key = &k
	}
	var action int64
	if _, err := t.one(ctx, []any{&action}, "INSERT INTO case_actions (id, done_by, done, key, request, new_owner, comment, version, matched, cases, microsoft_ms, carrier_ms, diff_ms) "+
		"VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11, $12) RETURNING seq", w.ID, text(w.By), edge(now), key, request, textOrNull(w.Owner), text(w.Comment),
		done.Matched, done.Applied.Cases, done.Applied.MicrosoftMS, done.Applied.CarrierMS, done.Applied.DifferenceMS); err != nil {
		return err
	}
	if x := selects(w); x.rows {
		return t.workOnEach(ctx, w, x, action, now)
	}
	return t.workOnGroups(ctx, w, action, now)
}

func (t tx) workOnGroups(ctx context.Context, w *jobs.CaseWork, action int64, now time.Time) error {
	x := selects(w)
	after := "g.state"
	if w.To != "" {
		after = "'" + string(w.To) + "'" // one of the four
	}
	if _, err := t.exec(ctx, fmt.Sprintf("INSERT INTO case_group_trail (of_group, action, before, after) SELECT g.seq, %d, g.state, %s FROM ", action, after)+x.from+x.text(), x.args...); err != nil {
		return err
	}
	args := []any{action, now}
	sets := "revision = revision + 1, changed = $2"
	if w.To != "" {
		args = append(args, string(w.To))
		sets += fmt.Sprintf(", state = $%d", len(args))
	}
	if w.Owner != nil {
		args = append(args, text(*w.Owner))
		sets += fmt.Sprintf(", owner = $%d", len(args))
	}
	_, err := t.exec(ctx, "UPDATE case_groups SET "+sets+" WHERE seq IN (SELECT of_group FROM case_group_trail WHERE action = $1)", args...)
	return err
}

func (t tx) workOnEach(ctx context.Context, w *jobs.CaseWork, x *selection, action int64, now time.Time) error {
	all := t.noGroups()
	if err := all.load(ctx, " WHERE g.period IN (SELECT g.period FROM "+x.from+x.text()+")", x.args...); err != nil {
		return err
	}
	var list []*registered
	err := t.query(ctx, func(scan func(...any) error) error {
		c := &registered{}
		list = append(list, c)
		return c.scan(scan, func(seq int64) *group { return all.bySeq[seq] })
	}, "SELECT "+rowColumns+" FROM "+x.from+x.text(), x.args...)
	if err != nil {
		return err
	}
	for _, c := range list {
		next := c.Case
		next.Revision++
		next.Changed = now
		if w.To != "" {
			next.State = w.To
		}
		if w.Owner != nil {
			next.Owner = *w.Owner
		}
		all.tell(c, action, next.State)
		if err := all.move(ctx, c, &next); err != nil {
			return err
		}
	}
	if err := all.write(ctx); err != nil {
		return err
	}
	return all.save(ctx)
}

func textOrNull(s *string) *string {
	if s == nil {
		return nil
	}
	t := text(*s)
	return &t
}
