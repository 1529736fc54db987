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

// A client asks once. Signing takes time, so it cannot ask without end.
const (
	maxProofs    = 4 // requests of one connection
	maxProofKeys = 8 // keys in one request: two of each kind, and some to spare
)

// prove signs the session for each key that a client asks about; nil when it
// asks about one that the server does not have.
func (s *Server) prove(conn ssh.ConnMetadata, asked []byte) []byte {
	var reply []byte
	for n := 0; len(asked) > 0; n++ {
		want, rest := cutString(asked)
		if rest == nil || n == maxProofKeys {
			return nil
		}
		asked = rest
		sig := s.signFor(want, conn.SessionID(), rsaAlgorithm(conn))
		if sig == nil {
			return nil
		}
		reply = append(reply, ssh.Marshal(blob{sig})...)
	}
	return reply
}

func (s *Server) signFor(key, session []byte, rsa string) []byte {
	for _, signer := range s.keys.announced() {
		if !bytes.Equal(signer.PublicKey().Marshal(), key) {
			continue
		}
		sig, err := sign(signer, ssh.Marshal(struct {
			Request string
			Session []byte
			Key     []byte
		}{proveRequest, session, key}), rsa)
		if err != nil {
			return nil
		}
		return ssh.Marshal(sig)
	}
	return nil
}

// rsaAlgorithm returns how RSA keys sign: as the client wanted it in the key
// exchange, if that was with one, for then it takes no other.
func rsaAlgorithm(conn ssh.ConnMetadata) string {
	if c, ok := conn.(ssh.AlgorithmsConnMetadata); ok && c.Algorithms().HostKey == ssh.KeyAlgoRSASHA256 {
		return ssh.KeyAlgoRSASHA256
	}
	return ssh.KeyAlgoRSASHA512
}

// sign signs with SHA-2, which an RSA key does only when asked to.
func sign(signer ssh.Signer, text []byte, rsa string) (*ssh.Signature, error) {
	if as, ok := signer.(ssh.AlgorithmSigner); ok && signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		return as.SignWithAlgorithm(rand.Reader, text, rsa)
	}
	return signer.Sign(rand.Reader, text)
}
