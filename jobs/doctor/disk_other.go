//go:build !unix

package doctor

// diskSpace knows nothing of this system's disks.
func diskSpace(string) (free, all int64) { return 0, 0 }

// diskOf knows nothing of this system's disks.
func diskOf(string) (id uint64, known bool) { return 0, false }
