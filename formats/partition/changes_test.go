package partition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"concord/formats"
)

func csvInput(text string) formats.Input {
	return formats.Input{Name: "calls.csv", R: strings.NewReader(text), Size: int64(len(text))}
}

func compare(t *testing.T, text string, previous []byte, memory int) (*Comparison, []byte, string, error) {
	t.Helper()
	var index, removed, changes bytes.Buffer
	f := Files{Index: &index, Removed: &removed, Scratch: fileScratch{t.TempDir()}, Memory: memory}
	if previous != nil {
		f.Previous = bytes.NewReader(previous)
	}
	c, err := Compare(context.Background(), csvInput(text), CallKey(), f)
	if err == nil {
		err = WriteChanges(context.Background(), csvInput(text), c, &removed, &changes)
	}
	return c, index.Bytes(), changes.String(), err
}

func TestLateVersionsAreSentAgain(t *testing.T) {
	head := "record_id,duration_ms,note\n"
	c, first, changes, err := compare(t, head+"a,1,\nb,2,\"x,\ny\"\na,3,\nc,4,\n", nil, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rows != 4 || c.Added != 3 || c.Superseded != 1 || !c.IsSuperseded(1) || c.IsSuperseded(3) || c.IsSuperseded(999) {
		t.Errorf("%+v", c)
	}
	if want := "change,record_id,duration_ms,note\nadded,b,2,\"x,\ny\"\nadded,a,3,\nadded,c,4,\n"; changes != want {
		t.Errorf("%q", changes)
	}
	c, _, changes, err = compare(t, head+"d,9,\nb,2,\"x,\ny\"\nc,5,\n", first, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if c.Added != 1 || c.Changed != 1 || c.Removed != 1 {
		t.Errorf("%+v", c)
	}
	if want := "change,record_id,duration_ms,note\nadded,d,9,\nchanged,c,5,\nremoved,a,,\n"; changes != want {
		t.Errorf("%q", changes)
	}
}

// Against a plain map, in memory and on disk.
func TestComparisonAgreesWithAMap(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		world := func() (string, map[string]string) {
			var b strings.Builder
			b.WriteString("record_id,duration_ms\n")
			m := map[string]string{}
			for range r.IntN(300) {
				id, v := fmt.Sprint(r.IntN(200)), fmt.Sprint(r.IntN(3))
				fmt.Fprintf(&b, "%s,%s\n", id, v)
				m[id] = v
			}
			return b.String(), m
		}
		old, was := world()
		text, now := world()
		_, index, _, err := compare(t, old, nil, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var added, changed, gone int64
		for id, v := range now {
			switch before, known := was[id]; {
			case !known:
				added++
			case before != v:
				changed++
			}
		}
		for id := range was {
			if _, there := now[id]; !there {
				gone++
			}
		}
		for _, memory := range []int{1 << 20, 4096} {
			c, _, lines, err := compare(t, text, index, memory)
			if err != nil || c.Added != added || c.Changed != changed || c.Removed != gone || c.Rows-c.Superseded != int64(len(now)) {
				t.Fatalf("seed %d: %v, %+v; want %d added, %d changed, %d gone of %d", seed, err, c, added, changed, gone, len(now))
			}
			for line := range strings.Lines(lines) {
				if id, is := strings.CutPrefix(line, "removed,"); is {
					id, _, _ = strings.Cut(id, ",")
					if _, there := now[id]; there || was[id] == "" {
						t.Fatalf("seed %d: %q", seed, line)
					}
					gone--
				}
			}
			if gone += c.Removed; gone != c.Removed {
				t.Fatalf("seed %d: not every removed record has a line", seed)
			}
		}
	}
}

// Records may be named by anything that a field can hold.
func TestRemovedRecordsAreNamedAsTheyWere(t *testing.T) {
	_, index, _, err := compare(t, "x,record_id\n1,\"a,\"\"b\nc\"\n2,ü\n", nil, 1<<20)
	if err != nil || CheckIndex(bytes.NewReader(index)) != nil {
		t.Fatal(err)
	}
	if _, _, changes, err := compare(t, "x,record_id\n2,ü\n", index, 1<<20); err != nil || changes != "change,x,record_id\nremoved,,\"a,\"\"b\nc\"\n" {
		t.Errorf("%q, %v", changes, err)
	}
}

// No flipped bit and no missing end of an index goes unnoticed.
func TestDamagedIndex(t *testing.T) {
	text := "record_id\na\nb\nc\n"
	_, index, _, err := compare(t, text, nil, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range index {
		bad := bytes.Clone(index)
		bad[i] ^= 0x10
		for _, b := range [][]byte{bad, index[:i]} {
			_, _, _, err := compare(t, text, b, 1<<20)
			if !errors.Is(err, ErrDamagedIndex) || !errors.Is(CheckIndex(bytes.NewReader(b)), ErrDamagedIndex) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}

func TestCompareNeedsItsKey(t *testing.T) {
	if _, _, _, err := compare(t, "id\na\n", nil, 1<<20); err == nil || !strings.Contains(err.Error(), "record_id") {
		t.Error(err)
	}
}
