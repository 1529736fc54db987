package qualityio

import (
	"encoding/binary"
	"errors"

	"concord/engine/quality"
)

// Packer turns rows into bytes and back, for who sorts or spills them. The
// bytes are for the same program only. It is not safe for concurrent use.
type Packer struct {
	columns []column
	buf     []byte
}

// NewPacker returns a Packer.
func NewPacker() *Packer { return &Packer{columns: columns()} }

// Pack appends a row that Check accepts. Equal rows give equal bytes.
func (p *Packer) Pack(b []byte, r *quality.Row) []byte {
	for i := range p.columns {
		c := &p.columns[i]
		p.buf = p.buf[:0]
		if c.text != nil {
			p.buf = append(p.buf, *c.text(r)...)
		} else {
			p.buf = c.append(p.buf, r)
		}
		b = binary.AppendUvarint(b, uint64(len(p.buf)))
		b = append(b, p.buf...)
	}
	return b
}

// Unpack reads what Pack appended. It keeps nothing of b.
func (p *Packer) Unpack(b []byte, r *quality.Row) error {
	*r = quality.Row{}
	for i := range p.columns {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return errPacked
		}
		if p.columns[i].set(r, b[k:k+int(n)]) != "" {
			return errPacked
		}
		b = b[k+int(n):]
	}
	if len(b) > 0 {
		return errPacked
	}
	return nil
}

var errPacked = errors.New("a packed quality row is damaged")
