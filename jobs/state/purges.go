package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"concord/jobs"
)

// PurgeGuard implements jobs.Purges.
func (s *Store) PurgeGuard(ctx context.Context, carrier string, b jobs.PurgeBounds, now time.Time) (g jobs.PurgeGuard, err error) {
	err = s.read(ctx, "see what is to be kept", func(t tx) (err error) {
		g, err = t.guard(ctx, carrier, b, now)
		return err
	})
	return g, err
}

func (t tx) guard(ctx context.Context, carrier string, b jobs.PurgeBounds, now time.Time) (g jobs.PurgeGuard, err error) {
	// What is about several carriers is kept for each of them.
	const whose = "WHERE (carrier = $1 OR $1 = '') "
	if g.Holds, err = t.holdList(ctx, whose+"AND released IS NULL ORDER BY placed, id", text(carrier)); err != nil {
		return g, err
	}
	disputed, err := t.disputed(ctx, carrier)
	if err != nil {
		return g, err
	}
	g.Holds = append(g.Holds, disputed...)
	for query, list := range map[string]*[]jobs.Period{
		"SELECT period_from, period_to FROM runs " + whose + "AND state IN ('queued', 'running') AND period_to >= $2": &g.Busy,
		"SELECT period_from, period_to FROM call_deliveries " + whose + "AND ended IS NULL AND period_to >= $2":       &g.Begun,
		// A call that lasts is looked at once more after the late window.
		"SELECT period_from, period_to FROM reports " + whose + "AND period_to > $2 AND superseded_by = '' AND pending > 0 AND purged = 0": &g.Pending,
	} {
		since := edge(time.Time{}) // runs of no period have year 1
		if list == &g.Pending {
			since = edge(now.Add(-b.LateWindow - 24*time.Hour))
		}
		if err := t.query(ctx, func(scan func(...any) error) error {
			var p jobs.Period
			err := scan(moment{&p.From}, moment{&p.To})
			*list = append(*list, p)
			return err
		}, query, text(carrier), since); err != nil {
			return g, err
		}
	}
	return g, nil
}

// Purge implements jobs.Purges.
func (s *Store) Purge(ctx context.Context, o jobs.PurgeOrder, now time.Time) (p jobs.Proof, left []jobs.Remains, err error) {
	err = s.write(ctx, "purge "+string(o.Class), func(t tx) (err error) {
		p, left, err = t.purge(ctx, o, now)
		return err
	})
	if err != nil {
		return jobs.Proof{}, nil, err
	}
	return p, left, nil
}

func (t tx) purge(ctx context.Context, o jobs.PurgeOrder, now time.Time) (p jobs.Proof, left []jobs.Remains, err error) {
	if err := t.holdsLease(ctx, o.Lease); err != nil {
		return p, nil, err
	}
	if err := t.lock(ctx, o.Carrier); err != nil {
		return p, nil, err
	}
	things, err := t.due(ctx, o, now)
	if err != nil || len(things) == 0 {
		return p, nil, err
	}
	if p, err = t.testify(ctx, proofOf(o, things, now)); err != nil {
		return p, nil, err
	}
	for i := range things {
		r := &things[i].Remains
		r.Proof, r.Class, r.Carrier, r.Object = p.Seq, o.Class, o.Carrier, things[i].ID
		if err := t.mark(ctx, r); err != nil {
			return p, nil, err
		}
		if onDisk(o.Class) {
			if err := t.putRemains(ctx, r); err != nil {
				return p, nil, err
			}
		}
	}
	if left, err = t.remains(ctx, "WHERE proof = $1 ORDER BY seq", p.Seq); err != nil {
		return p, nil, err
	}
	// What the rows had may still be in the file of the database.
	return p, left, t.putRemains(ctx, &jobs.Remains{Proof: p.Seq, Class: classDatabase, Carrier: o.Carrier})
}

// classDatabase is of what remains in the database itself.
const classDatabase jobs.Class = "database"

// onDisk reports whether something of a class lies outside of the database.
func onDisk(c jobs.Class) bool { return c != jobs.ClassCases && c != jobs.ClassLogs }

// due returns those of the things that are still there and that nothing keeps,
// as they are by now.
func (t tx) due(ctx context.Context, o jobs.PurgeOrder, now time.Time) (things []jobs.Purgeable, err error) {
	g, err := t.guard(ctx, o.Carrier, o.Bounds, now)
	if err != nil {
		return nil, err
	}
	there, err := t.purgeable(ctx, o.Class, o.Carrier)
	if err != nil {
		return nil, err
	}
	if o.Class == jobs.ClassDeliveries { // of what lies in outboxes only the disk knows
		there = append(there, inOutbox(o.Things)...)
	}
	asked := make(map[string]*jobs.Purgeable, len(o.Things))
	for i := range o.Things {
		asked[o.Things[i].ID] = &o.Things[i]
	}
	for _, x := range there {
		a := asked[x.ID]
		if a == nil || !a.To.Equal(x.To) {
			continue
		}
		x.Bytes = a.Bytes
		if hold, why := g.Keeps(o.Class, &x, o.Bounds); hold == nil && why == "" {
			things = append(things, x)
		}
	}
	return things, nil
}

// inOutbox are the things that have a name there.
func inOutbox(list []jobs.Purgeable) []jobs.Purgeable {
	return slices.DeleteFunc(slices.Clone(list), func(p jobs.Purgeable) bool { return p.Remains.Name == "" })
}

// proofOf tells of what is purged.
func proofOf(o jobs.PurgeOrder, things []jobs.Purgeable, now time.Time) jobs.Proof {
	p := jobs.Proof{
		At: now, Act: jobs.ActPurge, Class: string(o.Class), Country: o.Country, Carrier: o.Carrier, Rule: o.Rule, Run: o.Lease.Run, By: jobs.Mask(o.By),
		From: things[0].From, To: things[0].To,
	}
	var lines []string
	for i := range things {
		x := &things[i]
		p.Count += max(x.Count, 1)
		p.Bytes += x.Bytes
		if x.From.Before(p.From) {
			p.From = x.From
		}
		if x.To.After(p.To) {
			p.To = x.To
		}
		line := x.ID
		if o.Class == jobs.ClassRaw {
			line = x.Remains.SHA256
		}
		lines = append(lines, line+"\n")
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		_, _ = h.Write([]byte(l))
	}
	p.Items = hex.EncodeToString(h.Sum(nil))
	return p
}

// mark notes with a thing that it is purged, or removes what is a row only.
func (t tx) mark(ctx context.Context, r *jobs.Remains) (err error) {
	id, proof := text(r.Object), r.Proof
	switch r.Class {
	case jobs.ClassRaw:
		return errors.Join(t.markRaw(ctx, r), t.maskOnHosts(ctx, r), t.markInstead(ctx, r))
	case jobs.ClassDeliveries:
		if r.Name == "" {
			err = t.markCalls(ctx, r)
		}
	case jobs.ClassRecords:
		if _, err = t.exec(ctx, "UPDATE files SET records_purged = $1 WHERE id = $2", proof, id); err == nil {
			err = t.maskFile(ctx, id)
		}
	case jobs.ClassReports:
		if _, err = t.exec(ctx, "UPDATE reports SET purged = $1 WHERE id = $2", proof, id); err == nil {
			_, err = t.exec(ctx, "DELETE FROM report_deliveries WHERE report = $1", id)
		}
	case jobs.ClassCases:
		if _, err = t.exec(ctx, "UPDATE reports SET cases_purged = $1 WHERE id = $2", proof, id); err == nil {
			_, err = t.exec(ctx, "DELETE FROM cases WHERE report = (SELECT seq FROM reports WHERE id = $1)", id)
		}
		if err == nil {
			err = t.forgetCases(ctx, id)
		}
	case jobs.ClassLogs:
		err = t.removeLog(ctx, r)
	}
	return err
}

func (t tx) putRemains(ctx context.Context, r *jobs.Remains) error {
	_, err := t.one(ctx, []any{&r.Seq}, "INSERT INTO purge_remains (proof, class, carrier, object, microsoft, name, sha256, bytes, sealed_sha256, sealed_bytes, received) VALUES "+
		tuples(1, 11)+" RETURNING seq", r.Proof, string(r.Class), text(r.Carrier), text(r.Object), r.Microsoft, []byte(r.Name), r.SHA256, r.Bytes, r.Sealed.SHA256, r.Sealed.Bytes, r.Received)
	return err
}

// Remaining implements jobs.Purges.
func (s *Store) Remaining(ctx context.Context, carrier string) (list []jobs.Remains, err error) {
	err = s.read(ctx, "list what is purged and may be there", func(t tx) error {
		list, err = t.remains(ctx, "WHERE carrier = $1 AND class <> $2 ORDER BY seq", text(carrier), string(classDatabase))
		return err
	})
	return list, err
}

func (t tx) remains(ctx context.Context, rest string, args ...any) (list []jobs.Remains, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var r jobs.Remains
		var name []byte
		err := scan(&r.Seq, &r.Proof, &r.Class, &r.Carrier, &r.Object, &r.Microsoft, &name, &r.SHA256, &r.Bytes, &r.Sealed.SHA256, &r.Sealed.Bytes, moment{&r.Received})
		r.Name = string(name)
		list = append(list, r)
		return err
	}, "SELECT seq, proof, class, carrier, object, microsoft, name, sha256, bytes, sealed_sha256, sealed_bytes, received FROM purge_remains "+rest, args...)
	return list, err
}

// EndRemains implements jobs.Purges.
func (s *Store) EndRemains(ctx context.Context, seq int64) error {
	return s.write(ctx, "note that something is gone", func(t tx) error {
		_, err := t.exec(ctx, "DELETE FROM purge_remains WHERE seq = $1", seq)
		return err
	})
}

// ScrubPurged implements jobs.Purges.
func (s *Store) ScrubPurged(ctx context.Context, l jobs.Lease) error {
	var last int64
	err := s.read(ctx, "see whether rows were purged", func(t tx) error {
		if _, err := t.one(ctx, []any{&last}, "SELECT coalesce(max(seq), 0) FROM purge_remains WHERE class = $1", string(classDatabase)); err != nil {
			return err
		}
		others, err := t.one(ctx, []any{new(int64)}, "SELECT 1 FROM runs WHERE state = 'queued' AND id <> $1 "+
			"AND kind = (SELECT kind FROM runs WHERE id = $1) AND not_before IS NULL LIMIT 1", text(l.Run))
		if others {
			last = 0
		}
		return err
	})
	if err != nil || last == 0 {
		return err
	}
	if err := s.Scrub(ctx); err != nil {
		return err
	}
	return s.write(ctx, "note that the database is clean", func(t tx) error {
		_, err := t.exec(ctx, "DELETE FROM purge_remains WHERE class = $1 AND seq <= $2", string(classDatabase), last)
		return err
	})
}

// removeLog removes a run, an alert or a key of rows.
func (t tx) removeLog(ctx context.Context, r *jobs.Remains) error {
	kind, id := r.Object[:1], r.Object[2:]
	where, ok := map[string]string{logRun: "runs WHERE id = $1", logAlert: "alerts WHERE id = $1", logKey: "row_batches WHERE key = $1 AND carrier = $2"}[kind]
	if !ok {
		return fmt.Errorf("purge a log: %q is neither a run, an alert nor a key", kind)
	}
	args := []any{text(id)}
	if kind == logKey {
		args = append(args, text(r.Carrier))
	}
	_, err := t.exec(ctx, "DELETE FROM "+where, args...)
	return err
}
