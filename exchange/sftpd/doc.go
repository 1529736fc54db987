// Package sftpd is the SFTP server in which carriers drop files and find
// receipts. It logs carriers in, keeps each in its own landing.Home, bounds what
// a client may take of the machine, and tells an audit what was done. It never
// looks inside a file, and does not decide what becomes of one.
package sftpd
