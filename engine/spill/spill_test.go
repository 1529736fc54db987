package spill_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"concord/engine/spill"
	"pgregory.net/rapid"
)

// disk is a Scratch in memory that counts its operations and can fail one.
type disk struct {
	mu      sync.Mutex
	ops     int
	failAt  int // this operation fails, counted from 1; 0: none
	open    int
	written int64
}

var errDisk = errors.New("the disk is broken")

func (d *disk) op() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	if d.ops == d.failAt {
		return errDisk
	}
	return nil
}

func (d *disk) Create() (spill.File, error) {
	if err := d.op(); err != nil {
		return nil, err
	}
	d.open++
	return &diskFile{d: d}, nil
}

type diskFile struct {
	d    *disk
	mu   sync.Mutex
	data []byte
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.d.op(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if need := int(off) + len(p); need > len(f.data) {
		f.data = append(f.data, make([]byte, need-len(f.data))...)
	}
	f.d.written += int64(len(p))
	return copy(f.data[off:], p), nil
}

func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.op(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := copy(p, f.data[min(int(off), len(f.data)):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *diskFile) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.d.open--
	return nil
}

type pair struct{ a, b uint64 }

func TestShuffleKeepsEveryRecordInItsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := new(disk)
		parts := rapid.IntRange(1, 9).Draw(t, "partitions")
		s := spill.NewShuffle[pair](spill.NewBudget(rapid.Int64Range(0, 4000).Draw(t, "budget")), d, parts, rapid.IntRange(1, 200).Draw(t, "block"))
		want := make([][]pair, parts)
		for w := range rapid.IntRange(1, 3).Draw(t, "writers") {
			out := s.Writer()
			for i := range rapid.IntRange(0, 100).Draw(t, "records") {
				v := pair{uint64(w), uint64(i)}
				p := rapid.IntRange(0, parts-1).Draw(t, "partition")
				out.Add(p, &v)
				want[p] = append(want[p], v)
			}
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for p := range parts {
			var seen []pair
			if err := s.Each(p, func(v []pair) error { seen = append(seen, v...); return nil }); err != nil {
				t.Fatal(err)
			}
			if n := s.Len(p); n != len(want[p]) {
				t.Fatalf("partition %d says %d records, want %d", p, n, len(want[p]))
			}
			got, err := s.Load(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, of := range [][]pair{seen, got, want[p]} {
				slices.SortFunc(of, func(x, y pair) int { return slices.Compare([]uint64{x.a, x.b}, []uint64{y.a, y.b}) })
			}
			if !slices.Equal(got, want[p]) || !slices.Equal(seen, want[p]) {
				t.Fatalf("partition %d lost records: %v, %v, want %v", p, seen, got, want[p])
			}
		}
		if err := s.Close(); err != nil || d.open != 0 {
			t.Fatalf("close: %v, %d files left open", err, d.open)
		}
	})
}

func TestSorterIsOneOrderWhateverItsMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := new(disk)
		var sorters []*spill.Sorter
		var want []string
		for range rapid.IntRange(1, 3).Draw(t, "sorters") {
			s := spill.NewSorter(d, rapid.SampledFrom([]int{0, 5000, 1 << 20}).Draw(t, "limit"))
			for range rapid.IntRange(0, 300).Draw(t, "records") {
				key := rapid.SliceOfN(rapid.ByteRange(0, 3), 0, 10).Draw(t, "key")
				val := binary.AppendUvarint(nil, rapid.Uint64Range(0, 300).Draw(t, "value"))
				if err := s.Add(key, val); err != nil {
					t.Fatal(err)
				}
				want = append(want, entryText(key, val))
			}
			sorters = append(sorters, s)
		}
		slices.Sort(want)
		for range 2 { // it can be read again
			var got []string
			for e, err := range spill.Sorted(sorters...) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, entryText(e.Key, e.Val))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		for _, s := range sorters {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// entryText writes a record so that texts compare as records do.
func entryText(key, val []byte) string {
	var b bytes.Buffer
	for _, k := range key {
		b.WriteByte('a' + k)
	}
	b.WriteByte(' ')
	b.Write(val)
	return b.String()
}

// A scratch disk that fails at any operation must end the work with its error:
// a swallowed one would lose records.
func TestEveryDiskErrorIsReported(t *testing.T) {
	for i := 1; ; i++ {
		d := &disk{failAt: i}
		err := useDisk(d)
		if d.ops < i {
			if err != nil {
				t.Fatalf("no operation failed, yet: %v", err)
			}
			if i < 20 {
				t.Fatalf("only %d operations were swept", i)
			}
			return
		}
		if !errors.Is(err, errDisk) {
			t.Fatalf("operation %d failed, the work says: %v", i, err)
		}
		if d.open != 0 {
			t.Fatalf("operation %d failed and left %d files open", i, d.open)
		}
	}
}

// useDisk goes through every way to the disk.
func useDisk(d *disk) (err error) {
	b := spill.NewBudget(100)
	sh, bl, so := spill.NewShuffle[pair](b, d, 2, 64), spill.NewBlobs(b, d), spill.NewSorter(d, 0)
	defer func() { err = errors.Join(err, sh.Close(), bl.Close(), so.Close()) }()
	w := sh.Writer()
	for i := range 40 {
		w.Add(i%2, &pair{uint64(i), 0})
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := sh.Each(0, func([]pair) error { return nil }); err != nil {
		return err
	}
	for p := range 2 {
		if _, err := sh.Load(p, nil); err != nil {
			return err
		}
	}
	ref, err := bl.Put(make([]byte, 500))
	if err != nil {
		return err
	}
	if _, err := bl.Get(ref, nil); err != nil {
		return err
	}
	for i := range 100 {
		if err := so.Add([]byte{byte(i)}, make([]byte, 100)); err != nil {
			return err
		}
	}
	for _, err := range spill.Sorted(so) {
		if err != nil {
			return err
		}
	}
	return nil
}
