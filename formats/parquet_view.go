package formats

import (
	"encoding/binary"
	"unicode/utf8"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"
)

// view is a column of the batch with the dictionary resolved: spans and ints
// hold a slot a row. words and numbers are what dictionary values mean.
type view struct {
	vec     *parquetio.Vector
	spans   []parquetio.Span
	data    []byte
	ints    []int64
	nulls   []bool
	dict    *parquetio.Dict // what words and numbers are of
	numbers []engine.Number
	words   []word
	odd     bool // some text of the batch may be too long or not UTF-8
	oddDict bool // the same of the dictionary
	scratch parquetio.Values
}

// word is the meaning of a direction or a duration source.
type word struct {
	value  uint8
	reason string
}

// resolve makes a view of v.
func (w *view) resolve(v *parquetio.Vector, s *setter) {
	w.vec, w.nulls = v, v.Nulls
	w.spans, w.data, w.ints = v.Spans, v.Data, v.Ints
	if v.Dict == nil {
		w.odd = oddSpans(v.Spans, v.Data, s.most)
		return
	}
	if w.dict != v.Dict {
		w.learn(v.Dict, s)
	}
	w.odd = w.oddDict
	switch {
	case s.kind == dialect.KindNumber || s.kind == dialect.KindDirection || s.kind == dialect.KindSource:
	case v.Dict.Ints != nil:
		w.ints = pick(&w.scratch.Ints, v.Dict.Ints, v)
	default:
		w.spans, w.data = pick(&w.scratch.Spans, v.Dict.Spans, v), v.Dict.Data
	}
}

// oddSpans reports whether a text may be too long or not UTF-8, and has to be
// looked at by itself. It looks at the bytes from the first text to the last
// at once: all ASCII, as are the lengths between them in a PLAIN page.
func oddSpans(spans []parquetio.Span, data []byte, most uint32) bool {
	from, to := uint32(len(data)), uint32(0)
	for _, sp := range spans {
		if sp.Len > most {
			return true
		}
		if sp.Len > 0 {
			from, to = min(from, sp.Off), max(to, sp.Off+sp.Len)
		}
	}
	return from < to && !ascii(data[from:to])
}

func ascii(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 32 {
		x := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) | binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if x&high != 0 {
			return false
		}
		b = b[32:]
	}
	var x byte
	for _, ch := range b {
		x |= ch
	}
	return x < utf8.RuneSelf
}

// pick looks up the values of a batch in a dictionary. A null becomes zero.
func pick[T any](scratch *[]T, dict []T, v *parquetio.Vector) []T {
	if cap(*scratch) < len(v.Index) {
		*scratch = make([]T, batchRows)
	}
	s := (*scratch)[:len(v.Index)]
	if v.Nulls == nil {
		for i, at := range v.Index {
			s[i] = dict[at]
		}
		return s
	}
	clear(s)
	for i, at := range v.Index {
		if !v.Nulls[i] {
			s[i] = dict[at]
		}
	}
	return s
}

// learn works out what each value of a dictionary means, once.
func (w *view) learn(d *parquetio.Dict, s *setter) {
	w.dict, w.numbers, w.words = d, w.numbers[:0], w.words[:0]
	w.oddDict = oddSpans(d.Spans, d.Data, s.most)
	for _, sp := range d.Spans {
		switch s.kind {
		case dialect.KindNumber:
			w.numbers = append(w.numbers, engine.ParseNumber(sp.In(d.Data)))
		case dialect.KindDirection, dialect.KindSource:
			w.words = append(w.words, s.word(sp.In(d.Data)))
		}
	}
}

// word reads a direction or a duration source.
func (s *setter) word(text string) word {
	if text == "" {
		return word{}
	}
	if s.kind == dialect.KindDirection {
		dir, reason := dialect.ParseDirection(text)
		return word{uint8(dir), reason}
	}
	src, reason := dialect.ParseSource(text)
	return word{uint8(src), reason}
}

func (v *view) null(i int) bool { return v.nulls != nil && v.nulls[i] }

// word returns what the value of a row means.
func (v *view) word(s *setter, row int) word {
	switch {
	case v.null(row):
		return word{}
	case v.vec.Dict != nil:
		return v.words[v.vec.Index[row]]
	}
	return s.word(v.text(row))
}

// text returns the value of a row that is not null.
func (v *view) text(row int) string {
	if v.vec.Dict != nil {
		return v.dict.Spans[v.vec.Index[row]].In(v.dict.Data)
	}
	return v.spans[row].In(v.data)
}

// badText says why b cannot be the text of a field.
func badText(b []byte, most int) string {
	switch {
	case len(b) > most:
		return reasonWide
	case !utf8.Valid(b):
		return reasonUTF8
	}
	return ""
}
