// Package peers is for tests only, with the build tag peers: the SFTP server
// with the real collector behind it, and in front the programs that carriers
// have, such as OpenSSH, lftp, PuTTY, curl, paramiko and rclone.
//
// testdata has one script per program with the commands that PROTOCOL.md
// advises; make peers installs the programs and runs the tests.
package peers
