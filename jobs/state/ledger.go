package state

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"concord/jobs"
)

// entryColumns are those of an entry, in the order of entryValues and
// scanEntry.
const entryColumns = "id, carrier, name, raw_name, sha256, bytes, format, proof, verified, sequence, date, status, " +
	"rows, accepted, rejected, filtered, duration_ms, bad_rows, reasons, more_reasons, missing, replaces, replaces_id, " +
	"duplicate_of, duplicate_of_id, notes, received, decided, run, settled, microsoft, profile, sealed_sha256, sealed_bytes"

const selectEntry = "SELECT seq, (SELECT erasure FROM erased_contents WHERE erased_contents.sha256 = files.sha256), " + entryColumns + ", raw_purged, records_purged FROM files "

var insertEntry = "INSERT INTO files (" + entryColumns + ", ingested, followed) VALUES " + tuples(1, 36) + " RETURNING seq"

// Record implements jobs.Ledger. Beginning it again after an error that left
// open whether it was done is safe: what was done is found.
func (s *Store) Record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry) (e jobs.Entry, err error) {
	a.Received = micro(a.Received)
	err = s.write(ctx, "record a file", func(t tx) (err error) {
		e, err = t.record(ctx, a, decide)
		return err
	})
	if err != nil {
		return jobs.Entry{}, err
	}
	return e, nil
}

func (t tx) record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry) (jobs.Entry, error) {
	if t.d.lockCarrier != "" {
		if err := t.query(ctx, func(func(...any) error) error { return nil }, t.d.lockCarrier, a.Carrier); err != nil {
			return jobs.Entry{}, err
		}
	}
	if before, err := t.arrived(ctx, a); err != nil || before != nil {
		return deref(before), err
	}
	k, err := t.known(ctx, a)
	if err != nil {
		return jobs.Entry{}, err
	}
	e := decide(k)
	e.Received, e.Decided, e.Settled = micro(e.Received), micro(e.Decided), e.Microsoft
	var seq int64
	if _, err := t.one(ctx, []any{&seq}, insertEntry, append(entryValues(&e), e.Ingested(), !e.Ingested())...); err != nil {
		return e, err
	}
	return e, t.putDays(ctx, seq, &e)
}

func deref(e *jobs.Entry) jobs.Entry {
	if e == nil {
		return jobs.Entry{}
	}
	return *e
}

// arrived returns the entry of an upload that is not to be recorded again, or
// nil.
func (t tx) arrived(ctx context.Context, a jobs.Arrival) (*jobs.Entry, error) {
	again := "NOT settled"
	if a.Microsoft {
		again = "microsoft"
	}
	list, err := t.entries(ctx, "WHERE carrier = $1 AND "+again+" AND sha256 = $2 AND received = $3 ORDER BY seq", a.Carrier, a.SHA256, a.Received)
	for i := range list {
		// The name of one that was erased may be another one since.
		if list[i].Arrived(a) || a.Microsoft && list[i].Erased != "" && list[i].Microsoft {
			return &list[i], err
		}
	}
	return nil, err
}

// known looks for what matters of the entries before.
func (t tx) known(ctx context.Context, a jobs.Arrival) (k jobs.Known, err error) {
	if k.Erased, err = t.contentErased(ctx, a.SHA256); err != nil {
		return k, err
	}
	if a.SHA256 != "" {
		k.Content, err = t.entry(ctx, "WHERE sha256 = $1 AND carrier = $2 AND microsoft = $3 AND ingested "+
			"ORDER BY CASE WHEN sequence = $4 THEN 0 WHEN name = $5 THEN 1 ELSE 2 END, seq LIMIT 1",
			a.SHA256, a.Carrier, a.Microsoft, a.Sequence, text(a.Name))
	}
	if err == nil && a.Sequence != nil {
		k.Number, err = t.entry(ctx, "WHERE carrier = $1 AND microsoft = $2 AND sequence = $3 AND ingested ORDER BY seq DESC LIMIT 1",
			a.Carrier, a.Microsoft, *a.Sequence)
	}
	if err == nil {
		_, err = t.one(ctx, []any{&k.Highest}, "SELECT max(sequence) FROM files WHERE carrier = $1 AND microsoft = $2 AND ingested AND sequence IS NOT NULL",
			a.Carrier, a.Microsoft)
	}
	return k, err
}

// Unsettled implements jobs.Ledger.
func (s *Store) Unsettled(ctx context.Context, carrier string) (list []jobs.Entry, err error) {
	err = s.read(ctx, "find unsettled files", func(t tx) (err error) {
		list, err = t.entries(ctx, "WHERE carrier = $1 AND NOT settled ORDER BY seq", carrier)
		return err
	})
	return list, err
}

// Files implements jobs.Ledger.
func (s *Store) Files(ctx context.Context, carrier string) (list []jobs.Entry, err error) {
	err = s.read(ctx, "list files", func(t tx) (err error) {
		list, err = t.entries(ctx, "WHERE carrier = $1 ORDER BY seq", carrier)
		return err
	})
	return list, err
}

// Settle implements jobs.Ledger.
func (s *Store) Settle(ctx context.Context, carrier, id string) error {
	return s.write(ctx, "settle a file", func(t tx) error {
		n, err := t.exec(ctx, "UPDATE files SET settled = $1 WHERE id = $2 AND carrier = $3", true, id, carrier)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: %s has none with the id %s", jobs.ErrNoFile, carrier, id)
		}
		return err
	})
}

// Holds implements jobs.Ledger.
func (s *Store) Holds(ctx context.Context, sha256 string) (held bool, err error) {
	if sha256 == "" {
		return false, ctx.Err()
	}
	err = s.read(ctx, "look for a content", func(t tx) (err error) {
		held, err = t.one(ctx, []any{new(int64)}, "SELECT seq FROM files WHERE sha256 = $1 AND raw_purged = 0 LIMIT 1", sha256)
		for _, other := range []string{"number_listings WHERE sha256 = $1 AND raw_purged = 0", "microsoft_files WHERE sha256 = $1 AND raw_purged = 0", "microsoft_files WHERE rest = $1 AND rest <> ''", "erased_contents WHERE instead = $1"} {
			if err == nil && !held {
				held, err = t.one(ctx, []any{new(int64)}, "SELECT 1 FROM "+other+" LIMIT 1", sha256)
			}
		}
		if err == nil && held {
			var erasure string
			erasure, err = t.contentErased(ctx, sha256)
			held = erasure == ""
		}
		return err
	})
	return held, err
}

// missing is an error of what was not found.
func missing(found bool, err error, id string) error {
	if found {
		return nil
	}
	return fmt.Errorf("%w: %s", err, id)
}

// entry returns the first entry, or nil.
func (t tx) entry(ctx context.Context, rest string, args ...any) (*jobs.Entry, error) {
	list, err := t.entries(ctx, rest, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

func (t tx) entries(ctx context.Context, rest string, args ...any) (list []jobs.Entry, err error) {
	var seqs []int64
	err = t.query(ctx, func(scan func(...any) error) error {
		var e jobs.Entry
		var seq int64
		err := scanEntry(&e, &seq, scan)
		list, seqs = append(list, e), append(seqs, seq)
		return err
	}, selectEntry+rest, args...)
	if err == nil {
		err = t.addDays(ctx, list, seqs)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

func entryValues(e *jobs.Entry) []any {
	var raw []byte
	if text(e.Name) != e.Name {
		raw = []byte(e.Name)
	}
	return []any{
		e.ID, e.Carrier, text(e.Name), raw, e.SHA256, e.Bytes, e.Format, e.Proof, e.Verified, e.Sequence, e.Date, string(e.Status),
		e.Rows, e.Accepted, e.Rejected, e.Filtered, e.DurationMS, e.BadRows, document{e.Reasons}, e.MoreReasons, document{e.Missing},
		text(e.Replaces), e.ReplacesID, text(e.DuplicateOf), e.DuplicateOfID, document{e.Notes}, edge(e.Received), edge(e.Decided), e.Run, e.Settled,
		e.Microsoft, e.Profile, e.Sealed.SHA256, e.Sealed.Bytes,
	}
}

func scanEntry(e *jobs.Entry, seq *int64, scan func(...any) error) error {
	var raw []byte
	var erased *string
	err := scan(
		seq, &erased, &e.ID, &e.Carrier, &e.Name, &raw, &e.SHA256, &e.Bytes, &e.Format, &e.Proof, &e.Verified, &e.Sequence, &e.Date, &e.Status,
		&e.Rows, &e.Accepted, &e.Rejected, &e.Filtered, &e.DurationMS, &e.BadRows, document{&e.Reasons}, &e.MoreReasons, document{&e.Missing},
		&e.Replaces, &e.ReplacesID, &e.DuplicateOf, &e.DuplicateOfID, document{&e.Notes}, moment{&e.Received}, moment{&e.Decided}, &e.Run, &e.Settled,
		&e.Microsoft, &e.Profile, &e.Sealed.SHA256, &e.Sealed.Bytes, &e.RawPurged, &e.RecordsPurged,
	)
	if raw != nil {
		e.Name = string(raw)
	}
	if erased != nil {
		e.Erased = *erased
	}
	return err
}

// text returns s as a database takes it: PostgreSQL refuses what is not UTF-8,
// and zero bytes.
func text(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// document is a value that is stored as JSON.
type document struct{ v any }

// Scan implements sql.Scanner; the value is a pointer.
func (d document) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), d.v)
	case []byte:
		return json.Unmarshal(v, d.v)
	}
	return fmt.Errorf("a document is stored as %T", src)
}

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	b, err := json.Marshal(d.v)
	return string(b), err
}
