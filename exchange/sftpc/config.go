package sftpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config says how to reach a host and log in there. Addr, User, HostKeys and a
// way to log in are required.
type Config struct {
	Addr string // host or host:port; without a port, 22
	User string
	// Signers are the keys to log in with, the preferred one first.
	Signers []ssh.Signer
	// Password is asked for when the host wants one, once a connection, also
	// when the host asks by keyboard-interactive.
	Password func() (string, error)
	// HostKeys are the pinned keys, each in one of these forms:
	//
	//	ssh-ed25519 AAAAC3Nza…           as in authorized_keys or from ssh-keyscan
	//	ssh-ed25519 SHA256:p0xS…         a fingerprint and its type
	//	SHA256:p0xS…                     a fingerprint
	//	@cert-authority * ssh-ed25519 A… the authority that signed the host's key
	//
	// A fingerprint without its type may be refused though it is right: the
	// host then chooses which of its keys to present.
	HostKeys []string

	ConnectTimeout   time.Duration // until the network connection stands; 0: 15 s
	HandshakeTimeout time.Duration // from then until SFTP answers; 0: 20 s
	StallTimeout     time.Duration // the longest silence while an answer is awaited; 0: 60 s
	KeepAlive        time.Duration // between questions to an idle host; 0: 15 s

	// Dial makes the network connection; nil: by TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// String names the host and the user, and none of the secrets.
func (c Config) String() string { return c.User + "@" + c.hostPort() }

// GoString is String: a Config holds private keys.
func (c Config) GoString() string { return c.String() }

// Validate returns all that is wrong with the settings.
func (c Config) Validate() error {
	var errs []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, a...))
		}
	}
	host, port, err := net.SplitHostPort(c.hostPort())
	n, bad := strconv.ParseUint(port, 10, 16)
	refuse(c.Addr == "", "addr: required")
	refuse(c.Addr != "" && (err != nil || host == ""), "addr: %q is not a host or host:port", c.Addr)
	refuse(err == nil && (bad != nil || n == 0), "addr: %q is not a port", port)
	refuse(c.User == "", "user: required")
	refuse(len(c.Signers) == 0 && c.Password == nil, "signers, password: at least one is required")
	refuse(len(c.HostKeys) == 0, "host_keys: required; an unknown host is not trusted")
	for _, d := range []time.Duration{c.ConnectTimeout, c.HandshakeTimeout, c.StallTimeout, c.KeepAlive} {
		refuse(d < 0, "timeouts: %v is negative", d)
	}
	_, err = parsePins(c.HostKeys)
	return errors.Join(append(errs, err)...)
}

func (c Config) hostPort() string {
	if _, _, err := net.SplitHostPort(c.Addr); err == nil {
		return c.Addr
	}
	return net.JoinHostPort(c.Addr, "22")
}

func (c Config) withDefaults() Config {
	c.Addr = c.hostPort()
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 15*time.Second)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, 20*time.Second)
	c.StallTimeout = cmp.Or(c.StallTimeout, 60*time.Second)
	c.KeepAlive = cmp.Or(c.KeepAlive, 15*time.Second)
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return c
}

// algorithms are what current OpenSSH deems safe. AES-GCM comes first: with the
// processor's help it is several times as fast as the others.
func algorithms() ssh.Config {
	return ssh.Config{
		KeyExchanges: []string{
			ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
			ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
			ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDH14SHA256,
		},
		Ciphers: []string{
			ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
			ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
		},
		MACs: []string{
			ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512,
		},
	}
}
