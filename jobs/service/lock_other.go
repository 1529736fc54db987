//go:build !unix

package service

import "os"

// lock keeps the file open, which is all that this system offers.
func lock(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640) }
