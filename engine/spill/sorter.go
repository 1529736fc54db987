package spill

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"iter"
	"slices"
)

// Sorter puts byte records in the order of their keys; records with equal
// keys in the order of their values. It holds up to a limit in memory and
// writes sorted runs to a scratch file beyond it. It is not safe for
// concurrent use; several are merged by Sorted.
type Sorter struct {
	area  *Area
	limit int
	arena []byte
	items []item
	runs  []run
}

type item struct {
	prefix   uint64 // first eight bytes of the key
	off      uint32
	key, val uint32
}

type run struct{ off, end int64 }

// NewSorter returns an empty sorter that holds about limit bytes in memory.
func NewSorter(s Scratch, limit int) *Sorter {
	return &Sorter{area: NewArea(new(Budget), s), limit: max(limit, 4096)}
}

// Add keeps a copy of a key and a value.
func (s *Sorter) Add(key, val []byte) error {
	if len(s.arena)+len(key)+len(val)+24*len(s.items) > s.limit && len(s.items) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.items = append(s.items, item{prefixOf(key), uint32(len(s.arena)), uint32(len(key)), uint32(len(val))})
	s.arena = append(append(s.arena, key...), val...)
	return nil
}

func prefixOf(key []byte) uint64 {
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (s *Sorter) entry(i item) (key, val []byte) {
	e := s.arena[i.off : i.off+i.key+i.val]
	return e[:i.key], e[i.key:]
}

func (s *Sorter) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		ak, av := s.entry(a)
		bk, bv := s.entry(b)
		if c := bytes.Compare(ak, bk); c != 0 {
			return c
		}
		return bytes.Compare(av, bv)
	})
}

const runChunk = 256 << 10

// spill writes what is in memory as a sorted run.
func (s *Sorter) spill() error {
	s.sort()
	r := run{off: s.area.end.Load()}
	buf := make([]byte, 0, runChunk)
	for _, i := range s.items {
		key, val := s.entry(i)
		buf = binary.BigEndian.AppendUint32(buf, i.key)
		buf = binary.BigEndian.AppendUint32(buf, i.val)
		buf = append(append(buf, key...), val...)
		if len(buf) >= runChunk/2 {
			if _, err := s.area.write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	if _, err := s.area.write(buf); err != nil {
		return err
	}
	r.end = s.area.end.Load()
	s.runs = append(s.runs, r)
	s.items, s.arena = s.items[:0], s.arena[:0]
	return nil
}

// Close drops everything.
func (s *Sorter) Close() error {
	s.arena, s.items, s.runs = nil, nil, nil
	return s.area.Close()
}

// Entry is a record in order. It is valid until the next one.
type Entry struct{ Key, Val []byte }

// Sorted yields the records of all sorters in one order. It may be called
// again; nothing may be added after the first call.
func Sorted(sorters ...*Sorter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var h cursors
		for _, s := range sorters {
			s.sort()
			h = append(h, &cursor{s: s, memory: true, next: 0})
			for _, r := range s.runs {
				h = append(h, &cursor{s: s, off: r.off, end: r.end})
			}
		}
		if err := merge(h, yield); err != nil {
			yield(Entry{}, err)
		}
	}
}

// merge yields the entries of all cursors; a nil error also means that the
// consumer stopped.
func merge(all cursors, yield func(Entry, error) bool) error {
	var h cursors
	for _, c := range all {
		ok, err := c.advance()
		if err != nil {
			return err
		}
		if ok {
			h = append(h, c)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		c := h[0]
		if !yield(c.Entry, nil) {
			return nil
		}
		ok, err := c.advance()
		switch {
		case err != nil:
			return err
		case ok:
			heap.Fix(&h, 0)
		default:
			heap.Pop(&h)
		}
	}
	return nil
}

// cursor walks a run in a file, or a sorter's memory.
type cursor struct {
	Entry
	s        *Sorter
	memory   bool
	next     int // in memory
	off, end int64
	at       []byte // what was read and not yet given out
}

func (c *cursor) advance() (bool, error) {
	if c.memory {
		if c.next == len(c.s.items) {
			return false, nil
		}
		c.Key, c.Val = c.s.entry(c.s.items[c.next])
		c.next++
		return true, nil
	}
	if ok, err := c.fill(8); !ok {
		return false, err
	}
	key, val := int(binary.BigEndian.Uint32(c.at)), int(binary.BigEndian.Uint32(c.at[4:]))
	if _, err := c.fill(8 + key + val); err != nil {
		return false, err
	}
	e := c.at[8 : 8+key+val]
	c.Key, c.Val, c.at = e[:key], e[key:], c.at[8+key+val:]
	return true, nil
}

// fill sees to it that n bytes are at hand; false at the end of the run.
func (c *cursor) fill(n int) (bool, error) {
	if len(c.at) >= n {
		return true, nil
	}
	if len(c.at) == 0 && c.off == c.end {
		return false, nil
	}
	more := int(min(c.end-c.off, int64(max(runChunk/4, n))))
	buf := make([]byte, len(c.at)+more)
	copy(buf, c.at)
	if err := c.s.area.readAt(buf[len(c.at):], c.off); err != nil {
		return false, err
	}
	c.off += int64(more)
	c.at = buf
	return true, nil
}

type cursors []*cursor

func (h cursors) Len() int { return len(h) }
func (h cursors) Less(i, j int) bool {
	if c := bytes.Compare(h[i].Key, h[j].Key); c != 0 {
		return c < 0
	}
	return bytes.Compare(h[i].Val, h[j].Val) < 0
}
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
