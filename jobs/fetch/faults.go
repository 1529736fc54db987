package fetch

import (
	"errors"
	"fmt"
)

// mostFaults is how many faults of a look are named.
const mostFaults = 20

// faults are what goes wrong in a look. A host may have any number of files
// that cannot be taken, or be lost before all that it has: the first ones say
// what is wrong, and how many there are says enough of the others.
type faults struct {
	first []error
	more  int
}

func (f *faults) add(err error) {
	switch {
	case err == nil:
	case len(f.first) < mostFaults:
		f.first = append(f.first, err)
	default:
		f.more++
	}
}

func (f *faults) all() error {
	if f.more == 0 {
		return errors.Join(f.first...)
	}
	return errors.Join(append(f.first, fmt.Errorf("%d more", f.more))...)
}
