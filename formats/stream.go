package formats

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// stream is one file as it is read: hashed as received, decompressed within
// the limits.
type stream struct {
	job    *job
	raw    *rawReader
	packed string // "", "gzip" or "zstd"
	out    *bufio.Reader
	closer func()
}

// peekSize is how much of the head of a file is looked at.
const peekSize = 64 << 10

// openStream starts reading a file that is text, plain or compressed.
func openStream(j *job) (*stream, error) {
	s := &stream{job: j, raw: newRawReader(j), closer: func() {}}
	head, err := j.head()
	if err != nil {
		return nil, err
	}
	var r io.Reader
	switch {
	case bytes.HasPrefix(head, magicGzip):
		s.packed = "gzip"
		r, err = gzip.NewReader(bufio.NewReaderSize(s.raw, peekSize))
	case bytes.HasPrefix(head, magicZstd):
		s.packed = "zstd"
		r, err = s.openZstd()
	default:
		r = s.raw
	}
	if err != nil {
		return nil, s.explain(err)
	}
	if s.packed != "" {
		r = &boundedReader{r: r, job: j, read: func() int64 { return s.raw.n }}
	}
	s.out = bufio.NewReaderSize(&explainingReader{r, s}, peekSize)
	return s, nil
}

func (s *stream) openZstd() (io.Reader, error) {
	d, err := zstd.NewReader(s.raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, err
	}
	s.closer = d.Close
	return d, nil
}

// maxZstdWindow is what the format recommends every decoder to support.
const maxZstdWindow = 8 << 20

// finish reads what no one asked for, so that the hash covers the whole file,
// and returns it in hex.
func (s *stream) finish() (string, error) {
	if s.raw == nil {
		return "", nil
	}
	if _, err := io.Copy(io.Discard, s.raw); err != nil {
		return "", s.explain(err)
	}
	return hex.EncodeToString(s.raw.sum.Sum(nil)), nil
}

func (s *stream) close() { s.closer() }

// explain turns the error of a decompressor into a reason.
func (s *stream) explain(err error) error {
	var file *FileError
	switch {
	case err == nil, errors.As(err, &file), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case s.raw != nil && s.raw.failed:
		return fmt.Errorf("read %s: %w", s.job.Name, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return s.job.truncatedf(askAgain, "truncated: the %s stream ends too early", s.packed)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, zip.ErrChecksum):
		return s.job.errorf(askAgain, "damaged: the %s checksum does not agree", s.packed)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return s.job.errorf("compress it without --long", "the %s window is larger than %d MiB", s.packed, maxZstdWindow>>20)
	case errors.Is(err, gzip.ErrHeader):
		return s.job.errorf(askAgain, "damaged: what follows a %s stream is not one", s.packed)
	}
	return s.job.errorf(askAgain, "damaged: the %s stream cannot be decoded", s.packed)
}

// explainingReader explains the errors of r.
type explainingReader struct {
	r io.Reader
	s *stream
}

func (r *explainingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = r.s.explain(err)
	}
	return n, err
}

// rawReader reads the bytes as received, counts and hashes them, and reports
// a file that is shorter than it was said to be.
type rawReader struct {
	job    *job
	n      int64
	sum    hash.Hash
	failed bool // reading itself failed, not what was read
}

func newRawReader(j *job) *rawReader { return &rawReader{job: j, sum: sha256.New()} }

func (r *rawReader) Read(p []byte) (int, error) {
	left := r.job.Size - r.n
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := r.job.R.ReadAt(p[:min(int64(len(p)), left)], r.n)
	r.sum.Write(p[:n])
	r.n += int64(n)
	switch {
	case err == io.EOF && r.n < r.job.Size:
		return n, r.job.truncatedf("it may have been changed while it was read", "truncated: it ends after %d of %d bytes", r.n, r.job.Size)
	case err == io.EOF:
		err = nil
	case err != nil:
		r.failed = true
	}
	return n, err
}

// boundedReader stops a compressed file that grows beyond the limits.
type boundedReader struct {
	r    io.Reader
	job  *job
	read func() int64 // compressed bytes taken so far
	n    int64
}

// freeRatio is how much a file may hold whatever its ratio.
const freeRatio = 16 << 20

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	l := &b.job.opts.Limits
	switch {
	case b.n > l.Decompressed:
		return 0, b.job.errorf("", "it holds more than %d bytes after decompression", l.Decompressed)
	case b.n > freeRatio && b.n/l.Ratio > b.read():
		return 0, b.job.errorf("", "it grows more than %d times in decompression", l.Ratio)
	}
	return n, err
}
