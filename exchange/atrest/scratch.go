package atrest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"
)

// Scratch is a temporary file.
type Scratch interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Fleeting returns a scratch file whose content is encrypted under a key that is
// drawn now and is nowhere but in memory: what is left of the file on a disk is
// noise to everybody. No place may be written twice. The content is not
// authenticated: only the process that wrote it reads it. Nil keys return f.
func (k *Keys) Fleeting(f Scratch) (Scratch, error) {
	if k == nil {
		return f, nil
	}
	var key [16]byte
	_, _ = rand.Read(key[:]) // it never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return &fleeting{f: f, block: block}, nil
}

// fleeting encrypts each byte by its offset. The key is of this file alone, so
// the counter begins at nothing.
type fleeting struct {
	f     Scratch
	block cipher.Block
}

// buffers hold what is on its way to a file.
var buffers = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// WriteAt implements io.WriterAt. It leaves p as it is.
func (s *fleeting) WriteAt(p []byte, off int64) (n int, err error) {
	buf := buffers.Get().(*[chunkSize]byte)
	defer buffers.Put(buf)
	for n < len(p) {
		k := copy(buf[:], p[n:])
		s.apply(buf[:k], off+int64(n))
		w, err := s.f.WriteAt(buf[:k], off+int64(n))
		n += w
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (s *fleeting) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.f.ReadAt(p, off)
	s.apply(p[:n], off)
	return n, err
}

// Close implements io.Closer.
func (s *fleeting) Close() error { return s.f.Close() }

// apply encrypts or decrypts in place what lies at an offset.
func (s *fleeting) apply(p []byte, off int64) {
	var iv, skipped [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[8:], uint64(off)/aes.BlockSize)
	ctr := cipher.NewCTR(s.block, iv[:])
	skip := skipped[:off%aes.BlockSize]
	ctr.XORKeyStream(skip, skip)
	ctr.XORKeyStream(p, p)
}
