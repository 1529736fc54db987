//go:build peers

package peers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"concord/engine"
	"concord/formats"
)

// cargo is a file of calls to be broken off.
type cargo struct {
	name   string
	path   string
	sha256 string
	size   int64
}

const (
	// callsSent is how many calls a file holds: as CSV more than 6 MB, of
	// which no block of a power of two bytes, nor of 30,000, is the last.
	callsSent    = 101_397
	durationSent = 75 * time.Second // of each call
)

// cargoes makes the same calls in three forms.
func cargoes(t *testing.T) []cargo {
	t.Helper()
	dir := t.TempDir()
	csv := fixedWidth(callsSent)
	return []cargo{
		stow(t, filepath.Join(dir, "calls.csv"), csv),
		stow(t, filepath.Join(dir, "calls.csv.gz"), zipped(t, csv)),
		stow(t, filepath.Join(dir, "calls.parquet"), parquet(t, callsSent)),
	}
}

func stow(t *testing.T, path string, b []byte) cargo {
	t.Helper()
	if len(b) < 5<<20 {
		t.Fatalf("%s has %d bytes: too few to break it off in the middle", path, len(b))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return cargo{filepath.Base(path), path, hex.EncodeToString(sum[:]), int64(len(b))}
}

// fixedWidth is a CSV of lines of 64 bytes, so that every block of a client
// ends with a whole line: nothing in a half tells that it is one.
func fixedWidth(calls int) []byte {
	var b bytes.Buffer
	b.WriteString("record_id,correlation_id,caller,callee,start,duration_ms,cause\r\n")
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for i := range calls {
		fmt.Fprintf(&b, "F%07d,,+4930123456,+331456789,%s,%d,16\r\n", i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), durationSent.Milliseconds())
	}
	return b.Bytes()
}

func zipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parquet(t *testing.T, calls int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := formats.NewCanonicalWriter(&b, engine.Carrier, formats.CanonicalParquet, formats.CanonicalOptions{RowGroupRows: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	ids := content(calls*24, 9)
	sent := make([]engine.Call, calls)
	for i := range sent {
		id := hex.EncodeToString(ids[i*24 : (i+1)*24])
		sent[i] = engine.Call{
			RecordID: id, CorrelationID: id[:36], Caller: engine.E164(4930123456), Callee: engine.E164(331456789),
			Start: 1_790_000_000_000_000 + int64(i)*1_000_000, DurationMS: durationSent.Milliseconds(),
		}
	}
	if err := w.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
