package sftpc_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/exchange/sftpc"
	"concord/exchange/sftpd"
)

// keysDir holds the host keys of our own server: making them takes longer than
// all the rest.
var keysDir string

func TestMain(m *testing.M) {
	var err error
	if keysDir, err = os.MkdirTemp("", "concord-keys-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(keysDir)
	os.Exit(code)
}

// account is the one carrier of the server.
type account struct{ home *landing.Home }

func (a account) Account(name string) (sftpd.Account, bool) {
	keys := []ssh.PublicKey{exchangetest.NewKey(2).PublicKey()}
	return sftpd.Account{Name: name, Keys: keys, Home: a.home}, name == "concord"
}

// ownServer is what carriers connect to, with nobody who takes what arrives.
func ownServer(t testing.TB, n *exchangetest.Network) host {
	t.Helper()
	dir := t.TempDir()
	home, err := landing.OpenHome(dir, "concord", landing.Terms{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := sftpd.OpenHostKeys(keysDir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sftpd.New(sftpd.Config{Accounts: account{home}, Keys: keys, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		home.Close()
		keys.Close()
	})
	var pins []string
	for _, key := range keys.Signers() {
		pins = append(pins, pin(key))
	}
	return host{sftpc.Config{
		Addr: l.Addr().String(), User: "concord", Signers: []ssh.Signer{exchangetest.NewKey(2)},
		HostKeys: pins, Dial: n.Dial,
	}, landing.Inbox, filepath.Join(dir, landing.Inbox)}
}
