package sftpc

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// pins are the host keys that are trusted.
type pins struct {
	keys        []ssh.PublicKey
	prints      []fingerprint
	authorities []ssh.PublicKey
}

type fingerprint struct {
	keyType string // empty: any
	sum     string // SHA256:…
}

// keyTypes are the types of host keys, each with the algorithms in which the
// host may prove that it has it, preferred ones first.
var keyTypes = []struct {
	name       string
	algorithms []string
}{
	{ssh.KeyAlgoED25519, []string{ssh.KeyAlgoED25519}},
	{ssh.KeyAlgoECDSA256, []string{ssh.KeyAlgoECDSA256}},
	{ssh.KeyAlgoECDSA384, []string{ssh.KeyAlgoECDSA384}},
	{ssh.KeyAlgoECDSA521, []string{ssh.KeyAlgoECDSA521}},
	{ssh.KeyAlgoRSA, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}},
}

// certificates are the algorithms of a host whose key an authority has signed.
var certificates = []string{
	ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
}

func parsePins(lines []string) (p pins, err error) {
	var errs []error
	for i, line := range lines {
		if err := p.add(strings.TrimSpace(line)); err != nil {
			errs = append(errs, fmt.Errorf("host_keys[%d]: %w", i, err))
		}
	}
	return p, errors.Join(errs...)
}

var errPin = errors.New("neither a public key nor a SHA256 fingerprint")

func (p *pins) add(line string) error {
	if print, ok := parseFingerprint(line); ok {
		p.prints = append(p.prints, print)
		return known(print.keyType)
	}
	line, authority := strings.CutPrefix(line, "@cert-authority ")
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return errPin
	case authority:
		p.authorities = append(p.authorities, key)
		return nil
	}
	p.keys = append(p.keys, key)
	return known(key.Type())
}

func parseFingerprint(line string) (fingerprint, bool) {
	words := strings.Fields(line)
	n := len(words)
	if n == 0 || n > 2 || len(words[n-1]) != len("SHA256:")+43 || !strings.HasPrefix(words[n-1], "SHA256:") {
		return fingerprint{}, false
	}
	return fingerprint{strings.Join(words[:n-1], ""), words[n-1]}, true
}

func known(keyType string) error {
	for _, t := range keyTypes {
		if keyType == "" || t.name == keyType {
			return nil
		}
	}
	return fmt.Errorf("keys of type %s are not supported", keyType)
}

// algorithms keep a host of several keys to those that are pinned.
func (p pins) algorithms() []string {
	var all []string
	if len(p.authorities) > 0 {
		all = append(all, certificates...)
	}
	for _, t := range keyTypes {
		if p.wants(t.name) {
			all = append(all, t.algorithms...)
		}
	}
	return all
}

func (p pins) wants(keyType string) bool {
	return slices.ContainsFunc(p.keys, func(k ssh.PublicKey) bool { return k.Type() == keyType }) ||
		slices.ContainsFunc(p.prints, func(f fingerprint) bool { return f.keyType == "" || f.keyType == keyType })
}

// check is an ssh.HostKeyCallback.
func (p pins) check(addr string, remote net.Addr, key ssh.PublicKey) error {
	checker := ssh.CertChecker{
		IsHostAuthority: func(auth ssh.PublicKey, _ string) bool { return contains(p.authorities, auth) },
		HostKeyFallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if p.holds(key) {
				return nil
			}
			return errors.New("unknown key")
		},
	}
	if err := checker.CheckHostKey(addr, remote, key); err != nil {
		return &HostKeyError{Offered: describe(key), Pinned: p.describe(), Err: err}
	}
	return nil
}

func (p pins) holds(key ssh.PublicKey) bool {
	sum := ssh.FingerprintSHA256(key)
	return contains(p.keys, key) || slices.ContainsFunc(p.prints, func(f fingerprint) bool {
		return f.sum == sum && (f.keyType == "" || f.keyType == key.Type())
	})
}

func contains(keys []ssh.PublicKey, key ssh.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), key.Marshal()) })
}

func describe(key ssh.PublicKey) string {
	if cert, ok := key.(*ssh.Certificate); ok {
		return key.Type() + " signed by " + describe(cert.SignatureKey)
	}
	return key.Type() + " " + ssh.FingerprintSHA256(key)
}

func (p pins) describe() (all []string) {
	for _, k := range p.keys {
		all = append(all, describe(k))
	}
	for _, f := range p.prints {
		all = append(all, strings.TrimSpace(f.keyType+" "+f.sum))
	}
	for _, k := range p.authorities {
		all = append(all, "authority "+describe(k))
	}
	return all
}
