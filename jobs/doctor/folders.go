package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Free space below which something is said, in bytes.
const (
	littleSpace = 5 << 30
	noSpace     = 256 << 20
)

// folders looks at the data folder.
func (o *Options) folders() []Finding {
	const what = "data folder"
	dir := o.Config.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{o.toBeMade(dir)}
	case err != nil:
		return []Finding{bad(what, "let this user read it, or become the user of the service", "%s: %v", dir, reason(err))}
	case !info.IsDir():
		return []Finding{bad(what, "name a folder with data in the configuration", "%s is no folder", dir)}
	}
	all := []Finding{writable(what, dir)}
	if info.Mode().Perm()&0o007 != 0 {
		all = append(all, warn(what, "chmod o-rwx "+dir, "every user of this machine can look into %s, in which phone numbers are", dir))
	}
	return append(all, space(dir), sameDisk(dir))
}

// toBeMade judges whether the data folder can be made at the first start.
func (o *Options) toBeMade(dir string) Finding {
	above := filepath.Dir(dir)
	for {
		if _, err := os.Stat(above); err == nil || above == filepath.Dir(above) {
			break
		}
		above = filepath.Dir(above)
	}
	if f := writable("data folder", above); f.Level != OK {
		return bad(f.What, "make it for the user of the service, or name another one", "%s is not there, and cannot be made: %s", dir, f.Text)
	}
	return ok("data folder", "%s is not there yet; it is made at the first start", dir)
}

// reason is an error without the path, which is said before it.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// writable makes a file in a folder and removes it.
func writable(what, dir string) Finding {
	f, err := os.CreateTemp(dir, ".concord-doctor-")
	if err != nil {
		return bad(what, "let the user of the service write there; run doctor as that user", "%s: a file cannot be made: %v", dir, reason(err))
	}
	_, err = f.WriteString("concord doctor\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return bad(what, "check the disk", "%s: a file cannot be written: %v", dir, reason(err))
	}
	return ok(what, "%s can be written", dir)
}

func space(dir string) Finding {
	const what, hint = "disk", "free some space, or move the data folder to a larger disk"
	free, all := diskSpace(dir)
	text := fmt.Sprintf("%d MiB of %d MiB are free", free>>20, all>>20)
	switch {
	case all == 0:
		return ok(what, "how much is free is not known on this system")
	case free < noSpace:
		return bad(what, hint, "%s", text)
	case free < littleSpace:
		return warn(what, hint, "%s", text)
	}
	return ok(what, "%s", text)
}

// moved are the folders between which files move by a rename, which works on
// one disk only.
var moved = []string{"homes", "homes/*", "homes/*/inbox", "homes/*/archive", "homes/*/rejected", "homes/*/receipts", "spool", "reports", "reports/.staging", "records", "rejects"}

// sameDisk sees that what must be on one disk is.
func sameDisk(dir string) Finding {
	const what = "one disk"
	want, known := diskOf(dir)
	if !known {
		return ok(what, "which disk a folder is on is not known on this system")
	}
	for _, pattern := range moved {
		names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return bad(what, "rename the data folder", "%s: its name reads as a pattern", dir)
		}
		for _, name := range names {
			if got, _ := diskOf(name); got != want {
				return bad(what, "keep the whole data folder on one disk; mount that one at "+dir, "%s is on another disk than %s, and files must move between them at once", name, dir)
			}
		}
	}
	return ok(what, "everything in the data folder is on one disk")
}
