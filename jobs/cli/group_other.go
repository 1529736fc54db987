//go:build !linux

package cli

import "syscall"

// ownGroup leaves a child as it is: Ctrl-C reaches it, too, and it stops.
func ownGroup() *syscall.SysProcAttr { return nil }
