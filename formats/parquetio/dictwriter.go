package parquetio

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Beyond these a dictionary stops to pay and the column goes on without it.
const (
	maxDictValues = 1 << 16
	maxDictBytes  = 1 << 20
)

// dictWriter collects the distinct values of a column in one row group.
type dictWriter struct {
	open    bool // values still go into it
	strings bool
	n       int
	values  []byte // PLAIN
	index   map[string]uint32
	keys    []string
	last    uint32 // the value added last, which often comes again
}

func newDictWriter(c WriteColumn) *dictWriter {
	if !c.Dictionary || c.Physical == Boolean || c.Physical == Double {
		return nil
	}
	return &dictWriter{open: true, strings: c.Physical == ByteArray, index: map[string]uint32{}}
}

func (d *dictWriter) fits() bool { return d.n < maxDictValues && len(d.values) < maxDictBytes }

func (d *dictWriter) reset() {
	clear(d.index)
	d.open, d.n, d.values, d.keys, d.last = true, 0, d.values[:0], d.keys[:0], 0
}

// add returns the position of s, which is copied when it is new.
func (d *dictWriter) add(s string) uint32 {
	if d.n > 0 && s == d.keys[d.last] {
		return d.last
	}
	at, ok := d.index[s]
	if !ok {
		at = uint32(d.n)
		d.insert(strings.Clone(s))
	}
	d.last = at
	return at
}

func (d *dictWriter) insert(s string) {
	d.index[s] = uint32(d.n)
	d.keys = append(d.keys, s)
	d.n++
	if d.strings {
		d.values = binary.LittleEndian.AppendUint32(d.values, uint32(len(s)))
	}
	d.values = append(d.values, s...)
}

// packer compresses pages.
type packer struct {
	codec Codec
	zstd  *zstd.Encoder
	buf   []byte
}

func (p *packer) open(codec Codec) (err error) {
	p.codec = codec
	switch codec {
	case Uncompressed, Snappy:
	case Zstd:
		p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	default:
		err = fmt.Errorf("%w: writing with codec %d", ErrUnsupported, codec)
	}
	return err
}

// pack returns b compressed, valid until the next call.
func (p *packer) pack(b []byte) []byte {
	switch p.codec {
	case Snappy:
		p.buf = grow(p.buf[:cap(p.buf)], s2.MaxEncodedLen(len(b)))
		return s2.EncodeSnappy(p.buf, b)
	case Zstd:
		p.buf = p.zstd.EncodeAll(b, p.buf[:0])
		return p.buf
	}
	return b
}

func (p *packer) close() {
	if p.zstd != nil {
		p.zstd.Close()
	}
}
