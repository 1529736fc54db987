//go:build !race

package sftpd_test

// raceDetector says that memory is not what it is without.
const raceDetector = false
