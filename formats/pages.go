package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// pageReader walks JSON and yields the rows in it. It holds one row at a time,
// of at most Limits.Record bytes.
type pageReader struct {
	job   *job
	in    *meteredReader
	dec   *json.Decoder
	depth int             // 1 within an array of pages
	first json.RawMessage // looked at by peek and not yielded yet
	keys  []string        // properties of the first row
	page  page
	more  bool   // the last page names a next one
	asked string // which pages are wanted
}

// page is the object that a pageReader is in.
type page struct {
	open   bool
	inRows bool // within its value array
	paged  bool // it has a value array
	props  []byte
}

func newPageReader(j *job, r io.Reader) *pageReader {
	in := &meteredReader{r: r, job: j}
	p := &pageReader{job: j, in: in, dec: json.NewDecoder(in), asked: "getPstnCalls or getDirectRoutingCalls"}
	p.dec.UseNumber()
	return p
}

// meteredReader stops a reader that takes too much for one value.
type meteredReader struct {
	r    io.Reader
	job  *job
	left int
}

func (m *meteredReader) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, tooLong(m.job)
	}
	n, err := m.r.Read(b[:min(len(b), m.left)])
	m.left -= n
	return n, err
}

func tooLong(j *job) error {
	return j.errorf("", "one of its JSON values is longer than %d bytes", j.opts.Limits.Record)
}

// refill allows for one more value.
func (p *pageReader) refill() { p.in.left = p.job.opts.Limits.Record }

// peek reads the first row, if there is one.
func (p *pageReader) peek() error {
	raw, err := p.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	p.first = raw
	p.keys = keysOf(raw)
	if !slices.Contains(p.keys, "callId") && !slices.Contains(p.keys, "correlationId") {
		return p.job.errorf("export getPstnCalls or getDirectRoutingCalls", "its rows are neither PSTN nor Direct Routing calls: they have no callId and no correlationId")
	}
	return nil
}

// next returns the next row, then io.EOF.
func (p *pageReader) next() (json.RawMessage, error) {
	if raw := p.first; raw != nil {
		p.first = nil
		return raw, nil
	}
	for {
		raw, err := p.step()
		if err != nil {
			return nil, p.explain(err)
		}
		if raw != nil {
			return raw, nil
		}
	}
}

// step takes one token, property or row.
func (p *pageReader) step() (json.RawMessage, error) {
	p.refill()
	switch {
	case p.page.inRows:
		return p.row()
	case p.page.open:
		return p.property()
	}
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch {
	case t == json.Delim('[') && p.depth == 0:
		p.depth++
	case t == json.Delim(']'):
		p.depth--
	case t == json.Delim('{'):
		p.page = page{open: true, props: p.page.props[:0]}
		p.more = false
	default:
		return nil, errNoPage
	}
	return nil, nil
}

var errNoPage = errors.New("neither a page nor a row")

// row returns the next element of the value array; nil at its end.
func (p *pageReader) row() (raw json.RawMessage, err error) {
	if p.dec.More() {
		err = p.dec.Decode(&raw)
		return raw, err
	}
	if _, err = p.dec.Token(); err == nil {
		p.page.inRows = false
	}
	return nil, err
}

// property reads one property of the object. An object that ends without a
// value array is a row itself.
func (p *pageReader) property() (json.RawMessage, error) {
	if !p.dec.More() {
		return p.endOfPage()
	}
	key, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if key == "value" {
		return nil, p.openRows()
	}
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return nil, err
	}
	p.more = p.more || key == "@odata.nextLink"
	return nil, p.collect(key, raw)
}

// openRows enters the value array.
func (p *pageReader) openRows() error {
	t, err := p.dec.Token()
	if err == nil && t != json.Delim('[') {
		err = errNoPage
	}
	p.page.inRows, p.page.paged = true, true
	return err
}

// collect keeps a property for the case that the object is a row itself.
func (p *pageReader) collect(key json.Token, raw json.RawMessage) error {
	name, err := json.Marshal(key)
	if err != nil || p.page.paged {
		return err
	}
	if len(p.page.props) > p.job.opts.Limits.Record {
		return tooLong(p.job)
	}
	p.page.props = append(append(append(append(p.page.props, ','), name...), ':'), raw...)
	return nil
}

func (p *pageReader) endOfPage() (json.RawMessage, error) {
	if _, err := p.dec.Token(); err != nil {
		return nil, err
	}
	p.page.open = false
	if p.page.paged {
		return nil, nil
	}
	if len(p.page.props) > 0 {
		p.page.props[0] = '{'
		return append(bytes.Clone(p.page.props), '}'), nil
	}
	return json.RawMessage("{}"), nil
}

// explain turns an error of the decoder into a reason.
func (p *pageReader) explain(err error) error {
	var file *FileError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && p.depth == 0 && !p.page.open:
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p.job.truncatedf(askAgain, "truncated: the JSON ends too early")
	case errors.As(err, &syntax):
		return p.job.errorf(askAgain, "it is not JSON from byte %d on", p.dec.InputOffset())
	case errors.Is(err, errNoPage):
		return p.job.errorf("export the pages of "+p.asked+" as they come", "its JSON is neither pages nor rows, at byte %d", p.dec.InputOffset())
	case errors.As(err, &file):
		return err
	}
	return fmt.Errorf("read %s: %w", p.job.Name, err)
}

// unknown lists the properties of the first row that nobody reads.
func (p *pageReader) unknown(index map[string]int) []string {
	known := dropped()
	return slices.DeleteFunc(slices.Clone(p.keys), func(k string) bool {
		_, ok := index[k]
		return ok || slices.Contains(known, k)
	})
}

// keysOf returns the properties of an object in order; none of anything else.
func keysOf(raw json.RawMessage) []string {
	var keys []string
	walkObject(raw, func(key, _ []byte) { keys = append(keys, string(key)) })
	return keys
}
