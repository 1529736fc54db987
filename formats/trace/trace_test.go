package trace_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"concord/formats/parquetio"
	"concord/formats/trace"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const digits = "4930199988877"

func number(t *testing.T) *trace.Number {
	t.Helper()
	n, err := trace.Parse("+49 (30) 199988877")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheWaysANumberIsWritten(t *testing.T) {
	n := number(t)
	for text, is := range map[string]bool{
		"+4930199988877": true, digits: true, "004930199988877": true, "0114930199988877": true, "030199988877": true, "30199988877": true,
		"+49 30 1999 888-77": true, "+49 (0)30 / 1999.88877": true, "0049 (0) 30 199988877": true, "call_4930199988877_x": true,
		"sip:+4930199988877@example.com": true, `{"caller":4930199988877}`: true, "tel:+4930199988877;ext=1": true, "+49\u00a030\u00a0199988877": true,
		"49301999888771": false, "14930199988877": false, "+493019998887": false, "+4930199988****": false, "4930199988,877": false,
		"4930\n199988877": false, "": false, "2026-10-01 10:00:00": false, "x4930199988877": true, "4930    199988877": false,
	} {
		if n.In(text) != is {
			t.Errorf("%q: %v", text, !is)
		}
	}
	for text, want := range map[string]string{
		"+4930199988877, 004930199988877;030 199988877": "+E, E;E", "a 49301999888771": "a 49301999888771",
		digits + " " + digits: "E E", "cdr_" + digits + ".csv": "cdr_E.csv",
	} {
		if got := n.Replace(text, "E"); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if got := n.ReplaceWithin("id-20261001"+digits+"77", "E"); got != "id-20261001E77" {
		t.Errorf("its own id becomes %q", got)
	}
	for _, text := range []string{"", "4930199988877", "+49", "+4930x", "anonymous", "+0301234567", "+4930199988****", "+490000000000000"} {
		if _, err := trace.Parse(text); err == nil {
			t.Errorf("%q is taken for a number", text)
		}
	}
}

func packed(t *testing.T, b []byte, how string) []byte {
	t.Helper()
	var out bytes.Buffer
	switch how {
	case "gzip":
		w := gzip.NewWriter(&out)
		w.Write(b)
		w.Close()
	case "zstd":
		w, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(b)
		w.Close()
	case "zip":
		w := zip.NewWriter(&out)
		f, err := w.Create("calls.csv")
		if err != nil {
			t.Fatal(err)
		}
		f.Write(b)
		w.Close()
	}
	return out.Bytes()
}

func wide(order binary.AppendByteOrder, s string) []byte {
	b := []byte{}
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func parquet(t *testing.T, text string, figure int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := parquetio.NewWriter(&out, []parquetio.WriteColumn{
		{Column: parquetio.Column{Name: "caller", Physical: parquetio.ByteArray, Logical: parquetio.String}, Dictionary: true},
		{Column: parquetio.Column{Name: "callee", Physical: parquetio.Int64, Optional: true}},
	}, parquetio.WriterOptions{Codec: parquetio.Zstd})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		w.Column(0).String([]string{"+442071234567", text}[i%2])
		if i == 2500 {
			w.Column(1).Int(figure)
		} else {
			w.Column(1).Null()
		}
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFilesAreLookedIntoHoweverTheyArePacked(t *testing.T) {
	n, line := number(t), "a,2026-10-01T10:00:00Z,+4930199988877,+442071234567\n"
	filler := strings.Repeat("b,2026-10-01T10:00:00Z,+4930199988878,+442071234567\n", 3000)
	text := []byte(filler + line + filler)
	for name, c := range map[string]struct {
		content []byte
		times   int64
		unread  bool
	}{
		"text": {text, 1, false}, "at the end": {[]byte(digits), 1, false}, "utf-16": {wide(binary.LittleEndian, line), 1, false},
		"utf-16 the other way": {wide(binary.BigEndian, line), 1, false}, "gzip": {packed(t, text, "gzip"), 1, false},
		"zstd": {packed(t, text, "zstd"), 1, false}, "zip": {packed(t, text, "zip"), 1, false},
		"gzip of utf-16": {packed(t, wide(binary.LittleEndian, line), "gzip"), 1, false},
		"gzip in a zip":  {packed(t, packed(t, text, "gzip"), "zip"), 1, false}, "nothing": {nil, 0, false}, "others": {[]byte(filler), 0, false},
		"parquet": {parquet(t, "+4930199988877", 1), 1500, false}, "a parquet of figures": {parquet(t, "x", 4930199988877), 1, false},
		"a parquet of others": {parquet(t, "+4930199988878", 1), 0, false}, "a broken gzip": {[]byte("\x1f\x8b" + digits), 1, true},
		"a gzip cut short": {packed(t, text, "gzip")[:len(packed(t, text, "gzip"))-4], 1, true}, "a broken parquet": {[]byte("PAR1" + digits + "PAR1"), 0, true},
	} {
		got, err := n.Scan(t.Context(), bytes.NewReader(c.content), int64(len(c.content)))
		if err != nil || got.Times < c.times || got.Times > 2*c.times || (len(got.Unread) > 0) != c.unread {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for _, u := range got.Unread {
			if strings.Contains(u, digits) {
				t.Errorf("%s: the number is in %q", name, u)
			}
		}
	}
}
