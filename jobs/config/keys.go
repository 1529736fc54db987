package config

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"concord/formats/yamltree"

	"golang.org/x/crypto/ssh"
)

const (
	exampleKey = `"ssh-ed25519 AAAA… someone@example.com"`
	minRSABits = 2048 // what OpenSSH and NIST ask for at least
)

// reporter is where a fault is: a node, or a line of another file.
type reporter interface {
	Report(format string, args ...any)
}

// line is a line of a file other than the configuration.
type line struct {
	r      *reader
	file   string
	number int
}

// Report notes that something is wrong with the line.
func (l line) Report(format string, args ...any) {
	l.r.elsewhere = append(l.r.elsewhere, &yamltree.Fault{File: l.file, Line: l.number, Text: fmt.Sprintf(format, args...)})
}

// keyList returns the keys of a list.
func (r *reader) keyList(y *yamltree.Node, take func(at reporter, key ssh.PublicKey)) {
	if y.Kind == yamltree.Text {
		r.key(y, y.Text, take)
		return
	}
	if y.Kind != yamltree.List {
		y.Word(exampleKey)
		return
	}
	for _, item := range y.Items {
		if text, ok := item.Word(exampleKey); ok {
			r.key(item, text, take)
		}
	}
}

// keyFile returns the keys of a file as ~/.ssh/authorized_keys is one.
func (r *reader) keyFile(y *yamltree.Node, take func(at reporter, key ssh.PublicKey)) {
	typed, ok := y.Word("keys/fabrikam.pub")
	if !ok {
		return
	}
	b, err := readFile(r.path(typed), maxFile, public)
	if err != nil {
		y.Report("%s: %v", typed, err)
		return
	}
	found := false
	for i, text := range strings.Split(string(b), "\n") {
		if text = strings.TrimSpace(text); text == "" || text[0] == '#' {
			continue
		}
		found = true
		r.key(line{r, r.shown(typed), i + 1}, text, take)
		if strings.HasPrefix(text, "-----BEGIN") {
			return // the other lines are of the same key
		}
	}
	if !found {
		y.Report("%s: holds no key", typed)
	}
}

func (r *reader) key(at reporter, text string, take func(at reporter, key ssh.PublicKey)) {
	key, err := parseKey(text)
	if err != nil {
		at.Report("%v", err)
		return
	}
	take(at, key)
}

// parseKey reads a line of authorized_keys without options.
func parseKey(text string) (ssh.PublicKey, error) {
	switch {
	case strings.Contains(text, "PRIVATE KEY") || strings.HasPrefix(text, "PuTTY-User-Key"):
		return nil, errors.New("is a private key, which only its owner may have; write the line of the .pub file, and let the owner make a new pair")
	case strings.Contains(text, "BEGIN SSH2 PUBLIC KEY"):
		return nil, errors.New("is in another form; ssh-keygen -i -f FILE writes it as the line that is needed")
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	switch {
	case err != nil:
		return nil, errors.New("is no public key; write the line of the .pub file, such as " + exampleKey)
	case len(bytes.TrimSpace(rest)) > 0 || strings.Contains(strings.TrimSpace(text), "\n"):
		return nil, errors.New("is more than one line; write an item for each key")
	case slices.Contains(options, "cert-authority"):
		return nil, errors.New("is an authority; write it under authorities, without cert-authority")
	case len(options) > 0:
		return nil, errors.New("has options before the key, which nothing here would keep to; remove them")
	}
	return key, checkKey(key)
}

// checkKey refuses keys that others could compute, and those that no login is
// possible with.
func checkKey(key ssh.PublicKey) error {
	const instead = "ask for an Ed25519 key (ssh-keygen -t ed25519)"
	if _, is := key.(*ssh.Certificate); is {
		return errors.New("is a certificate; write the key of its authority under authorities")
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return nil
	case ssh.KeyAlgoRSA:
	default:
		return fmt.Errorf("is a key of type %s, which is not safe or not known; %s", key.Type(), instead)
	}
	if k, is := key.(ssh.CryptoPublicKey); is {
		if r, is := k.CryptoPublicKey().(*rsa.PublicKey); is && r.N.BitLen() < minRSABits {
			return fmt.Errorf("is an RSA key of %d bits, which can be computed; at least %d are needed: %s", r.N.BitLen(), minRSABits, instead)
		}
	}
	return nil
}

// loginKey adds a key to a carrier, unless another one has it.
func (r *reader) loginKey(c *Carrier) func(at reporter, key ssh.PublicKey) {
	return func(at reporter, key ssh.PublicKey) {
		id := string(key.Marshal())
		switch owner, is := r.keys[id]; {
		case is && owner != c.Name:
			at.Report("is a key of carriers.%s, too; one key must not open two homes: ask one of them for another key", owner)
		case !is:
			r.keys[id] = c.Name
			c.Keys = append(c.Keys, key)
		}
	}
}
