package sftpd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"strings"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/sftpd"

	"golang.org/x/crypto/ssh"
)

func newEd25519(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	s, err := ssh.NewSignerFromKey(key)
	must(t, err)
	return s
}

func newRSA(t testing.TB, bits int) ssh.MultiAlgorithmSigner {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	s, err := ssh.NewSignerFromKey(key)
	must(t, err)
	return s.(ssh.MultiAlgorithmSigner)
}

// signing makes an RSA key sign in one way only.
func signing(t testing.TB, key ssh.MultiAlgorithmSigner, algorithm string) ssh.MultiAlgorithmSigner {
	t.Helper()
	s, err := ssh.NewSignerWithAlgorithms(key, []string{algorithm})
	must(t, err)
	return s
}

// tryKey logs in with a key and returns why that failed.
func tryKey(site *exchangetest.Site, user string, key ssh.Signer) error {
	c, err := knock(site, "", ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}})
	if err == nil {
		_ = c.Close()
	}
	return err
}

// generous is a site that does not ban those who try.
func generous(t testing.TB) *exchangetest.Site {
	return newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Failures: 1000}})
}

// allow changes the account of the carrier.
func allow(site *exchangetest.Site, change func(*sftpd.Account)) {
	a, _ := site.Account(carrier)
	change(&a)
	site.SetAccount(a)
}

func TestOnlyStrongKeysLogIn(t *testing.T) {
	site := generous(t)
	weak, strong := newRSA(t, 1024), newRSA(t, 2048)
	allow(site, func(a *sftpd.Account) { a.Keys = append(a.Keys, weak.PublicKey(), strong.PublicKey()) })
	for name, c := range map[string]struct {
		key ssh.Signer
		ok  bool
	}{
		"Ed25519":                     {site.Signer(carrier), true},
		"another carrier's":           {site.Signer(other), false},
		"RSA with SHA-512":            {signing(t, strong, ssh.KeyAlgoRSASHA512), true},
		"RSA with SHA-256":            {signing(t, strong, ssh.KeyAlgoRSASHA256), true},
		"RSA with SHA-1":              {signing(t, strong, ssh.KeyAlgoRSA), false},
		"RSA of 1024 bits and SHA-2":  {weak, false},
		"RSA of 1024 bits with SHA-1": {signing(t, weak, ssh.KeyAlgoRSA), false},
	} {
		if err := tryKey(site, carrier, c.key); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// certified makes a certificate for a key of its own.
func certified(t testing.TB, ca ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	key := newEd25519(t)
	cert := &ssh.Certificate{
		Key: key.PublicKey(), CertType: ssh.UserCert, KeyId: "of a test", Serial: 7,
		ValidPrincipals: []string{carrier}, ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: ssh.CertTimeInfinity,
	}
	if change != nil {
		change(cert)
	}
	must(t, cert.SignCert(rand.Reader, ca))
	s, err := ssh.NewCertSigner(cert, key)
	must(t, err)
	return s
}

func options(name, value string) func(*ssh.Certificate) {
	return func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{name: value} }
}

func TestCertificates(t *testing.T) {
	site := generous(t)
	ca, rsaCA, weakCA := newEd25519(t), newRSA(t, 2048), newRSA(t, 1024)
	allow(site, func(a *sftpd.Account) {
		a.CAs = []ssh.PublicKey{ca.PublicKey(), rsaCA.PublicKey(), weakCA.PublicKey()}
	})
	past, soon := uint64(time.Now().Add(-time.Minute).Unix()), uint64(time.Now().Add(time.Hour).Unix())
	for name, c := range map[string]struct {
		key ssh.Signer
		ok  bool
	}{
		"good":                          {certified(t, ca, nil), true},
		"signed with RSA and SHA-512":   {certified(t, rsaCA, nil), true},
		"signed with RSA and SHA-1":     {certified(t, signing(t, rsaCA, ssh.KeyAlgoRSA), nil), false},
		"signed with RSA of 1024 bits":  {certified(t, weakCA, nil), false},
		"of an authority unknown":       {certified(t, newEd25519(t), nil), false},
		"expired":                       {certified(t, ca, func(c *ssh.Certificate) { c.ValidBefore = past }), false},
		"not valid yet":                 {certified(t, ca, func(c *ssh.Certificate) { c.ValidAfter = soon }), false},
		"of another carrier":            {certified(t, ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{other} }), false},
		"of several":                    {certified(t, ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{other, carrier} }), true},
		"of nobody, so of everybody":    {certified(t, ca, func(c *ssh.Certificate) { c.ValidPrincipals = nil }), false},
		"of a host":                     {certified(t, ca, func(c *ssh.Certificate) { c.CertType = ssh.HostCert }), false},
		"for this address":              {certified(t, ca, options("source-address", "127.0.0.0/8")), true},
		"for another address":           {certified(t, ca, options("source-address", "10.0.0.1")), false},
		"for a command":                 {certified(t, ca, options("force-command", "internal-sftp")), false},
		"with an option yet unheard of": {certified(t, ca, options("verify-required", "")), false},
		"with an extension unheard of":  {certified(t, ca, func(c *ssh.Certificate) { c.Extensions = map[string]string{"concord-login": "x"} }), true},
	} {
		if err := tryKey(site, carrier, c.key); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tryKey(site, other, certified(t, ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{other} })); err == nil {
		t.Error("the authority of one carrier lets into the home of another")
	}
}

// tryPassword logs in with passwords one after the other, and counts those
// that the server asked for.
func tryPassword(site *exchangetest.Site, user string, passwords ...string) (asked int, err error) {
	next := func() (string, error) {
		if asked == len(passwords) {
			return "", io.EOF
		}
		asked++
		return passwords[asked-1], nil
	}
	c, err := knock(site, "", ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.RetryableAuthMethod(ssh.PasswordCallback(next), len(passwords))}})
	if err == nil {
		_ = c.Close()
	}
	return asked, err
}

func TestPasswordsWhereTheyAreSwitchedOn(t *testing.T) {
	t.Parallel()
	site := generous(t)
	right := exchangetest.Password(carrier)
	if _, err := tryPassword(site, carrier, "wrong", right); err != nil {
		t.Errorf("right at the second try: %v", err)
	}
	for name, try := range map[string][2]string{
		"wrong": {carrier, right + "x"}, "empty": {carrier, ""}, "of another": {other, right}, "of nobody": {"nobody", right},
	} {
		if _, err := tryPassword(site, try[0], try[1]); err == nil {
			t.Errorf("%s: logged in", name)
		}
	}
	allow(site, func(a *sftpd.Account) { a.Password = "" })
	for _, p := range []string{right, ""} {
		if _, err := tryPassword(site, carrier, p); err == nil {
			t.Errorf("logged in with %q where passwords are off", p)
		}
	}
}

func TestWhoHasAnAccountIsNotTold(t *testing.T) {
	t.Parallel()
	site := generous(t)
	stranger := newEd25519(t)
	allow(site, func(a *sftpd.Account) { a.Password = "" })
	heard := map[string]string{}
	for _, user := range []string{carrier, other, "nobody", "root", ""} {
		var banner strings.Builder
		_, err := knock(site, "", ssh.ClientConfig{
			User:           user,
			Auth:           []ssh.AuthMethod{ssh.PublicKeys(stranger), ssh.Password("x")},
			BannerCallback: func(m string) error { banner.WriteString(m); return nil },
		})
		if err == nil {
			t.Fatalf("%q: logged in", user)
		}
		heard[user] = err.Error() + banner.String()
	}
	for user, text := range heard {
		if text != heard[carrier] {
			t.Errorf("%q hears %q, the carrier %q", user, text, heard[carrier])
		}
	}
}

func TestWhoLosesTheAccountIsSentAway(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sftpd.Account){
		"the key withdrawn":   func(a *sftpd.Account) { a.Keys = nil },
		"the account given":   func(a *sftpd.Account) { a.Home = nil },
		"the account removed": func(a *sftpd.Account) { *a = sftpd.Account{Name: a.Name} },
	} {
		site := newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Keepalive: 200 * time.Millisecond}})
		c, another := login(t, site, carrier), login(t, site, other)
		must(t, put(open(t, c), "inbox/a.csv", []byte("a")))
		allow(site, change)
		if err := tryKey(site, carrier, site.Signer(carrier)); err == nil && name != "the account given" {
			t.Errorf("%s: logged in anew", name)
		}
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: still connected", name)
		}
		must(t, put(open(t, another), "inbox/a.csv", []byte("a")))
	}
}
