package sftpc_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/sftpc"
)

// host is a server that a test connects to, and what it says of its content.
type host struct {
	cfg    sftpc.Config
	folder string // of the remote, to put files into
	dir    string // the same folder on this machine
}

// connect returns the folder to put files into.
func (h host) connect(t testing.TB) exchange.Remote {
	t.Helper()
	return exchangetest.Under(dial(t, h.cfg), h.folder)
}

// hosts are the servers that must all do. Each starts one that holds nothing;
// the connections to it go through the network.
var hosts = map[string]func(t testing.TB, n *exchangetest.Network) host{
	"OpenSSH": openSSH,
	"our own": ownServer,
}

func openSSH(t testing.TB, n *exchangetest.Network) host {
	dir := t.TempDir()
	s := &exchangetest.SSHServer{SFTP: exchangetest.OpenSSH(t, dir)}
	t.Cleanup(s.Wait)
	return host{config(s, n), ".", dir}
}

// config is what it takes to come in.
func config(s *exchangetest.SSHServer, n *exchangetest.Network) sftpc.Config {
	return sftpc.Config{
		Addr: "sftp.carrier.example", User: "concord", Signers: []ssh.Signer{exchangetest.NewKey(2)},
		HostKeys: []string{pin(exchangetest.NewKey(1))},
		Dial:     s.Through(n),
	}
}

// pin is the line by which a key is pinned.
func pin(key ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(key.PublicKey())) }

func dial(t testing.TB, cfg sftpc.Config) *sftpc.Client {
	t.Helper()
	c, err := sftpc.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEveryHostKeepsTheContract(t *testing.T) {
	for name, start := range hosts {
		t.Run(name, func(t *testing.T) {
			exchangetest.Contract(t, func(t *testing.T) exchange.Remote {
				return start(t, exchangetest.NewNetwork(0)).connect(t)
			})
		})
	}
}

func TestAFolderOfAHostKeepsTheContract(t *testing.T) {
	exchangetest.Contract(t, func(t *testing.T) exchange.Remote {
		h := openSSH(t, exchangetest.NewNetwork(0))
		if err := os.Mkdir(filepath.Join(h.dir, "in box"), 0o777); err != nil {
			t.Fatal(err)
		}
		return exchangetest.Under(dial(t, h.cfg), "in box")
	})
}
