//go:build !linux

package api

import (
	"fmt"
	"net"
	"path/filepath"
)

// maxSocket is how long the path of a socket may be, with the zero at its end.
const maxSocket = 104

// socketAddress returns the path of the socket in dir.
func socketAddress(dir string) (address string, done func() error, err error) {
	name := filepath.Join(dir, socketName)
	if len(name) >= maxSocket {
		return "", nil, fmt.Errorf("%s is longer than %d bytes, which a socket may not be; choose a data folder with a shorter path", name, maxSocket-1)
	}
	return name, func() error { return nil }, nil
}

// peerUser is not known here; the permissions of the socket keep others out.
func peerUser(net.Conn) (uid uint32, ok bool) { return 0, false }
