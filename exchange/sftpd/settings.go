package sftpd

import (
	"errors"
	"fmt"
	"time"
)

// Settings bound what clients may take of the server. The zero value has the
// defaults in brackets.
type Settings struct {
	Handshake time.Duration // from the connection to the end of the login [20 s]
	Idle      time.Duration // without a request [10 min]
	Keepalive time.Duration // between two questions whether the client is there [30 s]
	Drain     time.Duration // for transfers under way when the server stops [8 s]

	Waiting           int // connections before the login, in total [256]
	WaitingPerAddress int // of them from one address [64]
	Connections       int // of one carrier [32]
	Channels          int // of one connection [8]
	Sessions          int // of one carrier, over all its connections [32]
	Handles           int // open files and folders of one session [64]

	Failures int           // failed logins from one address before it is banned [10]
	Ban      time.Duration // the first ban; each further one is twice as long, up to a day [1 min]
}

// withDefaults fills in what is zero.
func (s Settings) withDefaults() Settings {
	for _, d := range s.durations() {
		if *d.v == 0 {
			*d.v = d.or
		}
	}
	for _, n := range s.counts() {
		if *n.v == 0 {
			*n.v = n.or
		}
	}
	return s
}

type setting[T any] struct {
	name string
	v    *T
	or   T
}

func (s *Settings) durations() []setting[time.Duration] {
	return []setting[time.Duration]{
		{"handshake", &s.Handshake, 20 * time.Second}, {"idle", &s.Idle, 10 * time.Minute},
		{"keepalive", &s.Keepalive, 30 * time.Second}, {"drain", &s.Drain, 8 * time.Second}, {"ban", &s.Ban, time.Minute},
	}
}

func (s *Settings) counts() []setting[int] {
	return []setting[int]{
		{"waiting", &s.Waiting, 256}, {"waiting_per_address", &s.WaitingPerAddress, 64}, {"connections", &s.Connections, 32},
		{"channels", &s.Channels, 8}, {"sessions", &s.Sessions, 32}, {"handles", &s.Handles, 64}, {"failures", &s.Failures, 10},
	}
}

// Validate returns every fault of the settings.
func (s Settings) Validate() error {
	var errs []error
	for _, d := range s.durations() {
		if *d.v < 0 {
			errs = append(errs, fmt.Errorf("%s: %s is negative", d.name, *d.v))
		}
	}
	for _, n := range s.counts() {
		if *n.v < 0 {
			errs = append(errs, fmt.Errorf("%s: %d is negative", n.name, *n.v))
		}
	}
	return errors.Join(errs...)
}
