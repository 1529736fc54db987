package sftpd

import (
	"bytes"
	"crypto/rand"

	"golang.org/x/crypto/ssh"
)

// OpenSSH's clients learn keys to come from the server's own mouth: it names
// them all after the login, and signs for each one on demand. Both messages are
// described in OpenSSH's PROTOCOL file, section 2.5.
const (
	announceRequest = "hostkeys-00@openssh.com"
	proveRequest    = "hostkeys-prove-00@openssh.com"
)

type blob struct{ B []byte }

// announce tells a client of the server's keys.
func (s *Server) announce(conn *ssh.ServerConn) {
	var payload []byte
	for _, k := range s.keys.Announced() {
		payload = append(payload, ssh.Marshal(blob{k.Marshal()})...)
	}
	// A client that does not know the request ignores it.
	_, _, _ = conn.SendRequest(announceRequest, false, payload)
}

// prove signs the session for each key that a client asks about; nil when it
// asks about one that the server does not have.
func (s *Server) prove(session, asked []byte) []byte {
	var reply []byte
	for len(asked) > 0 {
		want, rest := cutString(asked)
		if rest == nil {
			return nil
		}
		asked = rest
		sig := s.signFor(want, session)
		if sig == nil {
			return nil
		}
		reply = append(reply, ssh.Marshal(blob{sig})...)
	}
	return reply
}

func (s *Server) signFor(key, session []byte) []byte {
	for _, signer := range s.keys.announced() {
		if !bytes.Equal(signer.PublicKey().Marshal(), key) {
			continue
		}
		sig, err := sign(signer, ssh.Marshal(struct {
			Request string
			Session []byte
			Key     []byte
		}{proveRequest, session, key}))
		if err != nil {
			return nil
		}
		return ssh.Marshal(sig)
	}
	return nil
}

// sign signs with SHA-2, which an RSA key does only when asked to.
func sign(signer ssh.Signer, text []byte) (*ssh.Signature, error) {
	if as, ok := signer.(ssh.AlgorithmSigner); ok && signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		return as.SignWithAlgorithm(rand.Reader, text, ssh.KeyAlgoRSASHA512)
	}
	return signer.Sign(rand.Reader, text)
}
