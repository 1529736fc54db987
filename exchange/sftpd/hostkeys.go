package sftpd

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// HostKeys are the keys by which clients know the server, one Ed25519 and one
// RSA, in files of a folder: NAME is the key in use, NAME.next the one to come,
// with the time of the change in NAME.next.from, and NAME.old the one before.
// Safe for concurrent use.
type HostKeys struct {
	root     *os.Root
	now      func() time.Time
	generate func(kind string) (crypto.PrivateKey, error)
	step     func() error // before each change of a file; for tests that fail it

	mu   sync.Mutex
	keys map[string]*hostKey
}

type hostKey struct {
	current, next ssh.Signer
	from          time.Time // when next takes over
}

// keyNames are the files of the keys in use, as OpenSSH names them.
var keyNames = []string{"ssh_host_ed25519_key", "ssh_host_rsa_key"}

const rsaBits = 3072

// tempPrefix begins the names of keys that are being made. One that a crash left
// is removed after a while: another process may be about to give it its name.
const (
	tempPrefix = ".new-"
	tempAge    = time.Hour
)

// OpenHostKeys reads the keys of a folder, and makes those that are missing.
func OpenHostKeys(dir string, now func() time.Time) (*HostKeys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of host keys: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of host keys: %w", err)
	}
	h := &HostKeys{root: root, now: now, generate: generate, step: func() error { return nil }, keys: map[string]*hostKey{}}
	if err := h.load(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return h, nil
}

func (h *HostKeys) load() error {
	for _, name := range keyNames {
		if err := h.open(name); err != nil {
			return fmt.Errorf("host key %s: %w", name, err)
		}
	}
	if err := h.sweep(); err != nil {
		return fmt.Errorf("remove what is left of host keys: %w", err)
	}
	return nil
}

// sweep removes keys that never got a name.
func (h *HostKeys) sweep() error {
	all, err := fs.ReadDir(h.root.FS(), ".")
	for _, e := range all {
		if !strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		info, ierr := e.Info()
		if ierr == nil && time.Since(info.ModTime()) > tempAge {
			ierr = h.remove(e.Name())
		}
		if !errors.Is(ierr, fs.ErrNotExist) {
			err = errors.Join(err, ierr)
		}
	}
	return err
}

// Close releases the folder.
func (h *HostKeys) Close() error { return h.root.Close() }

func (h *HostKeys) open(name string) error {
	current, err := h.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := h.create(name, name); err != nil {
			return err
		}
		current, err = h.read(name)
	}
	if err != nil {
		return err
	}
	k := &hostKey{current: current}
	h.keys[name] = k
	next, err := h.read(name + ".next")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := h.root.ReadFile(name + ".next.from")
	if err != nil {
		return fmt.Errorf("when the next key takes over: %w", err)
	}
	k.next = next
	k.from, err = time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	return err
}

// read reads a key that only its owner may read.
func (h *HostKeys) read(name string) (ssh.Signer, error) {
	info, err := h.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read it; set its permissions to 0600")
	}
	text, err := h.root.ReadFile(name)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	return strong(key)
}

// strong keeps an RSA key from signing with SHA-1.
func strong(key ssh.Signer) (ssh.Signer, error) {
	if key.PublicKey().Type() != ssh.KeyAlgoRSA {
		return key, nil
	}
	as, ok := key.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("it cannot sign with SHA-2")
	}
	return ssh.NewSignerWithAlgorithms(as, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}

// create makes a key of the kind of one name under another. Of two processes
// that do so at once one wins, and both use its key.
func (h *HostKeys) create(kind, name string) error {
	key, err := h.generate(kind)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "concord")
	if err != nil {
		return err
	}
	temp := tempPrefix + rand.Text()
	if err := h.write(temp, pem.EncodeToMemory(block)); err != nil {
		return err
	}
	err = h.link(temp, name)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, h.remove(temp), h.syncDir())
}

func generate(kind string) (crypto.PrivateKey, error) {
	if kind == keyNames[0] {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return rsa.GenerateKey(rand.Reader, rsaBits)
}

func (h *HostKeys) link(from, to string) error {
	if err := h.step(); err != nil {
		return err
	}
	return h.root.Link(from, to)
}

func (h *HostKeys) rename(from, to string) error {
	if err := h.step(); err != nil {
		return err
	}
	return h.root.Rename(from, to)
}

// remove removes a file, if it is there.
func (h *HostKeys) remove(name string) error {
	if err := h.step(); err != nil {
		return err
	}
	if err := h.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (h *HostKeys) write(name string, text []byte) error {
	if err := h.step(); err != nil {
		return err
	}
	f, err := h.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = h.step(); err == nil {
		_, err = f.Write(text)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func (h *HostKeys) syncDir() error {
	d, err := h.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Signers returns the keys in use.
func (h *HostKeys) Signers() []ssh.Signer {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []ssh.Signer
	for _, name := range keyNames {
		k := h.keys[name]
		if k.next != nil && !h.now().Before(k.from) {
			// The files follow; if they cannot, the key in memory is right.
			_ = h.promote(name)
			k.current, k.next = k.next, nil
		}
		all = append(all, k.current)
	}
	return all
}

// promote gives the next key the place of the one in use. At no instant is there
// none: a server that finds none makes one that no client knows.
func (h *HostKeys) promote(name string) error {
	if err := h.remove(name + ".old"); err != nil {
		return err
	}
	if err := h.link(name, name+".old"); err != nil {
		return err
	}
	return errors.Join(h.rename(name+".next", name), h.remove(name+".next.from"), h.syncDir())
}

// Announced returns the public keys in use and those to come: what clients
// should know.
func (h *HostKeys) Announced() []ssh.PublicKey {
	var all []ssh.PublicKey
	for _, s := range h.announced() {
		all = append(all, s.PublicKey())
	}
	return all
}

func (h *HostKeys) announced() []ssh.Signer {
	all := h.Signers()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range keyNames {
		if k := h.keys[name]; k.next != nil {
			all = append(all, k.next)
		}
	}
	return all
}

// Rotate makes keys that take over after the overlap, in which clients can
// learn of them. It fails while an earlier rotation is under way.
func (h *HostKeys) Rotate(overlap time.Duration) error {
	h.Signers() // a rotation that is due ends first
	h.mu.Lock()
	defer h.mu.Unlock()
	from := h.now().Add(overlap).UTC().Truncate(time.Second)
	for _, name := range keyNames {
		if h.keys[name].next != nil {
			return fmt.Errorf("a rotation is under way until %s", h.keys[name].from.Format(time.RFC3339))
		}
	}
	for _, name := range keyNames {
		if err := h.write(name+".next.from", []byte(from.Format(time.RFC3339))); err != nil {
			return fmt.Errorf("rotate host keys: %w", err)
		}
		if err := h.create(name, name+".next"); err != nil {
			return fmt.Errorf("rotate host keys: %w", err)
		}
		if err := h.open(name); err != nil {
			return fmt.Errorf("rotate host keys: %w", err)
		}
	}
	return nil
}
