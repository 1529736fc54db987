package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange"
	"concord/jobs"
)

// row is one call of a list, as it is handed on.
type row struct {
	id       string
	operator string
	start    time.Time
	fields   map[string]json.RawMessage
}

// The properties of a row that matter here.
const (
	durationField = "duration"
	sourceField   = "callDurationSource"
	tenantField   = "tenantId" // is not in Graph's rows: it is known from whom they are
)

// personal are properties that nobody here needs, and that are not kept.
func personal() []string { return []string{"userPrincipalName", "userDisplayName"} }

// parse reads rows of calls that began at an instant or later. One that cannot be known again is handed on each time that
// it changes: the report lists it as rejected.
func (w *work) parse(list []json.RawMessage, from time.Time) ([]*row, error) {
	if w.strange == nil {
		w.strange = map[string]int{}
	}
	rows := make([]*row, 0, len(list))
	for _, raw := range list {
		r := &row{}
		if err := json.Unmarshal(raw, &r.fields); err != nil || r.fields == nil {
			return nil, errors.New("a row of Graph is no object")
		}
		for _, name := range personal() {
			delete(r.fields, name)
		}
		r.fields[tenantField] = quoted(w.Tenant)
		r.operator = r.text("operator")
		r.start = r.time("startDateTime", "inviteDateTime", "failureDateTime")
		if r.start.IsZero() {
			r.start = from
		}
		if r.id = r.text("id"); r.id == "" {
			w.broken++
			r.id = "sum:" + r.sum()
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string can always be written
	return b
}

func (r *row) text(name string) (s string) {
	_ = json.Unmarshal(r.fields[name], &s) // what is no text is none
	return s
}

// time returns the first of some properties that is a time. The year 1 is none.
func (r *row) time(names ...string) time.Time {
	for _, name := range names {
		if t, err := time.Parse(time.RFC3339Nano, r.text(name)); err == nil && !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// seconds returns the duration, if Microsoft measured it.
func (r *row) seconds() *int64 {
	var n int64
	if !strings.EqualFold(r.text(sourceField), "microsoft") || json.Unmarshal(r.fields[durationField], &n) != nil {
		return nil
	}
	return &n
}

// settle gives the row the duration that it is to have, and returns what is to
// be remembered of it. was is what is known of it.
func (r *row) settle(was jobs.FeedRow) jobs.FeedRow {
	now := jobs.FeedRow{ID: r.id, Start: r.start, Seconds: cmp.Or(was.Seconds, r.seconds())}
	if was.Seconds != nil {
		r.fields[durationField] = json.RawMessage(fmt.Sprint(*was.Seconds))
		r.fields[sourceField] = quoted("microsoft")
	}
	now.Sum = r.sum()
	return now
}

// sum is the same for rows with the same properties, in whatever order and
// spacing.
func (r *row) sum() string {
	sum := sha256.Sum256(r.encode())
	return hex.EncodeToString(sum[:16])
}

// encode writes the properties in their order. Numbers stay as they were.
func (r *row) encode() []byte {
	b, err := json.Marshal(r.fields)
	if err != nil { // a property that Graph's JSON held is JSON
		panic(err)
	}
	return b
}

// publish puts a file of rows into the folder of a carrier. It is there whole
// or not at all, and the same rows have the same name.
func (w *work) publish(ctx context.Context, carrier string, from, to time.Time, rows []*row) (err error) {
	var b bytes.Buffer
	b.WriteString(`{"value":[`)
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(r.encode())
	}
	b.WriteString("\n]}\n")
	dir := filepath.Join(w.Folder, carrier, "graph")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make Microsoft's folder of %s: %w", carrier, err)
	}
	local, err := exchange.OpenLocal(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	const layout = "20060102T150405Z"
	sum := sha256.Sum256(b.Bytes())
	name := fmt.Sprintf("%s_%s_%s_%s_%s.json", w.Name, w.List, from.Format(layout), to.Format(layout), hex.EncodeToString(sum[:4]))
	return exchange.Publish(ctx, local, name, bytes.NewReader(b.Bytes()), int64(b.Len()))
}
