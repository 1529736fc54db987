package control

import (
	"context"
	"errors"
	"time"

	"concord/formats/trace"
	"concord/jobs"
)

// Subjects is what a desk needs of subject.Desk.
type Subjects interface {
	Find(ctx context.Context, n *trace.Number) (*jobs.SubjectFound, error)
	Ask(ctx context.Context, n *trace.Number, by string) (jobs.Erasure, error)
	Pseudonym(n *trace.Number) string
}

// ErasureList is what a desk needs of jobs.Erasures.
type ErasureList interface {
	Erasures(ctx context.Context, limit int) ([]jobs.Erasure, error)
	Erasure(ctx context.Context, id string) (jobs.Erasure, error)
}

// Erasure is a request to erase a number, without the number.
type Erasure struct {
	ID        string             `json:"id"`
	Pseudonym string             `json:"pseudonym"`
	State     string             `json:"state"` // asked, working, scrub or ended
	By        string             `json:"asked_by,omitempty"`
	Asked     time.Time          `json:"asked"`
	Ended     *time.Time         `json:"ended,omitempty"`
	Stores    []jobs.ErasedCount `json:"stores"`
	Left      []string           `json:"left"` // for a person to do
	Proof     string             `json:"proof,omitempty"`
}

func erasureOf(e jobs.Erasure) Erasure {
	x := Erasure{ID: e.ID, Pseudonym: e.Pseudonym, State: string(e.State), By: e.By, Asked: e.Asked, Stores: e.Counts, Left: []string{}, Proof: e.Proof}
	if !e.Ended.IsZero() {
		x.Ended = &e.Ended
	}
	if x.Stores == nil {
		x.Stores = []jobs.ErasedCount{}
	}
	for _, l := range e.Left {
		x.Left = append(x.Left, jobs.Mask(l))
	}
	return x
}

// subjectOf takes a number. A refusal does not show it.
func (d *Desk) subjectOf(number string) (*trace.Number, error) {
	if d.Subjects == nil {
		return nil, refuse(Unavailable, nil, "numbers are found and erased by the running service only")
	}
	n, err := trace.Parse(number)
	if err != nil {
		return nil, refuse(Invalid, err, "%v", err)
	}
	return n, nil
}

// FindSubject implements Operations.
func (d *Desk) FindSubject(ctx context.Context, number string, by By) (jobs.SubjectFound, error) {
	n, err := d.subjectOf(number)
	if err != nil {
		return jobs.SubjectFound{}, err
	}
	if err := d.note(ctx, by, "subject.find", d.Subjects.Pseudonym(n), ""); err != nil {
		return jobs.SubjectFound{}, err
	}
	found, err := d.Subjects.Find(ctx, n)
	if err != nil {
		return jobs.SubjectFound{}, err
	}
	return *found, nil
}

// EraseSubject implements Operations.
func (d *Desk) EraseSubject(ctx context.Context, number string, by By) (Erasure, error) {
	n, err := d.subjectOf(number)
	if err != nil {
		return Erasure{}, err
	}
	if d.Subjects.Pseudonym(n) == "" {
		return Erasure{}, refuse(Conflict, jobs.ErrNoKey, "%v", jobs.ErrNoKey)
	}
	e, err := d.Subjects.Ask(ctx, n, string(by))
	if errors.Is(err, jobs.ErrNoKey) {
		return Erasure{}, refuse(Conflict, err, "%v", err)
	}
	if err == nil {
		err = d.note(ctx, by, "subject.erase", e.Pseudonym, e.ID)
	}
	if err != nil {
		return Erasure{}, err
	}
	if d.WakeErase != nil {
		d.WakeErase()
	}
	return erasureOf(e), nil
}

// Erasures implements Operations.
func (d *Desk) Erasures(ctx context.Context, limit int) ([]Erasure, error) {
	list, err := d.Requests.Erasures(ctx, limit)
	out := []Erasure{}
	for _, e := range list {
		out = append(out, erasureOf(e))
	}
	return out, err
}

// Erasure implements Operations.
func (d *Desk) Erasure(ctx context.Context, id string) (Erasure, error) {
	e, err := d.Requests.Erasure(ctx, id)
	if err != nil {
		return Erasure{}, explain(err, "erasure", id)
	}
	return erasureOf(e), nil
}
