// Package crash is for tests only: a whole service, from the SFTP server to the
// ledger, in a process that is killed at any moment, over and over.
package crash
