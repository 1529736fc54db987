package control

import (
	"context"
	"errors"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/schedule"

	"github.com/google/uuid"
)

// Hold is a dispute hold: what is about its period survives every purge. Times
// are UTC.
type Hold struct {
	ID          string    `json:"id"`
	Carrier     string    `json:"carrier"`
	Period      Period    `json:"period"`
	Why         string    `json:"why"`
	By          string    `json:"by,omitempty"`
	Placed      time.Time `json:"placed"`
	Released    time.Time `json:"released,omitzero"` // zero: it stands
	ReleasedBy  string    `json:"released_by,omitempty"`
	ReleasedWhy string    `json:"released_why,omitempty"`
	Proof       int64     `json:"proof,omitempty"` // of what was just done
}

// NewHold asks for a hold.
type NewHold struct {
	Carrier string
	Period  string // a day, a month or FROM/TO
	Why     string
	// ID, if set, makes the request one that can be repeated: a UUID, version 7,
	// which the hold gets.
	ID string
	By By
}

// Proof is one link of the chain of proofs, as jobs.Proof describes it.
type Proof struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Act     string    `json:"act"`
	Class   string    `json:"class,omitempty"`
	Country string    `json:"country,omitempty"`
	Carrier string    `json:"carrier,omitempty"`
	Rule    string    `json:"rule,omitempty"`
	Ref     string    `json:"ref,omitempty"`
	Count   int64     `json:"count"`
	Bytes   int64     `json:"bytes"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Run     string    `json:"run,omitempty"`
	By      string    `json:"by,omitempty"`
	Items   string    `json:"items,omitempty"`
	Prev    string    `json:"prev"`
	Sum     string    `json:"sum"`
}

// ProofCheck is what came of computing the whole chain anew.
type ProofCheck struct {
	Count int64  `json:"count"`           // of proofs that are right
	Last  string `json:"last"`            // sum of the last one of them
	Fault string `json:"fault,omitempty"` // what is wrong first; empty: nothing is
}

// Purged says that a class of data of something was removed.
type Purged struct {
	Class string    `json:"class"`
	Proof int64     `json:"proof"` // number of the proof that tells of it
	At    time.Time `json:"at"`
	Rule  string    `json:"rule,omitempty"`
}

// Privacy is what a desk needs to hold, prove and foresee.
type Privacy interface {
	jobs.Proofs
	HoldList(ctx context.Context, carrier string, standing bool) ([]jobs.Hold, error)
}

// ForeseePurge implements Operations.
func (d *Desk) ForeseePurge(ctx context.Context, carriers []string) ([]jobs.PurgeLine, error) {
	if d.Foresee == nil {
		return nil, refuse(Unavailable, nil, "what a purge would do is known to the service that has the data folder")
	}
	var all []string
	for _, c := range d.Config().Carriers {
		all = append(all, c.Name)
	}
	for _, name := range carriers {
		if _, ok := d.Config().Carrier(name); !ok {
			return nil, unknown("carrier", name, all)
		}
	}
	if len(carriers) == 0 {
		carriers = all
	}
	return d.Foresee(ctx, carriers)
}

// Holds implements Operations.
func (d *Desk) Holds(ctx context.Context, carrier string, standing bool) ([]Hold, error) {
	list, err := d.Chain.HoldList(ctx, carrier, standing)
	return each(list, holdOf), err
}

func holdOf(h jobs.Hold) Hold {
	return Hold{
		ID: h.ID, Carrier: h.Carrier, Period: Period{Text: h.Period.Text, From: utc(h.Period.From), To: utc(h.Period.To)}, Why: h.Why, By: h.By,
		Placed: utc(h.Placed), Released: utc(h.Released), ReleasedBy: h.ReleasedBy, ReleasedWhy: h.ReleasedWhy,
	}
}

// Hold implements Operations. A carrier that was taken out of the configuration
// may still have data that is in dispute.
func (d *Desk) Hold(ctx context.Context, n NewHold) (Hold, error) {
	why := jobs.Mask(strings.TrimSpace(n.Why))
	if why == "" {
		return Hold{}, refuse(Invalid, nil, "why: required; say what the dispute is about, for those who wonder what is kept")
	}
	if err := config.CheckName(n.Carrier); err != nil {
		return Hold{}, refuse(Invalid, err, "carrier: %q %v", n.Carrier, err)
	}
	if err := d.knownCarrier(ctx, n.Carrier); err != nil {
		return Hold{}, err
	}
	period, err := schedule.ParsePeriod(n.Period, d.zoneOf(n.Carrier))
	if err != nil {
		return Hold{}, refuse(Invalid, err, "the period: %v", err)
	}
	id, err := n.id()
	if err != nil {
		return Hold{}, err
	}
	h := jobs.Hold{ID: id, Carrier: n.Carrier, Period: fromSchedule(period), Why: why, By: string(n.By), Placed: d.now()}
	kept, p, err := d.noted(n.By, "hold.add", h.ID, h.Carrier+" "+h.Period.Text+": "+why).PlaceHold(ctx, h, d.countryOf(n.Carrier))
	if errors.Is(err, jobs.ErrPlaced) {
		if kept.Carrier != h.Carrier || kept.Period.Text != h.Period.Text || kept.Why != h.Why || kept.By != h.By {
			return Hold{}, refuse(Conflict, err, "hold %s was placed before, with something else in it; nothing was changed", id)
		}
		err = nil
	}
	out := holdOf(kept)
	out.Proof = p.Seq
	return out, err
}

// id is that of the hold to be placed.
func (n *NewHold) id() (string, error) {
	if n.ID == "" {
		id, err := uuid.NewV7()
		return id.String(), err
	}
	id, err := uuid.Parse(n.ID)
	if err != nil || id.Version() != 7 || id.String() != n.ID {
		return "", refuse(Invalid, err, "the id of a new hold has to be a UUID of version 7")
	}
	return n.ID, nil
}

// knownCarrier refuses a carrier of which there is nothing to hold.
func (d *Desk) knownCarrier(ctx context.Context, name string) error {
	if _, ok := d.Config().Carrier(name); ok {
		return nil
	}
	files, err := d.Ledger.ListFiles(ctx, jobs.FileFilter{Carrier: name, Limit: 1})
	if err != nil || len(files) > 0 {
		return err
	}
	var names []string
	for _, c := range d.Config().Carriers {
		names = append(names, c.Name)
	}
	return unknown("carrier", name, names)
}

// zoneOf is the zone in which a carrier's periods are reported.
func (d *Desk) zoneOf(carrier string) *time.Location {
	c := d.Config()
	for _, j := range c.Jobs {
		for _, x := range c.CarriersOf(j) {
			if x.Name == carrier && j.Kind == config.Reconcile && j.Zone != nil {
				return j.Zone
			}
		}
	}
	return time.UTC
}

func (d *Desk) countryOf(carrier string) string {
	if c, ok := d.Config().Carrier(carrier); ok {
		return c.Place()
	}
	return ""
}

// Release implements Operations.
func (d *Desk) Release(ctx context.Context, id, why string, by By) (Hold, error) {
	why = jobs.Mask(strings.TrimSpace(why))
	if why == "" {
		return Hold{}, refuse(Invalid, nil, "why: required; say how the dispute ended")
	}
	all, err := d.Chain.HoldList(ctx, "", false)
	if err != nil {
		return Hold{}, err
	}
	country := ""
	for _, h := range all {
		if h.ID == id {
			country = d.countryOf(h.Carrier)
		}
	}
	h, p, err := d.noted(by, "hold.release", id, why).ReleaseHold(ctx, id, string(by), why, country, d.now())
	if errors.Is(err, jobs.ErrReleased) {
		return Hold{}, refuse(Conflict, err, "hold %s was released before", id)
	}
	if err != nil {
		return Hold{}, explain(err, "hold", id)
	}
	out := holdOf(h)
	out.Proof = p.Seq
	return out, nil
}

// Proofs implements Operations.
func (d *Desk) Proofs(ctx context.Context, f jobs.ProofFilter) ([]Proof, error) {
	list, err := d.Chain.Proofs(ctx, f)
	return each(list, proofOf), err
}

func proofOf(p jobs.Proof) Proof {
	return Proof{
		Seq: p.Seq, At: utc(p.At), Act: string(p.Act), Class: p.Class, Country: p.Country, Carrier: p.Carrier, Rule: p.Rule, Ref: p.Ref,
		Count: p.Count, Bytes: p.Bytes, From: utc(p.From), To: utc(p.To), Run: p.Run, By: p.By, Items: p.Items, Prev: p.Prev, Sum: p.Sum,
	}
}

// Link is the link of the chain that a proof shows.
func (p *Proof) Link() jobs.Proof {
	return jobs.Proof{
		Seq: p.Seq, At: p.At, Act: jobs.Act(p.Act), Class: p.Class, Country: p.Country, Carrier: p.Carrier, Rule: p.Rule, Ref: p.Ref,
		Count: p.Count, Bytes: p.Bytes, From: p.From, To: p.To, Run: p.Run, By: p.By, Items: p.Items, Prev: p.Prev, Sum: p.Sum,
	}
}

// VerifyProofs implements Operations.
func (d *Desk) VerifyProofs(ctx context.Context) (ProofCheck, error) {
	c, err := jobs.VerifyProofs(ctx, d.Chain)
	return ProofCheck{Count: c.Count, Last: c.Last, Fault: c.Fault}, err
}

// purged tells of what was removed, by class.
func (d *Desk) purged(ctx context.Context, proofs map[jobs.Class]int64) (list []Purged, err error) {
	for _, class := range []jobs.Class{jobs.ClassRaw, jobs.ClassRecords, jobs.ClassReports, jobs.ClassCases} {
		seq := proofs[class]
		if seq == 0 {
			continue
		}
		x := Purged{Class: string(class), Proof: seq}
		if d.Chain != nil {
			found, err := d.Chain.Proofs(ctx, jobs.ProofFilter{After: seq - 1, Limit: 1})
			if err != nil {
				return nil, err
			}
			for _, p := range found {
				x.At, x.Rule = utc(p.At), p.Rule
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// UnmaskedFile implements Operations. Who sees it is noted before it is shown.
func (d *Desk) UnmaskedFile(ctx context.Context, id string, by By) (FileDetail, error) {
	e, err := d.Ledger.File(ctx, id)
	if err != nil {
		return FileDetail{}, explain(err, "file", id)
	}
	x, err := d.File(ctx, id)
	if err != nil {
		return FileDetail{}, err
	}
	if err := d.note(ctx, by, "file.unmask", id, e.Carrier); err != nil {
		return FileDetail{}, err
	}
	x.Receipt = e.Receipt()
	return x, nil
}
