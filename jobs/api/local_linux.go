package api

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxSocket is how long the path of a socket may be, with the zero at its end.
const maxSocket = 108

// socketAddress returns a path of the socket in dir that is short enough. It
// holds until done is called.
func socketAddress(dir string) (address string, done func() error, err error) {
	name := filepath.Join(dir, socketName)
	if len(name) < maxSocket {
		return name, func() error { return nil }, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), f.Close, nil
}

// peerUser returns the user at the other end of a local socket.
func peerUser(conn net.Conn) (uid uint32, ok bool) {
	u, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return 0, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		cred, cerr := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if cerr == nil {
			uid, ok = cred.Uid, true
		}
	})
	return uid, ok && err == nil
}
