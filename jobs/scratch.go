package jobs

import (
	"errors"
	"fmt"
	"os"

	"concord/engine"
	"concord/exchange/atrest"
)

// scratch makes temporary files in a folder. A file has no name once it is
// open, where the system allows that, so that nothing is left of a process
// that dies.
type scratch struct {
	dir  string
	keys *atrest.Keys
}

// scratchIn returns scratch files in $TMPDIR, or else in dir. With keys, what
// they leave on the disk can be read by nobody.
func scratchIn(dir string, keys *atrest.Keys) scratch {
	if tmp := os.Getenv("TMPDIR"); tmp != "" {
		dir = tmp
	}
	return scratch{dir, keys}
}

// ScratchIn returns temporary files in $TMPDIR, or else in a folder.
func ScratchIn(dir string, keys *atrest.Keys) engine.Scratch { return scratchIn(dir, keys) }

// Create implements engine.Scratch.
func (s scratch) Create() (engine.ScratchFile, error) {
	f, err := os.CreateTemp(s.dir, ".concord-scratch-*")
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err // its name says nothing to a reader
		}
		return nil, fmt.Errorf("in folder %s: %w; name another folder for temporary files in TMPDIR", s.dir, err)
	}
	if os.Remove(f.Name()) == nil {
		return s.keys.Fleeting(f)
	}
	return s.keys.Fleeting(namedScratch{f})
}

// namedScratch is a file that cannot be removed while it is open.
type namedScratch struct{ *os.File }

// Close implements engine.ScratchFile.
func (n namedScratch) Close() error {
	if err := n.File.Close(); err != nil {
		return err
	}
	return os.Remove(n.Name())
}
