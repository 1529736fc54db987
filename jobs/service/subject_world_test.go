package service_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"concord/formats/parquetio"

	"github.com/klauspost/compress/gzip"
)

// subjectCalls are calls of both sides, of which every second is the subject's.
func subjectCalls(side string, from, n int, seconds func(i int) int) string {
	var b strings.Builder
	b.WriteString("record_id,start,duration_ms,caller,callee\n")
	for i := from; i < from+n; i++ {
		caller, id := "+493012345678", fmt.Sprintf("%s%d", side, i)
		if i%2 == 0 {
			caller = "+" + canary
		}
		switch i % 6 {
		case 0:
			id = fmt.Sprintf("%s-%s-%d", side, canary, i)
		case 2:
			if side != "m" { // Microsoft's have one
				id = ""
			}
		}
		fmt.Fprintf(&b, "%s,2026-10-01T%02d:%02d:00Z,%d,%s,+442071234567\n", id, i/60, i%60, 1000*seconds(i), caller)
	}
	return b.String()
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func utf16Of(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func parquetOf(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cols []parquetio.WriteColumn
	for _, name := range rows[0] {
		c := parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: parquetio.ByteArray, Logical: parquetio.String}}
		if name == "duration_ms" {
			c.Column = parquetio.Column{Name: name, Physical: parquetio.Int64}
		}
		cols = append(cols, c)
	}
	var b bytes.Buffer
	w, err := parquetio.NewWriter(&b, cols, parquetio.WriterOptions{Codec: parquetio.Zstd})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if v, err := strconv.ParseInt(cell, 10, 64); err == nil && cols[i].Name == "duration_ms" {
				w.Column(i).Int(v)
			} else {
				w.Column(i).String(cell)
			}
		}
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
