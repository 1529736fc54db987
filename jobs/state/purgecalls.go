package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"concord/jobs"
)

// purgeableRaw lists what arrived of a carrier; without one, what is about several.
func (t tx) purgeableRaw(ctx context.Context, carrier string) ([]jobs.Purgeable, error) {
	list, err := t.purgeableMicrosoft(ctx, carrier)
	if err != nil || carrier == "" {
		return list, err
	}
	files, err := t.purgeableFiles(ctx, "raw_purged = 0 AND sha256 <> ''", carrier)
	if err != nil {
		return nil, err
	}
	listings, err := t.purgeableListings(ctx, carrier)
	return append(append(files, listings...), list...), err
}

// purgeableMicrosoft lists files of quality rows, or those about several carriers,
// by the days of their rows; of one without any the day of its time counts.
func (t tx) purgeableMicrosoft(ctx context.Context, carrier string) (list []jobs.Purgeable, err error) {
	files, err := t.microsoftFiles(ctx, "WHERE carrier = $1 AND raw_purged = 0 ORDER BY seq", text(carrier))
	for i := range files {
		f := &files[i]
		p := jobs.Purgeable{
			ID: jobs.PurgeMicrosoft + strconv.FormatInt(f.ID, 10), Count: 1, Bytes: f.Bytes,
			Remains: jobs.Remains{Microsoft: true, Name: f.Name, SHA256: f.SHA256, Bytes: f.Bytes, Received: f.Received},
		}
		first, last := f.First, f.Last
		if first.IsZero() {
			first, last = f.Received, f.Received
		}
		p.From, p.To = dayOf(first), dayOf(last).AddDate(0, 0, 1)
		if f.Rest != "" {
			p.Waits = "rows of it wait for their carrier"
		}
		list = append(list, p)
	}
	return list, err
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// purgeableCalls lists what is remembered of deliveries of calls, by period.
func (t tx) purgeableCalls(ctx context.Context, carrier string) (list []jobs.Purgeable, err error) {
	deliveries, err := t.callsDeliveries(ctx, "WHERE carrier = $1 AND purged = 0 ORDER BY sequence", text(carrier))
	for i := range deliveries {
		d := &deliveries[i]
		p := jobs.Purgeable{ID: fmt.Sprintf("%s%06d", jobs.PurgeCalls, d.Sequence), Count: 1, From: d.Period.From, To: d.Period.To}
		if d.Ended.IsZero() {
			p.Waits = "it is on its way to its carrier"
		}
		list = append(list, p)
	}
	return list, err
}

// markRaw marks what arrived.
func (t tx) markRaw(ctx context.Context, r *jobs.Remains) error {
	if seq, is := strings.CutPrefix(r.Object, jobs.PurgeListing); is {
		_, err := t.exec(ctx, "UPDATE number_listings SET raw_purged = $1 WHERE carrier = $2 AND seq = CAST($3 AS BIGINT)", r.Proof, text(r.Carrier), seq)
		return err
	}
	if seq, is := strings.CutPrefix(r.Object, jobs.PurgeMicrosoft); is {
		return t.markMicrosoft(ctx, r, seq)
	}
	if _, err := t.exec(ctx, "UPDATE files SET raw_purged = $1 WHERE id = $2", r.Proof, text(r.Object)); err != nil {
		return err
	}
	return t.maskFile(ctx, r.Object)
}

// markMicrosoft marks a file, of which nothing else is kept: so its name is
// masked, too. Of two whose masked names are the same one gets its number.
func (t tx) markMicrosoft(ctx context.Context, r *jobs.Remains, seq string) error {
	files, err := t.microsoftFiles(ctx, "WHERE seq = CAST($1 AS BIGINT)", seq)
	if err != nil || len(files) == 0 {
		return err
	}
	f := &files[0]
	name := jobs.Mask(f.Name)
	if name != f.Name {
		same, err := t.one(ctx, []any{new(int64)}, "SELECT seq FROM microsoft_files WHERE carrier = $1 AND name = $2 AND bytes = $3 AND received = $4",
			text(f.Carrier), text(name), f.Bytes, edge(f.Received))
		if err != nil {
			return err
		}
		if same {
			name += "~" + seq
		}
	}
	for i := range f.Reasons {
		f.Reasons[i].Reason = jobs.Mask(f.Reasons[i].Reason)
	}
	_, err = t.exec(ctx, "UPDATE microsoft_files SET raw_purged = $1, name = $2, reasons = $3, faults = $4, notes = $5 WHERE seq = $6",
		r.Proof, text(name), document{f.Reasons}, document{maskAll(f.Faults)}, document{maskAll(f.Notes)}, f.ID)
	return err
}

func maskAll(list []string) []string {
	for i := range list {
		list[i] = jobs.Mask(list[i])
	}
	return list
}

// markCalls marks a delivery. The names of what it was made of are masked: they
// are those of files as they arrived.
func (t tx) markCalls(ctx context.Context, r *jobs.Remains) error {
	sequence, err := strconv.Atoi(strings.TrimPrefix(r.Object, jobs.PurgeCalls))
	if err != nil {
		return fmt.Errorf("purge a delivery: %q is none", r.Object)
	}
	list, err := t.callsDeliveries(ctx, "WHERE carrier = $1 AND sequence = $2", text(r.Carrier), sequence)
	for _, d := range list {
		for i := range d.Inputs {
			d.Inputs[i].Name = jobs.Mask(d.Inputs[i].Name)
		}
		if _, err := t.exec(ctx, "UPDATE call_deliveries SET purged = $1, inputs = $2 WHERE carrier = $3 AND sequence = $4",
			r.Proof, document{d.Inputs}, text(r.Carrier), sequence); err != nil {
			return err
		}
	}
	return err
}

// markInstead has go, too, what is kept instead of a content from which numbers
// were erased, when nobody else has that content.
func (t tx) markInstead(ctx context.Context, r *jobs.Remains) error {
	const others = "SELECT 1 FROM files WHERE sha256 = $1 AND raw_purged = 0 UNION ALL SELECT 1 FROM number_listings WHERE sha256 = $1 AND raw_purged = 0 " +
		"UNION ALL SELECT 1 FROM microsoft_files WHERE sha256 = $1 AND raw_purged = 0 LIMIT 1"
	kept, err := t.one(ctx, []any{new(int64)}, others, r.SHA256)
	for last := r.SHA256; err == nil && !kept && last != ""; {
		instead := ""
		if _, err := t.one(ctx, []any{&instead}, "SELECT instead FROM erased_contents WHERE sha256 = $1", last); err != nil || instead == "" {
			return err
		}
		if _, err := t.exec(ctx, "UPDATE erased_contents SET instead = '' WHERE sha256 = $1", last); err != nil {
			return err
		}
		err = t.putRemains(ctx, &jobs.Remains{Proof: r.Proof, Class: r.Class, Carrier: r.Carrier, Object: r.Object, Microsoft: true, SHA256: instead})
		last = instead
	}
	return err
}

// maskOnHosts masks the name by which a file of Microsoft's is remembered to have
// been taken from a host. By size and time it is known again.
func (t tx) maskOnHosts(ctx context.Context, r *jobs.Remains) error {
	if !r.Microsoft || jobs.Mask(r.Name) == r.Name {
		return nil
	}
	type row struct{ host, name string }
	var rows []row
	if err := t.query(ctx, func(scan func(...any) error) error {
		var x row
		err := scan(&x.host, &x.name)
		rows = append(rows, x)
		return err
	}, "SELECT host, name FROM host_files WHERE bytes = $1 AND changed = $2", r.Bytes, edge(r.Received)); err != nil {
		return err
	}
	for _, x := range rows {
		masked := jobs.Mask(x.name)
		if masked == x.name {
			continue
		}
		if _, err := t.exec(ctx, "INSERT INTO host_files (host, name, bytes, changed, taken) SELECT host, CAST($1 AS TEXT), bytes, changed, taken FROM host_files "+
			"WHERE host = $2 AND name = $3 AND bytes = $4 AND changed = $5 ON CONFLICT DO NOTHING", text(masked), x.host, x.name, r.Bytes, edge(r.Received)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM host_files WHERE host = $1 AND name = $2 AND bytes = $3 AND changed = $4", x.host, x.name, r.Bytes, edge(r.Received)); err != nil {
			return err
		}
	}
	return nil
}
