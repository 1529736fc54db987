package trace_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"concord/formats/parquetio"
	"concord/formats/trace"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const standIn = "490009988776655"

func rewritten(t *testing.T, content []byte) ([]byte, error) {
	t.Helper()
	n := number(t)
	var out bytes.Buffer
	err := n.Rewrite(t.Context(), &out, bytes.NewReader(content), int64(len(content)), standIn)
	if err != nil {
		return nil, err
	}
	if found, err := n.Scan(t.Context(), bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil || found.Times > 0 || len(found.Unread) > 0 {
		t.Errorf("what was written anew: %+v, %v", found, err)
	}
	return out.Bytes(), nil
}

func unpacked(t *testing.T, b []byte, how string) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch how {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever a text is made of, and wherever it is cut on the way, it is written as
// it was but for the number.
func TestTextIsWrittenAnewWithoutTheNumber(t *testing.T) {
	n := number(t)
	random := rand.New(rand.NewPCG(1, 2))
	ways := []string{"+4930199988877", "4930199988877", "0049 30 199988877", "+49 (0)30 / 1999.88877", "030199988877", "x4930199988877", "+4930199988878", "id-20261001493019998887777", "\n", " , ", "2026-10-01T10:00:00Z", "ü\u00a0"}
	var b strings.Builder
	for b.Len() < 3<<20 {
		b.WriteString(ways[random.IntN(len(ways))])
		b.WriteString(strings.Repeat("-", random.IntN(2)))
		b.WriteString([]string{",", "\n", "\"", ""}[random.IntN(4)])
	}
	text := b.String() + "\n"
	want := strings.ReplaceAll(n.Replace(text, standIn), digits, standIn)
	for _, how := range []string{"", "gzip", "zstd"} {
		content := []byte(text)
		if how != "" {
			content = packed(t, content, how)
		}
		got, err := rewritten(t, content)
		if err != nil {
			t.Fatal(how, err)
		}
		if plain := unpacked(t, got, how); plain != want {
			t.Errorf("%s: it differs", how)
		}
	}
}

func TestATableIsWrittenAnewWithoutTheNumber(t *testing.T) {
	got, err := rewritten(t, parquet(t, "+4930199988877", 4930199988877))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquetio.Open(bytes.NewReader(got), int64(len(got)), parquetio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for g := range f.Groups() {
		rows := f.Read(g, []int{0, 1}, 0, f.GroupRows(g))
		for k, err := rows.Next(100); err == nil; k, err = rows.Next(100) {
			for i := range k {
				v := rows.Vector(0)
				from, at := &v.Values, i
				if v.Dict != nil {
					from, at = &v.Dict.Values, int(v.Index[i])
				}
				seen[from.Spans[at].In(from.Data)]++
				if c := rows.Vector(1); c.Nulls == nil || !c.Nulls[i] {
					seen[fmt.Sprint(c.Ints[i])]++
				}
			}
		}
		rows.Close()
	}
	if f.Rows() != 3000 || seen["+442071234567"] != 1500 || seen["+"+standIn] != 1500 || seen[standIn] != 1 {
		t.Errorf("%d rows, %v", f.Rows(), seen)
	}
}

func TestWhatCannotBeWrittenAnewIsSaid(t *testing.T) {
	line := "a,+4930199988877\n"
	for name, content := range map[string][]byte{
		"zip": packed(t, []byte(line), "zip"), "utf-16": wide(binary.LittleEndian, line), "bzip2": []byte("BZh91AY&SY" + line),
		"a broken parquet": []byte("PAR1" + line + "PAR1"), "a gzip cut short": packed(t, []byte(strings.Repeat(line, 100)), "gzip")[:20],
		"digits without an end": bytes.Repeat([]byte("12345678"), 1<<18),
	} {
		if _, err := rewritten(t, content); !errors.Is(err, trace.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
