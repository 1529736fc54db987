package exchangetest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"

	"golang.org/x/crypto/ssh"
)

// Site is an SFTP server on loopback with the homes of some carriers, each of
// which has a key and a password of its own.
type Site struct {
	Addr   string // of the server
	Dir    string // what it keeps on disk
	Homes  map[string]*landing.Home
	Spool  *landing.Spool
	Keys   *sftpd.HostKeys
	Server *sftpd.Server

	mu       sync.Mutex
	accounts map[string]sftpd.Account
	signers  map[string]ssh.Signer
	keyFiles map[string]string
	events   []sftpd.Event
}

// SiteOptions say how a Site is made; the zero value has the defaults of the
// server, two carriers and nobody who takes the files.
type SiteOptions struct {
	Dir      string // kept when given; else a folder of the test
	Carriers []string
	Terms    landing.Terms
	Settings sftpd.Settings
	Taker    landing.Taker // nil: nobody takes what arrives
	Watch    landing.Watch
}

// NewSite starts a server that stops with the test.
func NewSite(t testing.TB, o SiteOptions) *Site {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Carriers == nil {
		o.Carriers = []string{"fabrikam", "northwind"}
	}
	s := &Site{
		Dir: o.Dir, Homes: map[string]*landing.Home{}, accounts: map[string]sftpd.Account{},
		signers: map[string]ssh.Signer{}, keyFiles: map[string]string{},
	}
	var err error
	if s.Keys, err = sftpd.OpenHostKeys(filepath.Join(o.Dir, "hostkeys"), time.Now); err != nil {
		t.Fatal(err)
	}
	if s.Spool, err = landing.OpenSpool(filepath.Join(o.Dir, "spool")); err != nil {
		t.Fatal(err)
	}
	for _, name := range o.Carriers {
		s.addCarrier(t, name, o.Terms)
	}
	s.start(t, o)
	return s
}

func (s *Site) addCarrier(t testing.TB, name string, terms landing.Terms) {
	t.Helper()
	home, err := landing.OpenHome(filepath.Join(s.Dir, "homes", name), name, terms, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.keyFiles[name] = writeKey(t, s.Dir, name, key)
	if s.signers[name], err = ssh.NewSignerFromKey(key); err != nil {
		t.Fatal(err)
	}
	authorized, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := sftpd.HashPassword([]byte(Password(name)))
	if err != nil {
		t.Fatal(err)
	}
	s.Homes[name] = home
	s.accounts[name] = sftpd.Account{Name: name, Keys: []ssh.PublicKey{authorized}, Password: hash, Home: home}
}

func writeKey(t testing.TB, dir, name string, key ed25519.PrivateKey) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, name)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s *Site) start(t testing.TB, o SiteOptions) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	s.Server, err = sftpd.New(sftpd.Config{Accounts: s, Keys: s.Keys, Settings: o.Settings, Now: time.Now, Audit: s.record})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Server.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	for _, h := range s.Homes {
		if o.Taker != nil {
			wg.Go(func() { h.Tend(ctx, s.Spool, o.Taker, o.Watch) })
		}
	}
	t.Cleanup(func() {
		stop()
		wg.Wait()
		for _, h := range s.Homes {
			_ = h.Close()
		}
		_ = s.Spool.Close()
		_ = s.Keys.Close()
	})
}

// Password returns the password of a carrier.
func Password(carrier string) string { return "secret of " + carrier }

// Account implements sftpd.Accounts.
func (s *Site) Account(name string) (sftpd.Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[name]
	return a, ok
}

// SetAccount changes or adds an account while the server runs.
func (s *Site) SetAccount(a sftpd.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.Name] = a
}

// Signer returns the key with which a carrier logs in.
func (s *Site) Signer(carrier string) ssh.Signer { return s.signers[carrier] }

// KeyFile returns the file with that key, as OpenSSH writes it.
func (s *Site) KeyFile(carrier string) string { return s.keyFiles[carrier] }

// KnownHosts returns a line for each host key, as OpenSSH reads it.
func (s *Site) KnownHosts() []byte {
	host, port, _ := net.SplitHostPort(s.Addr)
	var b bytes.Buffer
	for _, k := range s.Keys.Announced() {
		b.WriteString("[" + host + "]:" + port + " ")
		b.Write(ssh.MarshalAuthorizedKey(k))
	}
	return b.Bytes()
}

// Home returns the folder of a carrier's home on disk.
func (s *Site) Home(carrier string) string { return filepath.Join(s.Dir, "homes", carrier) }

func (s *Site) record(e sftpd.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// Events returns what the audit was told so far.
func (s *Site) Events() []sftpd.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}
