package jobs

import (
	"errors"
	"fmt"
	"os"

	"concord/engine"
)

// scratch makes temporary files in a folder. A file has no name once it is
// open, where the system allows that, so that nothing is left of a process
// that dies.
type scratch struct{ dir string }

// scratchIn returns scratch files in $TMPDIR, or else in dir.
func scratchIn(dir string) scratch {
	if tmp := os.Getenv("TMPDIR"); tmp != "" {
		return scratch{tmp}
	}
	return scratch{dir}
}

// ScratchIn returns temporary files in $TMPDIR, or else in a folder.
func ScratchIn(dir string) engine.Scratch { return scratchIn(dir) }

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
		return f, nil
	}
	return namedScratch{f}, nil
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
