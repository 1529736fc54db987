package sftpd

import (
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// peer is a connection of which only the session and the host key matter.
type peer struct {
	ssh.Conn
	hostKey string
}

func (peer) SessionID() []byte { return []byte("a session") }

func (p peer) Algorithms() ssh.NegotiatedAlgorithms {
	return ssh.NegotiatedAlgorithms{HostKey: p.hostKey}
}

func ask(keys ...ssh.PublicKey) (payload []byte) {
	for _, k := range keys {
		payload = appendString(payload, k.Marshal())
	}
	return payload
}

// checkProofs verifies one signature for each key, as OpenSSH's client does.
func checkProofs(t *testing.T, reply []byte, rsa string, keys []ssh.PublicKey) {
	t.Helper()
	for _, k := range keys {
		var signed []byte
		signed, reply = cutString(reply)
		var sig ssh.Signature
		if err := ssh.Unmarshal(signed, &sig); err != nil {
			t.Fatal(err)
		}
		text := appendString(appendString(appendString(nil, []byte(proveRequest)), []byte("a session")), k.Marshal())
		if err := k.Verify(text, &sig); err != nil {
			t.Errorf("%s: %v", k.Type(), err)
		}
		if k.Type() == ssh.KeyAlgoRSA && sig.Format != rsa {
			t.Errorf("signed with %s, not %s", sig.Format, rsa)
		}
	}
	if len(reply) > 0 {
		t.Errorf("%d bytes more", len(reply))
	}
}

func TestServersProveTheirKeys(t *testing.T) {
	keys, err := OpenHostKeys(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{keys: keys}
	all := keys.Announced()
	for negotiated, rsa := range map[string]string{
		ssh.KeyAlgoED25519: ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256: ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512: ssh.KeyAlgoRSASHA512,
	} {
		checkProofs(t, s.prove(peer{hostKey: negotiated}, ask(all...)), rsa, all)
	}
	stranger := mustKeys(t, t.TempDir(), time.Now).Announced()[0]
	many := make([]ssh.PublicKey, maxProofKeys+1)
	for i := range many {
		many[i] = all[0]
	}
	for name, asked := range map[string][]byte{
		"a key of another server": ask(all[0], stranger), "cut short": ask(all...)[:40], "no length": {0, 0}, "without end": ask(many...),
	} {
		if reply := s.prove(peer{}, asked); reply != nil {
			t.Errorf("%s: proved", name)
		}
	}
}
