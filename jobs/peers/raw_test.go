//go:build peers

package peers

import (
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// dial logs a carrier in with a client of our own, for what no program can be
// made to do.
func (p *place) dial(t *testing.T, carrier string) (*sftp.Client, *ssh.Client) {
	t.Helper()
	conn, err := ssh.Dial("tcp", p.Addr, &ssh.ClientConfig{
		User: carrier, Auth: []ssh.AuthMethod{ssh.PublicKeys(p.Signer(carrier))}, HostKeyCallback: ssh.FixedHostKey(p.Keys.Announced()[0]),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return c, conn
}

// raw lends a client of our own, and a way to end its connection at once.
func (p *place) raw(t *testing.T, carrier string, use func(c *sftp.Client, hangUp func())) {
	t.Helper()
	c, conn := p.dial(t, carrier)
	use(c, func() { _ = conn.Conn.Close() })
	_ = conn.Close()
}
