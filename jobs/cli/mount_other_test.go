//go:build !linux

package cli_test

import "errors"

func mount(dir, size string) error { return errors.ErrUnsupported }

func unmount(dir string) error { return nil }
