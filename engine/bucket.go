package engine

import "sort"

// bucketSort sorts records of one partition into dst by a well mixed key whose
// first used bits are the same in all: first into about as many buckets as
// there are records, then each bucket by compare.
func bucketSort[T any](src, dst []T, offsets []uint32, used int, key func(*T) uint64, compare func(a, b *T) int) ([]T, []uint32) {
	if cap(dst) < len(src) {
		dst = make([]T, len(src), len(src)+len(src)/8)
	}
	dst = dst[:len(src)]
	bits := 1
	for 1<<bits < len(src) {
		bits++
	}
	buckets := 1 << bits
	if cap(offsets) < buckets+1 {
		offsets = make([]uint32, buckets+1)
	}
	offsets = offsets[:buckets+1]
	clear(offsets)
	shift := 64 - bits
	for i := range src {
		offsets[key(&src[i])<<used>>shift+1]++
	}
	for i := 1; i <= buckets; i++ {
		offsets[i] += offsets[i-1]
	}
	for i := range src {
		b := key(&src[i]) << used >> shift
		dst[offsets[b]] = src[i]
		offsets[b]++
	}
	start := uint32(0)
	for _, end := range offsets[:buckets] {
		if end-start > 1 {
			sortSmall(dst[start:end], compare)
		}
		start = end
	}
	return dst, offsets
}

// sortSmall sorts few records by insertion, many with the library.
func sortSmall[T any](s []T, compare func(a, b *T) int) {
	if len(s) > 24 {
		sort.Sort(inPlace[T]{s, compare})
		return
	}
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && compare(&s[j], &s[j-1]) < 0; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

// inPlace compares records where they are. A comparison of copies, as
// slices.SortFunc makes them, would put two on the heap each time.
type inPlace[T any] struct {
	s       []T
	compare func(a, b *T) int
}

func (p inPlace[T]) Len() int           { return len(p.s) }
func (p inPlace[T]) Less(i, j int) bool { return p.compare(&p.s[i], &p.s[j]) < 0 }
func (p inPlace[T]) Swap(i, j int)      { p.s[i], p.s[j] = p.s[j], p.s[i] }
