package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"concord/exchange"
)

// folderFile names a data folder, so that two are told apart.
const folderFile = "folder-id"

// checkFolder makes sure that services on one database work on one data folder:
// with two of them each would look in vain for what the other one took.
func (s *Service) checkFolder(ctx context.Context) error {
	if s.cfg().Database == "" { // it lies in the folder
		return nil
	}
	id, err := folderID(s.dir(folderFile))
	if err != nil {
		return fmt.Errorf("name the data folder: %w", err)
	}
	owner, err := s.store.Folder(ctx, id)
	if err == nil && owner != id {
		err = fmt.Errorf("data folder %s: the database %s belongs to another one: services that share a database must share the folder, too; "+
			"name that folder, or give this one a database of its own. If this is that folder, restored without its file %s, write %s into it",
			s.cfg().Data, s.store.Where(), folderFile, owner)
	}
	return err
}

// folderID returns what is in a file, which is made when it is not there: whole
// or not at all, and by one of several that start at once.
func folderID(name string) (string, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeID(name); err == nil {
			b, err = os.ReadFile(name)
		}
	}
	id := strings.TrimSpace(string(b))
	if err == nil && id == "" {
		err = fmt.Errorf("%s is empty; restore it from a backup, or remove it when no other folder belongs to the database", name)
	}
	return id, err
}

func makeID(name string) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(name), folderFile+".*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name())) }()
	_, err = temp.WriteString(rand.Text() + "\n")
	if err := errors.Join(err, temp.Chmod(0o640), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return exchange.OS{}.SyncDir(filepath.Dir(name))
}
