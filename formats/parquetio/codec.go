package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// decompressor undoes the codecs. What it returns never has another size than
// the page's header said, and no codec gets to write beyond it. It holds
// memory only, so that it needs no closing.
type decompressor struct {
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
}

// into decompresses src to exactly len(dst) bytes.
func (d *decompressor) into(dst, src []byte, codec Codec) error {
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

func (d *decompressor) decode(dst, src []byte, codec Codec) (int, error) {
	switch codec {
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
	case LZ4Hadoop:
		return decodeHadoop(dst, src)
	}
	return 0, fmt.Errorf("%w: codec %d", ErrUnsupported, codec)
}

func decodeSnappy(dst, src []byte) (int, error) {
	n, err := s2.DecodedLen(src)
	if err != nil || n != len(dst) {
		return n, err
	}
	b, err := s2.Decode(dst, src)
	return len(b), err
}

func (d *decompressor) decodeZstd(dst, src []byte) (int, error) {
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

func (d *decompressor) decodeGzip(dst, src []byte) (int, error) {
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

func (d *decompressor) decodeBrotli(dst, src []byte) (int, error) {
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

// decodeHadoop undoes the framing that Hadoop puts around LZ4 blocks: the
// decompressed and the stored size of each, big-endian.
func decodeHadoop(dst, src []byte) (n int, err error) {
	for len(src) > 0 {
		if len(src) < 8 {
			return n, io.ErrUnexpectedEOF
		}
		size, packed := binary.BigEndian.Uint32(src), binary.BigEndian.Uint32(src[4:])
		src = src[8:]
		if uint64(packed) > uint64(len(src)) || uint64(size) > uint64(len(dst)-n) {
			return n, io.ErrUnexpectedEOF
		}
		k, err := lz4.UncompressBlock(src[:packed], dst[n:n+int(size)])
		if err != nil {
			return n, err
		}
		n += k
		src = src[packed:]
	}
	return n, nil
}
