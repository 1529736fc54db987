package partition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"concord/engine"
	"concord/engine/quality"
	"concord/engine/spill"
	"concord/formats"
	"concord/formats/qualityio"
)

// fileScratch makes scratch files in a folder.
type fileScratch struct{ dir string }

func (s fileScratch) Create() (spill.File, error) { return os.CreateTemp(s.dir, "") }

// rowsSource hands out rows and, where one has no id, a bad row.
type rowsSource struct{ rows []quality.Row }

func (s *rowsSource) Read(_ context.Context, dst []quality.Row) (n int, err error) {
	for n < len(dst) {
		if len(s.rows) == 0 {
			return n, io.EOF
		}
		r := s.rows[0]
		s.rows = s.rows[1:]
		if r.CallRecordID == "" {
			return n, &engine.RowError{Reason: "bad"}
		}
		dst[n] = r
		n++
	}
	return n, nil
}

func readQuality(t *testing.T, data []byte) (rows []quality.Row) {
	r, err := qualityio.Open(formats.Input{Name: "f", R: bytes.NewReader(data), Size: int64(len(data))}, qualityio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dst := make([]quality.Row, 100)
	for {
		n, err := r.Read(context.Background(), dst)
		rows = append(rows, dst[:n]...)
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// streams makes versions of streams in any order, some twice.
func streams(n int) (rows []quality.Row) {
	r := rand.New(rand.NewPCG(5, uint64(n)))
	for range n {
		row := quality.Row{
			CallRecordID: fmt.Sprintf("call-%d", r.IntN(n/4)), StreamID: fmt.Sprint(r.IntN(2)), Version: r.Int64N(4),
			Carrier: fmt.Sprintf("carrier-%02d", r.IntN(4)), Start: quality.Some(r.Int64N(1000)),
			Metrics: quality.Metrics{LossAvg: quality.Some(float64(r.IntN(3)) / 10)}, Packets: quality.Some(r.Int64N(3)),
		}
		row.Class = quality.Classify(&row.Metrics)
		rows = append(rows, row)
		if r.IntN(10) == 0 {
			rows = append(rows, row)
		}
	}
	return append(rows, quality.Row{})
}

// What is delivered is what a plain look over all rows in memory finds, in
// memory and on disk alike.
func TestQualityGoesToItsCarrier(t *testing.T) {
	rows := streams(4000)
	latest, altered := quality.Latest(slices.Values(rows[:len(rows)-1]))
	slices.SortFunc(latest, func(a, b quality.Row) int {
		return strings.Compare(a.CallRecordID+"\x00"+a.StreamID, b.CallRecordID+"\x00"+b.StreamID)
	})
	var first *memFS
	for _, memory := range []int64{0, 3 * 5000} {
		fs := newMemFS()
		files := []QualitySource{&rowsSource{rows[:1500]}, &rowsSource{rows[1500:]}}
		res, err := Quality(context.Background(), files, fs.create, fileScratch{t.TempDir()}, Options{Carriers: carriers(3), From: 100, To: 900, Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		if res.Rejected != 1 || res.Rows != int64(len(rows)) || res.Altered < int64(altered) || res.Superseded != int64(len(rows)-1-len(latest)) || len(res.Unknown) != 1 {
			t.Fatalf("%+v, %d altered", res, altered)
		}
		for _, c := range res.Carriers {
			var want []quality.Row
			for _, r := range latest {
				if r.Carrier == c.Carrier && r.Start.Value >= 100 && r.Start.Value < 900 {
					want = append(want, r)
				}
			}
			if len(want) == 0 || c.Rows != int64(len(want)) {
				t.Errorf("%s: %d rows, want %d", c.Carrier, c.Rows, len(want))
			}
			for _, name := range []string{QualityCSV, QualityParquet} {
				f := fs.files[c.Carrier+"/"+name]
				if got := readQuality(t, f.data.Bytes()); !slices.Equal(got, want) || !f.closed || !f.synced {
					t.Errorf("%s of %s differs", name, c.Carrier)
				}
			}
		}
		if first == nil {
			first = fs
		}
		for name, f := range first.files {
			if !bytes.Equal(f.data.Bytes(), fs.files[name].data.Bytes()) {
				t.Errorf("%s depends on the memory", name)
			}
		}
	}
}

func TestQualityWithoutRows(t *testing.T) {
	fs := newMemFS()
	if _, err := Quality(context.Background(), nil, fs.create, fileScratch{t.TempDir()}, Options{Carriers: carriers(2)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range carriers(2) {
		if rows := readQuality(t, fs.files[c.ID+"/"+QualityParquet].data.Bytes()); len(rows) != 0 {
			t.Error(rows)
		}
	}
}

func TestEveryFailureOfQualityIsReported(t *testing.T) {
	for i := 0; ; i++ {
		fs := newMemFS()
		fs.failAt = i
		_, err := Quality(context.Background(), []QualitySource{&rowsSource{streams(100)}}, fs.create, fileScratch{t.TempDir()}, Options{Carriers: carriers(2)})
		for name, f := range fs.files {
			if !f.closed {
				t.Errorf("operation %d fails: %s stays open", i, name)
			}
		}
		if err == nil {
			if fs.ops > i {
				t.Errorf("the failure of operation %d was not told", i)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
	}
}
