package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// rejectedFiles are the CSVs of rejected rows, in a folder for each carrier.
// They can be made anew, so that one more or less does no harm: what a crash
// leaves behind is swept up.
type rejectedFiles struct {
	root string
	mu   sync.Mutex
	busy map[string]bool // names of offers that are being decided
}

// folder returns the folder of a carrier.
func (r *rejectedFiles) folder(carrier string) (string, error) {
	if carrier == "" || carrier != filepath.Base(carrier) || !filepath.IsLocal(carrier) || carrier == "." {
		return "", fmt.Errorf("%q cannot be the name of a folder", carrier)
	}
	return filepath.Join(r.root, carrier), nil
}

// path returns where the CSV of an entry belongs.
func (r *rejectedFiles) path(carrier, sha256, id string) (string, error) {
	dir, err := r.folder(carrier)
	return filepath.Join(dir, sha256+"-"+id+".csv"), err
}

// begin returns the same, for an offer that is not decided yet, with the
// folder made.
func (r *rejectedFiles) begin(carrier, sha256, id string) (string, error) {
	name, err := r.path(carrier, sha256, id)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of rejected rows: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy == nil {
		r.busy = make(map[string]bool)
	}
	r.busy[name] = true
	return name, nil
}

// end removes what an offer left, unless it is the CSV that was recorded. What
// cannot be removed now is swept up later: it changes no decision.
func (r *rejectedFiles) end(name, recorded string) {
	_ = r.remove(unfinished(name))
	if name != recorded {
		_ = r.remove(name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, name)
}

func (r *rejectedFiles) remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove rejected rows: %w", err)
	}
	return nil
}

// list returns the files of a carrier that no offer is at work on.
func (r *rejectedFiles) list(carrier string) (names []string, err error) {
	dir, err := r.folder(carrier)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range found {
		name := filepath.Join(dir, f.Name())
		if !r.busy[strings.TrimSuffix(name, unfinished(""))] {
			names = append(names, name)
		}
	}
	return names, err
}

// sweep removes those of names that belong to none of entries.
func (r *rejectedFiles) sweep(names []string, entries []Entry) error {
	wanted := make(map[string]bool, len(entries))
	for i := range entries {
		name, err := r.path(entries[i].Carrier, entries[i].SHA256, entries[i].ID)
		if err != nil {
			return err
		}
		wanted[name] = true
	}
	var errs []error
	for _, name := range names {
		if !wanted[name] {
			errs = append(errs, r.remove(name))
		}
	}
	return errors.Join(errs...)
}

// forget removes the CSV of a settled entry.
func (r *rejectedFiles) forget(carrier, id string) error {
	names, err := r.list(carrier)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "-"+id+".csv") {
			return r.remove(name)
		}
	}
	return nil
}

func isThere(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
