package formats

import (
	"unicode/utf8"

	"concord/engine"
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
	odd     bool // some value of the dictionary is too long or no text
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
		return
	}
	switch {
	case s.kind == KindNumber || s.kind == KindDirection || s.kind == KindSource:
		if w.dict != v.Dict {
			w.learn(v.Dict, s)
		}
	case v.Dict.Ints != nil:
		w.ints = pick(&w.scratch.Ints, v.Dict.Ints, v)
	default:
		w.spans, w.data = pick(&w.scratch.Spans, v.Dict.Spans, v), v.Dict.Data
	}
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
	w.dict, w.odd, w.numbers, w.words = d, false, w.numbers[:0], w.words[:0]
	for _, sp := range d.Spans {
		text := sp.In(d.Data)
		w.odd = w.odd || badText(bytesOf(text), int(s.most)) != ""
		if s.kind == KindNumber {
			w.numbers = append(w.numbers, engine.ParseNumber(text))
		} else {
			w.words = append(w.words, s.word(text))
		}
	}
}

// word reads a direction or a duration source.
func (s *setter) word(text string) word {
	var c engine.Call
	if text == "" {
		return word{}
	}
	if s.kind == KindDirection {
		reason := setDirection(bytesOf(text), &c)
		return word{uint8(c.Direction), reason}
	}
	reason := setSource(bytesOf(text), &c)
	return word{uint8(c.Source), reason}
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
