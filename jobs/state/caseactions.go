package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	if done, err = t.workedBefore(ctx, w, request); err != nil || done.Repeated {
		return done, firstOf(err, errNothing)
	}
	if err := t.mayWork(ctx, w, &done); err != nil {
		return done, err
	}
	var c where
	selects(w, &c)
	if _, err := t.one(ctx, sumFields(&done.Applied), "SELECT "+caseSums+" FROM case_register c"+c.text(), c.args...); err != nil {
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
	var c where
	casesWhere(&c, &w.Filter)
	if w.Revision == 0 {
		_, err := t.one(ctx, []any{&done.Matched}, "SELECT count(*) FROM case_register c"+c.text(), c.args...)
		return err
	}
	var seen []int64
	err := t.query(ctx, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		seen = append(seen, n)
		return err
	}, "SELECT c.revision FROM case_register c"+c.text()+" LIMIT 2"+t.d.lockRow, c.args...)
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

// selects adds the condition for the cases that the work changes.
func selects(w *jobs.CaseWork, c *where) {
	casesWhere(c, &w.Filter)
	if w.To != "" {
		c.add("c.present")
		c.among("c.state", words(w.To.From()))
		if !slices.Contains(w.To.From(), jobs.CaseOpen) {
			c.add("c.state <> 'open'")
		}
	}
}

// doWork changes the cases, and records it in the trail of each. The rows are
// marked first, so that the trail is of exactly those that were changed.
func (t tx) doWork(ctx context.Context, w *jobs.CaseWork, done *jobs.CaseWorkDone, request string, now time.Time) error {
	var key *string
	if w.Key != "" {
		k := text(w.Key)
		key = &k
	}
	var seq int64
	if _, err := t.one(ctx, []any{&seq}, "INSERT INTO case_actions (id, done_by, done, key, request, new_owner, comment, version, matched, cases, microsoft_ms, carrier_ms, diff_ms) "+
		"VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11, $12) RETURNING seq", w.ID, text(w.By), edge(now), key, request, textOrNull(w.Owner), text(w.Comment),
		done.Matched, done.Applied.Cases, done.Applied.MicrosoftMS, done.Applied.CarrierMS, done.Applied.DifferenceMS); err != nil {
		return err
	}
	c := where{args: []any{seq, now}}
	sets := "action = $1, changed = $2, revision = revision + 1, was = state"
	if w.To != "" {
		c.args = append(c.args, string(w.To))
		sets += fmt.Sprintf(", state = $%d", len(c.args))
	}
	if w.Owner != nil {
		c.args = append(c.args, text(*w.Owner))
		sets += fmt.Sprintf(", owner = $%d", len(c.args))
	}
	selects(w, &c)
	n, err := t.exec(ctx, "UPDATE case_register AS c SET "+sets+c.text(), c.args...)
	if err != nil {
		return err
	}
	if n != done.Applied.Cases { // somebody else was quicker with some of them
		return fmt.Errorf("%w: %d instead of %d", jobs.ErrExpected, n, done.Applied.Cases)
	}
	_, err = t.exec(ctx, "INSERT INTO case_trail (period, case_id, action, before, after) SELECT period, case_id, action, was, state FROM case_register WHERE action = $1 AND action > 0", seq)
	return err
}

func textOrNull(s *string) *string {
	if s == nil {
		return nil
	}
	t := text(*s)
	return &t
}
