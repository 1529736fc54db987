package parquetio

import (
	"bytes"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/pierrec/lz4/v4"
)

// inflater decompresses pages into exactly the memory that their headers ask
// for. parquet-go hands most codecs a buffer that grows with what the data
// claims to be, without end for LZ4 that is broken; so pages are decompressed
// here, by the same libraries, before it sees them.
type inflater struct {
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
}

// known reports whether into can undo the codec.
func (c Codec) known() bool {
	switch c {
	case Uncompressed, Snappy, Gzip, Brotli, Zstd, LZ4Raw:
		return true
	}
	return false
}

// into decompresses src to exactly len(dst) bytes.
func (d *inflater) into(dst, src []byte, codec Codec) error {
	if len(dst) == 0 {
		return nil
	}
	n, err := d.decode(dst, src, codec)
	if err != nil {
		return fmt.Errorf("%w: decompress page: %w", ErrCorrupt, err)
	}
	if n != len(dst) {
		return fmt.Errorf("%w: a page decompresses to another size than it says", ErrCorrupt)
	}
	return nil
}

func (d *inflater) decode(dst, src []byte, codec Codec) (int, error) {
	switch codec {
	case Uncompressed:
		copy(dst, src)
		return len(src), nil
	case Snappy:
		return decodeSnappy(dst, src)
	case Zstd:
		return d.decodeZstd(dst, src)
	case Gzip:
		return d.decodeGzip(dst, src)
	case Brotli:
		return d.decodeBrotli(dst, src)
	case LZ4Raw:
		return lz4.UncompressBlock(src, dst)
	}
	return 0, fmt.Errorf("%w: codec %d", ErrUnsupported, codec)
}

func decodeSnappy(dst, src []byte) (int, error) {
	n, err := s2.DecodedLen(src)
	if err != nil || n != len(dst) {
		return n, err
	}
	b, err := parquet.Snappy.Decode(dst, src)
	return len(b), err
}

func (d *inflater) decodeZstd(dst, src []byte) (int, error) {
	if d.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return 0, err
		}
		d.zstd = z
	}
	b, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
	return len(b), err
}

func (d *inflater) decodeGzip(dst, src []byte) (int, error) {
	var err error
	if d.gzip == nil {
		d.gzip, err = gzip.NewReader(bytes.NewReader(src))
	} else {
		err = d.gzip.Reset(bytes.NewReader(src))
	}
	if err != nil {
		return 0, err
	}
	return readExactly(d.gzip, dst)
}

func (d *inflater) decodeBrotli(dst, src []byte) (int, error) {
	if d.brotli == nil {
		d.brotli = brotli.NewReader(bytes.NewReader(src))
	} else if err := d.brotli.Reset(bytes.NewReader(src)); err != nil {
		return 0, err
	}
	return readExactly(d.brotli, dst)
}

// readExactly fills dst and makes sure, by reaching the end, that the codec's
// own checksum was looked at and that nothing follows.
func readExactly(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil {
		return n, err
	}
	var more [1]byte
	switch k, err := io.ReadFull(r, more[:]); {
	case k > 0:
		return n + k, nil
	case err != io.EOF:
		return n, err
	}
	return n, nil
}
