package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/formats/partition"
)

const callHead = "record_id,carrier,start,duration_ms,user_id\n"

const qualityHead = "call_record_id,stream_id,version,carrier,start,loss_avg\n"

// deliverIn writes files and returns the options that deliver them.
func deliverIn(t *testing.T, dir, calls, quality string) DeliverOptions {
	t.Helper()
	o := DeliverOptions{
		Carriers: []partition.Carrier{{ID: "fabrikam", Names: []string{"Fabrikam Voice"}}, {ID: "northwind"}},
		From:     time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Out: filepath.Join(dir, "out"), Memory: 64 << 20,
	}
	for _, f := range []struct {
		name, text string
		list       *[]string
	}{{"calls.csv", calls, &o.Calls}, {"quality.csv", quality, &o.Quality}} {
		if f.text == "" {
			continue
		}
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, []byte(f.text), 0o666); err != nil {
			t.Fatal(err)
		}
		*f.list = []string{path}
	}
	return o
}

func text(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	// Of two rows of a call in one file the first one counts.
	firstCalls = callHead + "a,Fabrikam Voice,2026-10-01T10:00:00Z,1500,u\nb,northwind,2026-10-01T10:00:01Z,2000,u\n" +
		"a,Fabrikam Voice,2026-10-01T10:00:00Z,1000,u\nc,Fabrikam Voice,2026-10-02T10:00:00Z,1,u\nd,Nobody,2026-10-02T10:00:00Z,1,u\n" +
		"e,northwind,2026-11-01T00:00:00Z,1,u\nf,northwind,never,1,u\n"
	secondCalls = callHead + "c,Fabrikam Voice,2026-10-02T10:00:00Z,2,u\na,Fabrikam Voice,2026-10-01T10:00:00Z,1500,u\nb,northwind,2026-10-01T10:00:01Z,2000,u\n" +
		"g,Fabrikam Voice,2026-10-03T10:00:00Z,3,u\n"
	firstQuality = qualityHead + "x,1,1,northwind,2026-10-01T10:00:00Z,0.2\nx,1,2,northwind,2026-10-01T10:00:00Z,0.1\n"
)

func TestDelivery(t *testing.T) {
	dir := t.TempDir()
	w := Worker{Program: os.Args[0], Args: []string{"worker", "well"}}
	o := deliverIn(t, dir, firstCalls, firstQuality)
	d, err := w.DeliverCalls(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := d.Calls
	if c.Rows != 7 || c.Superseded != 1 || c.Outside != 1 || c.Rejected != 1 || len(c.Unknown) != 1 || c.Unknown[0] != (partition.Unknown{Name: "Nobody", Rows: 1}) ||
		c.Carriers[0].Rows != 2 || c.Carriers[1].Rows != 1 {
		t.Errorf("%+v", c)
	}
	if q := d.Quality; q.Superseded != 1 || q.Carriers[1].Rows != 1 || q.Carriers[0].Rows != 0 {
		t.Errorf("%+v", q)
	}
	got := text(t, o.Out, "fabrikam", "calls.csv")
	if strings.Count(got, "\n") != 3 || !strings.Contains(got, "\na,") || !strings.Contains(got, ",1500,") || strings.Contains(got, ",1000,") {
		t.Errorf("%q", got)
	}
	if got := text(t, o.Out, "northwind", "quality.csv"); !strings.Contains(got, "x,1,2,northwind") || !strings.Contains(got, "good") {
		t.Errorf("%q", got)
	}
	if got := text(t, o.Out, "rejected.csv"); !strings.Contains(got, "calls.csv,7,8,,f,start,") {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(o.Out, "fabrikam", "calls_changes.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("changes beside nothing")
	}
	manifestHolds(t, filepath.Join(o.Out, "fabrikam"), 5)

	second := deliverIn(t, t.TempDir(), secondCalls, firstQuality)
	second.Previous = o.Out
	if _, err = w.DeliverCalls(context.Background(), second); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text(t, second.Out, "fabrikam", "calls_changes.csv")), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "change,record_id,") || !strings.HasPrefix(lines[1], "changed,c,") || !strings.HasPrefix(lines[2], "added,g,") {
		t.Errorf("%q", lines)
	}
	if got := text(t, second.Out, "northwind", "calls_changes.csv"); strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	manifestHolds(t, filepath.Join(second.Out, "fabrikam"), 7)
}

// manifestHolds checks that the manifest lists every file of a folder as it is.
func manifestHolds(t *testing.T, dir string, files int) {
	t.Helper()
	var m struct{ Files []partition.Written }
	if err := json.Unmarshal([]byte(text(t, dir, "manifest.json")), &m); err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadDir(dir)
	if err != nil || len(m.Files) != files || len(there) != files+1 {
		t.Errorf("%d files listed, %d there, want %d: %v", len(m.Files), len(there)-1, files, err)
	}
	for _, f := range m.Files {
		data := text(t, dir, f.Name)
		sum := sha256.Sum256([]byte(data))
		if int64(len(data)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s is not as the manifest says", f.Name)
		}
	}
}

// The same files give the same bytes, in every file.
func TestDeliveryIsTheSameAgain(t *testing.T) {
	read := func(workers int) map[string]string {
		o := deliverIn(t, t.TempDir(), firstCalls, firstQuality)
		o.Workers = workers
		if _, err := DeliverCalls(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		err := filepath.WalkDir(o.Out, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(o.Out, path)
				all[rel] = text(t, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	one, many := read(1), read(5)
	if len(one) != 18 || fmt.Sprint(one) != fmt.Sprint(many) {
		t.Errorf("%d and %d files differ", len(one), len(many))
	}
}

func TestDeliveryThatFailsLeavesNothing(t *testing.T) {
	bad := strings.Repeat("x,northwind,never,1,u\n", 50)
	for _, c := range []struct {
		name  string
		spoil func(o *DeliverOptions)
		want  string
	}{
		{"no such file", func(o *DeliverOptions) { o.Calls = []string{"nowhere.csv"} }, "no such file"},
		{"nothing to do", func(o *DeliverOptions) { o.Calls = nil }, "at least one file"},
		{"nobody to deliver to", func(o *DeliverOptions) { o.Carriers = nil }, "at least one carrier"},
		{"a way out of the folder", func(o *DeliverOptions) { o.Carriers[0].ID = "../x" }, "cannot be the name"},
		{"the folder of the indexes", func(o *DeliverOptions) { o.Carriers[0].ID = indexFolder }, "cannot be the name"},
		{"a period of nothing", func(o *DeliverOptions) { o.To = o.From }, "ends before it begins"},
		{"too many bad rows", func(o *DeliverOptions) { _ = os.WriteFile(o.Calls[0], []byte(callHead+bad), 0o666) }, "more than 5 %"},
		{"the folder is there", func(o *DeliverOptions) { _ = os.Mkdir(o.Out, 0o777) }, "already exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			o := deliverIn(t, dir, firstCalls, "")
			c.spoil(&o)
			_, err := Worker{Program: os.Args[0], Args: []string{"worker", "well"}}.DeliverCalls(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			left, _ := filepath.Glob(filepath.Join(dir, ".concord*"))
			if len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// A file that kills its child is named, and nothing is left.
func TestDeliveryNamesTheKiller(t *testing.T) {
	dir := t.TempDir()
	o := deliverIn(t, dir, firstCalls, "")
	killer := filepath.Join(dir, "killer.csv")
	if err := os.WriteFile(killer, []byte(firstCalls), 0o666); err != nil {
		t.Fatal(err)
	}
	o.Calls = append(o.Calls, killer)
	_, err := Worker{Program: os.Args[0], Args: []string{"worker", "exit"}}.DeliverCalls(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "killer.csv could not be decoded") || strings.Contains(err.Error(), "calls.csv") {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".concord*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A damaged index of the delivery before is told, not guessed around.
func TestDeliveryBesideADamagedOne(t *testing.T) {
	o := deliverIn(t, t.TempDir(), firstCalls, "")
	if _, err := DeliverCalls(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(o.Out, indexFolder, "fabrikam.calls")
	data, err := os.ReadFile(index)
	if err != nil || bytes.Contains(data, []byte("fabrikam")) {
		t.Fatal(err)
	}
	data[20] ^= 1
	if err := os.WriteFile(index, data, 0o666); err != nil {
		t.Fatal(err)
	}
	second := deliverIn(t, t.TempDir(), secondCalls, "")
	second.Previous = o.Out
	if _, err := DeliverCalls(context.Background(), second); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
}
