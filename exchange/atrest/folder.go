package atrest

import (
	"io/fs"
	"os"
)

// FS returns a folder whose files are read in clear.
func (k *Keys) FS(dir string) fs.FS {
	if k == nil {
		return os.DirFS(dir)
	}
	return folder{k, os.DirFS(dir)}
}

type folder struct {
	keys *Keys
	fs.FS
}

// Open implements fs.FS.
func (d folder) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if err != nil {
		return nil, err
	}
	x, is := f.(handle)
	if !is {
		return f, nil
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	return d.keys.read(name, x)
}
