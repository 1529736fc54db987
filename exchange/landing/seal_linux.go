package landing

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// sealName is the attribute of a file in the inbox that holds its length.
const sealName = "user.concord.size"

// seal writes a file's length into its inode. File systems write the length of
// an inode after the data, so a file whose length is that of its seal has its
// data, too, even if the power was cut before it was flushed.
func seal(f *os.File, size int64) error {
	return control(f, func(fd int) error {
		return unix.Fsetxattr(fd, sealName, strconv.AppendInt(nil, size, 10), 0)
	})
}

// broken reports whether a file has another length than its seal says.
func broken(f *os.File, size int64) (is bool, err error) {
	var text [20]byte
	n := 0
	err = control(f, func(fd int) (err error) {
		n, err = unix.Fgetxattr(fd, sealName, text[:])
		return err
	})
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return false, nil
	}
	return err == nil && string(text[:n]) != strconv.FormatInt(size, 10), err
}

func control(f *os.File, do func(fd int) error) (err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	cerr := c.Control(func(fd uintptr) { err = do(int(fd)) })
	return errors.Join(cerr, err)
}
