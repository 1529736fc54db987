package formats

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/dialect"
)

// provesItself says whether a file was read as one that is whole by what it
// holds, and whether more could still make it so.
func provesItself(r read) (whole, more bool) {
	var file *FileError
	if errors.As(r.err, &file) {
		return false, file.Incomplete
	}
	return r.infos[0].OwnEnd, !r.infos[0].OwnEnd
}

const (
	wholeText  = "record_id,caller,callee,start,duration_ms\nc1,+4930123456,+33145678900,2026-10-01T12:00:00Z,60000\n"
	secondLine = "c2,+4930123456,+33145678901,2026-10-01T12:10:00Z,90000\n"
)

func TestAPackedFileCutAnywhereIsIncomplete(t *testing.T) {
	for name, b := range map[string][]byte{
		"gzip": packGzip(t, []byte(wholeText+secondLine)), "zstd": packZstd(t, []byte(wholeText+secondLine)),
		"zip": packZip(t, []string{"a.csv"}, []string{wholeText + secondLine}),
	} {
		for n := range b {
			whole, more := provesItself(readSide(t, engine.Carrier, Options{}, 10, bytesInput(name, b[:n])))
			if whole || !more {
				t.Errorf("%s cut after %d of %d bytes: whole %v, incomplete %v", name, n, len(b), whole, more)
			}
		}
		if whole, _ := provesItself(readSide(t, engine.Carrier, Options{}, 10, bytesInput(name, b))); !whole {
			t.Errorf("%s: the whole file does not prove itself", name)
		}
	}
}

func TestAParquetFileCutAnywhereIsIncomplete(t *testing.T) {
	var b bytes.Buffer
	calls := []engine.Call{{RecordID: "c1", Caller: engine.ParseNumber("+4930123456"), Start: 1, DurationMS: 60_000}}
	w, err := NewCanonicalWriter(&b, engine.Carrier, CanonicalParquet, CanonicalOptions{})
	if err == nil {
		err = errors.Join(w.Write(calls), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	p := dialect.Canonical()
	p.Files.Format = "parquet"
	for _, o := range []Options{{}, {Profile: p}} {
		for n := range b.Len() {
			whole, more := provesItself(readSide(t, engine.Carrier, o, 10, bytesInput("c.parquet", b.Bytes()[:n])))
			if whole || !more {
				t.Errorf("cut after %d of %d bytes: whole %v, incomplete %v", n, b.Len(), whole, more)
			}
		}
		if whole, _ := provesItself(readSide(t, engine.Carrier, o, 10, bytesInput("c.parquet", b.Bytes()))); !whole {
			t.Error("the whole file does not prove itself")
		}
	}
}

func TestTextSaysHowItEnds(t *testing.T) {
	cases := []struct {
		name, text string
		want       bool
	}{
		{"with a line end", wholeText, true},
		{"with CRLF", strings.ReplaceAll(wholeText, "\n", "\r\n"), true},
		{"with CR, as all its lines", strings.ReplaceAll(wholeText, "\n", "\r"), true},
		{"between CR and LF", strings.TrimSuffix(strings.ReplaceAll(wholeText, "\n", "\r\n"), "\n"), false},
		{"within a line", wholeText + "c2,+49", false},
		{"with a blank line", wholeText + "\n", true},
		{"within quotes that hold a line end", wholeText + "\"c2\n", false},
		{"after a row with a quote that is not closed", wholeText + "\"c2\n" + secondLine, true},
		{"behind the header", strings.SplitAfter(wholeText, "\n")[0], true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for pack, in := range map[string]Input{"plain": textInput("c.csv", c.text), "gzip": bytesInput("c.gz", packGzip(t, []byte(c.text)))} {
				r := readSide(t, engine.Carrier, Options{Limits: dialect.Limits{MaxRejected: 1}}, 10, in)
				if r.err != nil || r.infos[0].LastLineEnded != c.want {
					t.Errorf("%s: ended %v, want %v; %v", pack, r.infos[0].LastLineEnded, c.want, r.err)
				}
			}
		})
	}
}

func TestATrailerIsMissingOrAgreesOrDoesNot(t *testing.T) {
	p, err := dialect.Parse("p", []byte("carrier: c\ncolumns: {record_id: record_id, caller: caller, callee: callee, start: start, duration_ms: duration_ms}\ntrailer: {prefix: \"T,\", count: 2, seconds: 3}\n"))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, text string
		want       TrailerState
		fails      string
	}{
		{"not there yet", wholeText, TrailerMissing, ""},
		{"agrees", wholeText + "T,1,60\n", TrailerAgrees, ""},
		{"agrees without a line end", wholeText + "T,1,60", TrailerAgrees, ""},
		{"cut within the seconds", wholeText + "T,1,6", TrailerDisagrees, "the trailer says 6 seconds"},
		{"cut within its fields", wholeText + "T,", TrailerDisagrees, "is not a number"},
		{"fewer rows than it says", wholeText + "T,2,60\n", TrailerDisagrees, "the trailer says 2 rows, the file has 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(t.Context(), engine.Carrier, []Input{textInput("c.csv", c.text)}, Options{Profile: p})
			if err != nil {
				t.Fatal(err)
			}
			err = readOut(f)
			if s := f.Info()[0].Trailer; s != c.want || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("state %d, %v", s, err)
			}
			var file *FileError
			if errors.As(err, &file) && !file.Incomplete {
				t.Error("more rows could not make it whole")
			}
		})
	}
}

// readOut reads all of f and finishes it.
func readOut(f *Files) error {
	var r read
	for {
		p, err := f.Next(context.Background())
		if err == io.EOF {
			return f.Finish(context.Background())
		}
		if err == nil {
			err = r.part(context.Background(), p, 10)
		}
		if err != nil {
			return err
		}
	}
}

func TestAFileOfNothingSaysSo(t *testing.T) {
	for name, in := range map[string]struct {
		input Input
		more  bool
	}{
		"no bytes": {textInput("c", ""), true}, "blank lines": {textInput("c", "\n\n"), true},
		"a gzip of nothing": {bytesInput("c", packGzip(t, nil)), false},
	} {
		var file *FileError
		if r := readSide(t, engine.Carrier, Options{}, 10, in.input); !errors.As(r.err, &file) || !file.Empty || file.Incomplete != in.more {
			t.Errorf("%s: %+v", name, r.err)
		}
	}
}

func TestWhatCannotBecomeAFileOfRecordsIsNotIncomplete(t *testing.T) {
	for _, text := range []string{"a\x00b", "<html>", "{\"a\":1}\n", "id,name\n1,2\n", "%PDF-1.7"} {
		var file *FileError
		if r := readSide(t, engine.Carrier, Options{}, 10, textInput("c", text)); !errors.As(r.err, &file) || file.Incomplete {
			t.Errorf("%q: %v", text, r.err)
		}
	}
}
