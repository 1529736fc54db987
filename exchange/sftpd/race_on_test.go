//go:build race

package sftpd_test

const raceDetector = true
