//go:build unix

package doctor

import "golang.org/x/sys/unix"

// diskSpace returns how many bytes are free to this user on the disk of a
// folder, and of how many; 0 and 0 when that cannot be found out.
func diskSpace(dir string) (free, all int64) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, 0
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize)
}

// diskOf tells the disk of a file from others.
func diskOf(name string) (id uint64, known bool) {
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		return 0, false
	}
	return uint64(st.Dev), true
}
