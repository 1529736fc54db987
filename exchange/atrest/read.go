package atrest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is a file that is open for reading. ReadAt may be called by several
// goroutines, Read by one.
type File struct {
	f    handle
	size int64
	at   int64

	keys *Keys
	body *body // nil: it is in clear
}

// handle is what a File needs of an open file; an *os.File is one.
type handle interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// Open opens a file.
func (k *Keys) Open(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return k.read(name, f)
}

// OpenIn opens a file below a root.
func (k *Keys) OpenIn(root *os.Root, name string) (*File, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	return k.read(name, f)
}

// ReadFile returns the content of a file of at most limit bytes, and an error
// if there are more.
func (k *Keys) ReadFile(name string, limit int64) (b []byte, err error) {
	f, err := k.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if f.size > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("has more than %d bytes", limit)}
	}
	return io.ReadAll(f)
}

// read takes an open file over; when it fails, the file is closed.
func (k *Keys) read(name string, f handle) (*File, error) {
	x, err := k.reader(f)
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: name, Err: err}, f.Close())
	}
	return x, nil
}

func (k *Keys) reader(f handle) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	x := &File{f: f, size: info.Size(), keys: k}
	if k != nil && !info.IsDir() {
		x.body, x.size, err = k.newBody(f, info.Size())
	}
	return x, err
}

// Size returns the length of the content.
func (x *File) Size() int64 { return x.size }

// Close closes the file.
func (x *File) Close() error {
	if x.body != nil {
		x.keys.cache.forget(x.body)
		x.body.live.leave(x.body)
	}
	return x.f.Close()
}

// Stat implements fs.File; the size is that of the content.
func (x *File) Stat() (fs.FileInfo, error) {
	info, err := x.f.Stat()
	if err != nil || x.body == nil {
		return info, err
	}
	return sized{info, x.size}, nil
}

type sized struct {
	fs.FileInfo
	size int64
}

// Size implements fs.FileInfo.
func (s sized) Size() int64 { return s.size }

// Read implements io.Reader.
func (x *File) Read(p []byte) (int, error) {
	if x.body == nil {
		return x.f.Read(p)
	}
	n, err := x.ReadAt(p, x.at)
	x.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (x *File) ReadAt(p []byte, off int64) (n int, err error) {
	if x.body == nil {
		return x.f.ReadAt(p, off)
	}
	if off < 0 {
		return 0, errors.New("read at a negative offset")
	}
	for n < len(p) && off < x.size {
		k, err := x.keys.cache.read(x.body, p[n:], off, x.size)
		n, off = n+k, off+int64(k)
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteTo hands a file in clear to w as it is, so that nothing is slower than
// without this package.
func (x *File) WriteTo(w io.Writer) (int64, error) {
	if x.body == nil {
		return io.Copy(w, x.f)
	}
	return io.CopyBuffer(w, struct{ io.Reader }{x}, make([]byte, chunkSize))
}
