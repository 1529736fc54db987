package pgtest

import "syscall"

// endWithParent ends the child when this process ends, however it does.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }
