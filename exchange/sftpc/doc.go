// Package sftpc is the client for carriers that run their own SFTP host: a
// Remote of package exchange. It connects only to a host with a pinned key, keeps
// many requests under way so that distance costs no speed, and does not wait for a
// host that has gone. It does not reconnect: its user dials anew, under
// exchange.Retry.
package sftpc
