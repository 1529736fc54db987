// Package records keeps the calls of one received file by day, so that a run
// of one day reads a day and not the file.
//
// A file of records holds every accepted call, with the number of its row, as
// far as matching and reports need it; every rejected row; and what is known of
// the received file. It is of the same side and in the same state as the file
// that it was made of, and can be made of it again. FORMATS.md describes it.
//
// A Writer takes rows in the order of the file, in any order of days, and holds
// a bounded part of them. What it writes appears whole or not at all, and the
// same rows give the same bytes. A Reader is one side of a run over several
// files of records and a span of time. A file that is not as it was written is
// ErrDamaged. The package opens no files: its callers do.
package records

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"concord/engine"
	"concord/formats"
)

// ErrDamaged says that a file of records is not as it was written. What it was
// made of is not touched by that: it can be made anew.
var ErrDamaged = errors.New("the records kept of it are damaged")

// damaged makes an ErrDamaged with what was found.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// Day is what a file holds of one day.
type Day struct {
	Date       string // in UTC, by the starts of the calls, such as 2026-10-01
	Rows       int64
	DurationMS int64
}

// dayMicros is the length of a day, in microseconds.
const dayMicros = 86400_000_000

// dayOf returns the days since 1970-01-01 of an instant in microseconds.
func dayOf(us int64) int32 {
	d := us / dayMicros
	if us%dayMicros < 0 {
		d--
	}
	return int32(d)
}

// dateOf returns the date of a day.
func dateOf(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// The end of a file: the length of the index, its checksum, and a magic.
const (
	tailSize = 16
	magic    = "CCRDREC1"
	// mostIndex bounds the index, in bytes.
	mostIndex = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// index is what a file says of itself, as JSON behind its sections.
type index struct {
	Side     string   `json:"side"`
	Received received `json:"received"`
	Calls    section  `json:"calls"`
	Rejected section  `json:"rejected"`
	Groups   []group  `json:"groups"`
}

// received describes the file that the records were made of.
type received struct {
	Name           string               `json:"name"`
	SHA256         string               `json:"sha256"`
	Bytes          int64                `json:"bytes"`
	Format         string               `json:"format"`
	Rows           int64                `json:"rows"`
	Accepted       int64                `json:"accepted"`
	Rejected       int64                `json:"rejected"`
	Filtered       int64                `json:"filtered"`
	DurationMS     int64                `json:"duration_ms"`
	Verified       bool                 `json:"verified"`
	OwnEnd         bool                 `json:"own_end"`
	LastLineEnded  bool                 `json:"last_line_ended"`
	Trailer        formats.TrailerState `json:"trailer"`
	UnknownColumns []string             `json:"unknown_columns,omitempty"`
	Notes          []string             `json:"notes,omitempty"`
}

func receivedOf(i formats.FileInfo) received {
	return received{
		Name: i.Name, SHA256: i.SHA256, Bytes: i.Bytes, Format: i.Format, Rows: i.Rows, Accepted: i.Accepted,
		Rejected: i.Rejected, Filtered: i.Filtered, DurationMS: i.DurationMS, Verified: i.IntegrityVerified,
		OwnEnd: i.OwnEnd, LastLineEnded: i.LastLineEnded, Trailer: i.Trailer, UnknownColumns: i.UnknownColumns, Notes: i.Notes,
	}
}

func (r *received) info() formats.FileInfo {
	return formats.FileInfo{
		Name: r.Name, SHA256: r.SHA256, Bytes: r.Bytes, Format: r.Format, Rows: r.Rows, Accepted: r.Accepted,
		Rejected: r.Rejected, Filtered: r.Filtered, DurationMS: r.DurationMS, IntegrityVerified: r.Verified,
		OwnEnd: r.OwnEnd, LastLineEnded: r.LastLineEnded, Trailer: r.Trailer, UnknownColumns: r.UnknownColumns, Notes: r.Notes,
	}
}

// section is a Parquet file within the file. Its pages carry checksums of
// their own; Footer begins what follows them, whose checksum is CRC.
type section struct {
	Offset int64  `json:"offset"`
	Footer int64  `json:"footer"`
	Size   int64  `json:"size"`
	CRC    uint32 `json:"crc32c"`
}

// group is one row group of the calls. First and Last are its days, since
// 1970-01-01.
type group struct {
	First      int32 `json:"first_day"`
	Last       int32 `json:"last_day"`
	Rows       int64 `json:"rows"`
	DurationMS int64 `json:"duration_ms"`
}

// appendIndex appends the index and the tail.
func appendIndex(b []byte, x *index) ([]byte, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	b = append(b, text...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(text, castagnoli))
	return append(b, magic...), nil
}

// readIndex reads the end of a file and checks that all of it fits together.
func readIndex(r io.ReaderAt, size int64) (*index, error) {
	var tail [tailSize]byte
	if size < tailSize {
		return nil, damaged("it has %d bytes", size)
	}
	if err := readAt(r, tail[:], size-tailSize); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	switch {
	case string(tail[8:]) != magic:
		return nil, damaged("it does not end with %s", magic)
	case n > size-tailSize || n > mostIndex:
		return nil, damaged("its index would be longer than it may be")
	}
	text := make([]byte, n)
	if err := readAt(r, text, size-tailSize-n); err != nil {
		return nil, err
	}
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(tail[4:]) {
		return nil, damaged("the checksum of its index does not agree")
	}
	x := new(index)
	if err := json.Unmarshal(text, x); err != nil {
		return nil, damaged("its index cannot be read: %w", err)
	}
	return x, x.check(r, size-tailSize-n)
}

// check compares what the index says with itself and with the sections, which
// end at end.
func (x *index) check(r io.ReaderAt, end int64) error {
	in := &x.Received
	if in.Rows != in.Accepted+in.Rejected+in.Filtered || in.Accepted < 0 || in.Rejected < 0 || in.Filtered < 0 {
		return damaged("its counts of rows do not agree")
	}
	var rows, ms int64
	for _, g := range x.Groups {
		if g.First > g.Last || g.Rows <= 0 || g.DurationMS < 0 {
			return damaged("its index is not consistent")
		}
		rows, ms = rows+g.Rows, ms+g.DurationMS
	}
	if rows != in.Accepted || ms != in.DurationMS {
		return damaged("its days hold %d rows, the received file %d", rows, in.Accepted)
	}
	if x.Calls.Offset != 0 || x.Rejected.Offset != x.Calls.Size || x.Rejected.Offset+x.Rejected.Size != end {
		return damaged("its parts are not where its index says")
	}
	return errors.Join(x.Calls.check(r), x.Rejected.check(r))
}

func (s *section) check(r io.ReaderAt) error {
	if s.Offset < 0 || s.Footer < s.Offset || s.Size < 0 || s.Footer > s.Offset+s.Size {
		return damaged("its parts are not where its index says")
	}
	b := make([]byte, s.Offset+s.Size-s.Footer)
	if err := readAt(r, b, s.Footer); err != nil {
		return err
	}
	if crc32.Checksum(b, castagnoli) != s.CRC {
		return damaged("the checksum of a footer does not agree")
	}
	return nil
}

// readAt fills b. An end before that is damage; any other error is the
// reader's own.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF || err == nil:
		return damaged("it ends at byte %d", off+int64(n))
	}
	return err
}

// sideOf reads the name of a side.
func sideOf(name string) (engine.Side, bool) {
	for _, s := range []engine.Side{engine.Microsoft, engine.Carrier} {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}
