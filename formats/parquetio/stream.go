package parquetio

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// stream gives parquet-go the pages of one column of one row group, each
// checked and decompressed, as if the column had been written without
// compression. It is an io.ReaderAt that is read from its begin to its end.
type stream struct {
	file       *File
	col        *Column
	win        window
	codec      Codec
	left       int64 // values of the column not yet in a page
	pass       int64 // values to pass over before the first
	at         int64 // bytes handed out
	head       []byte
	headBuf    []byte
	body       bool       // the body of page is to be handed out
	page       pageHeader // the page being handed out
	values     int        // bytes of the page's values
	present    int        // values of the page that are not null
	rest       []byte     // of a body that was read in pieces
	began      bool       // a data page was seen
	dict       bool       // a dictionary was seen
	dictSize   int        // bytes of its values
	dictValues int
	inflate    inflater
	err        error // why it ended early
}

// newStream begins a column of a row group with the buffers of one that is
// done, if there is any.
func newStream(f *File, group, col int, pass int64) *stream {
	ch := f.foot.groups[group].chunks[col]
	s, ok := f.spare.Get().(*stream)
	if !ok {
		s = new(stream)
	}
	*s = stream{
		file: f, col: &f.foot.cols[col], codec: ch.codec, left: ch.values, pass: pass,
		win:     window{r: f.r, pos: ch.start, end: ch.end, buf: s.win.buf[:0]},
		headBuf: s.headBuf, inflate: s.inflate,
	}
	return s
}

// ReadAt implements io.ReaderAt for one reader that goes forwards.
func (s *stream) ReadAt(p []byte, off int64) (n int, err error) {
	switch {
	case s.err != nil:
		return 0, s.err
	case off != s.at:
		err = errors.New("read pages out of order")
	case len(s.head) == 0 && !s.body && len(s.rest) == 0:
		err = s.next()
	}
	if err == nil {
		n, err = s.give(p)
	}
	if err != nil {
		s.err = err
		return 0, err // a full read would hide the error
	}
	s.at += int64(n)
	return n, nil
}

// give copies what is ready: a header, or a body.
func (s *stream) give(p []byte) (n int, err error) {
	switch {
	case len(s.head) > 0:
		n = copy(p, s.head)
		s.head = s.head[n:]
	case s.body && len(p) >= s.page.size:
		n, s.body = s.page.size, false
		err = s.unpack(p[:n])
	case s.body:
		s.rest, s.body = make([]byte, s.page.size), false
		if err = s.unpack(s.rest); err == nil {
			n, err = s.give(p)
		}
	default:
		n = copy(p, s.rest)
		s.rest = s.rest[n:]
	}
	return n, err
}

// next goes on to the next page that is to be decoded, or returns io.EOF.
func (s *stream) next() error {
	for s.left > 0 {
		h, err := s.win.header()
		if err == nil {
			err = h.check(s.file.lim)
		}
		if err != nil {
			return err
		}
		if int64(h.packed) > s.win.end-s.win.pos {
			return errBeyond
		}
		switch h.kind {
		case pageDictionary:
			return s.begin(&h)
		case pageData, pageDataV2:
			s.began = true
			if int64(h.values) > s.left {
				return fmt.Errorf("%w: a column has more values than its row group rows", ErrCorrupt)
			}
			s.left -= int64(h.values)
			if h.values > 0 && int64(h.values) > s.pass {
				return s.begin(&h)
			}
			s.pass -= int64(h.values)
		}
		s.win.skip(int64(h.packed))
	}
	return io.EOF
}

var errBeyond = fmt.Errorf("%w: a page ends beyond its column", ErrCorrupt)

// begin makes the page's new header ready.
func (s *stream) begin(h *pageHeader) (err error) {
	if err := s.accept(h); err != nil {
		return err
	}
	s.page, s.body = *h, h.size > 0
	s.headBuf = s.headBuf[:0]
	if h.indexed() && !s.dict {
		// Some writers leave out the dictionary of a column of nulls.
		s.dict = true
		if s.headBuf, err = appendHeader(s.headBuf, &pageHeader{kind: pageDictionary}); err != nil {
			return err
		}
	}
	if h.encoding == encRLE || h.size == 0 {
		if err := s.ahead(h); err != nil {
			return err
		}
	}
	s.headBuf, err = appendHeader(s.headBuf, h)
	s.head = s.headBuf
	return err
}

// ahead unpacks a page before its header is handed out. A page of nulls in the
// run-length encoding of booleans may be empty, which parquet-go does not take;
// as plain values it does.
func (s *stream) ahead(h *pageHeader) error {
	s.rest, s.body = make([]byte, h.size), false
	if err := s.unpack(s.rest); err != nil {
		return err
	}
	if h.encoding == encRLE && s.present == 0 {
		h.encoding = encPlain
		s.page.encoding = encPlain
	}
	return nil
}

// minDecoded is how many bytes a value takes at least once decoded.
const minDecoded = 4

// accept checks what a header says against the column.
func (s *stream) accept(h *pageHeader) error {
	if !s.codec.known() {
		return fmt.Errorf("%w: compression codec %d", ErrUnsupported, s.codec)
	}
	if h.kind == pageDictionary {
		if s.dict || s.began {
			return fmt.Errorf("%w: a dictionary is not where it belongs", ErrCorrupt)
		}
		s.dict = true
		if h.encoding != encPlain && h.encoding != encPlainDictionary {
			return fmt.Errorf("%w: encoding %d of a dictionary", ErrUnsupported, h.encoding)
		}
		return nil
	}
	if most := s.file.lim.Page / minDecoded; int64(h.values) > most {
		return fmt.Errorf("%w: a page has %d values, at most %d are accepted", ErrLimit, h.values, most)
	}
	return checkEncoding(s.col, h.encoding)
}

// unpack reads the page's bytes, compares their checksum, decompresses them
// to dst and looks them over.
func (s *stream) unpack(dst []byte) error {
	h := &s.page
	large, ok := s.file.large.Get().(*[]byte)
	if !ok {
		large = new([]byte)
	}
	defer s.file.large.Put(large)
	b, err := s.win.take(h.packed, large)
	if err != nil {
		return err
	}
	if err := s.verify(b); err != nil {
		return err
	}
	levels, codec := 0, s.codec
	if h.kind == pageDataV2 {
		levels = h.defLevels + h.repLevels // never compressed
		copy(dst, b[:levels])
		if !h.compressed {
			codec = Uncompressed
		}
	}
	if codec == Uncompressed && len(b) != len(dst) {
		return fmt.Errorf("%w: a page has another size than it says", ErrCorrupt)
	}
	if err := s.inflate.into(dst[levels:], b[levels:], codec); err != nil {
		return err
	}
	return s.look(dst)
}

// look checks the values of a page.
func (s *stream) look(b []byte) error {
	h := &s.page
	if h.kind == pageDictionary {
		s.dictSize, s.dictValues = len(b), h.values
		return inspect(s.col, encPlain, b, h.values, s.file.lim.Page)
	}
	values, present, err := h.pageBody(s.col, b)
	if err != nil {
		return err
	}
	s.values, s.present = len(values), present
	return inspect(s.col, h.encoding, values, present, s.file.lim.Page)
}

func (s *stream) verify(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if !s.page.hasCRC {
		s.file.unchecked.Add(1)
		return nil
	}
	if crc32.ChecksumIEEE(b) != s.page.crc {
		return fmt.Errorf("%w: the checksum of a page does not agree", ErrCorrupt)
	}
	s.file.checked.Add(1)
	return nil
}

// finish checks that the column has no more values than its row group rows.
func (s *stream) finish() error {
	if s.left > 0 {
		return fmt.Errorf("%w: a column has more values than were read", ErrCorrupt)
	}
	for s.win.pos < s.win.end {
		h, err := s.win.header()
		if errors.Is(err, ErrCorrupt) {
			return nil // padding
		}
		if err != nil {
			return err
		}
		if (h.kind == pageData || h.kind == pageDataV2) && h.values > 0 {
			return fmt.Errorf("%w: a column has more values than its row group rows", ErrCorrupt)
		}
		s.win.skip(int64(max(h.packed, 0)))
	}
	return nil
}
