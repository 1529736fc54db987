package landing

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
)

// Kept is a file that lies in a home.
type Kept struct {
	Folder string // one of the home's own
	Name   string // below it, with slashes
	Path   string // on the disk
}

// Kept lists the files of a home, but for what is being uploaded at this moment.
func (h *Home) Kept() (list []Kept, err error) {
	for _, folder := range folders {
		werr := h.walk(folder, func(name string, _ fs.FileInfo) {
			h.mu.Lock()
			busy := h.uploads[name] != nil
			h.mu.Unlock()
			if !busy {
				list = append(list, Kept{Folder: folder, Name: name[len(folder)+1:], Path: filepath.Join(h.dir, filepath.FromSlash(name))})
			}
		})
		err = errors.Join(err, werr)
	}
	return list, err
}

// Erase removes a file for good. What its client was told stays, and one that
// is not there is no error.
func (h *Home) Erase(k Kept) error {
	name := path.Join(k.Folder, k.Name)
	h.mu.Lock()
	defer h.mu.Unlock()
	info, err := h.root.Lstat(name)
	if err == nil {
		err = h.root.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	h.forget(name)
	if k.Folder == Rejected {
		h.refused.add(-info.Size(), -1)
	}
	return h.syncDir(path.Dir(name))
}

// Rewrite puts another text in the place of a file of ours, under another name
// if that is to be another one, too.
func (h *Home) Rewrite(k Kept, name string, fill func(io.Writer) error) error {
	if err := h.deliver(path.Join(k.Folder, name), fill); err != nil || name == k.Name {
		return err
	}
	return h.Erase(k)
}
