package cli

import "syscall"

// ownGroup keeps Ctrl-C from a child, which is told to stop when it may, and
// stops it when this process is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
