package cli

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"concord/jobs"
	"concord/jobs/config"
)

type carrierCmd struct {
	Keygen carrierKeygenCmd `cmd:"" help:"Make a key pair to log in with."`
	Passwd carrierPasswdCmd `cmd:"" help:"Make the hash of a password for the configuration."`
	Test   carrierTestCmd   `cmd:"" help:"Connect to the carrier's own SFTP host, and say what is wrong."`
}

// carrierName is the name of a carrier on the command line.
type carrierName string

// UnmarshalText takes a name that a configuration would take.
func (c *carrierName) UnmarshalText(b []byte) error {
	if err := config.CheckName(string(b)); err != nil {
		return fmt.Errorf("%q %w", b, err)
	}
	*c = carrierName(b)
	return nil
}

func usageFailure(format string, args ...any) error {
	return &jobs.Failure{Kind: jobs.KindUsage, Messages: []string{fmt.Sprintf(format, args...)}}
}

type carrierKeygenCmd struct {
	Carrier carrierName `arg:"" help:"The carrier."`
	Out     given       `placeholder:"FILE" help:"The file for the private key; it must not exist. Default: CARRIER_ed25519."`
	JSON    bool        `name:"json" help:"Print the public key as JSON."`
}

// Help has examples.
func (carrierKeygenCmd) Help() string {
	return `Makes an Ed25519 key pair. The private key goes to a file that only you can read; the line of the public key is printed.

A key for our login at the carrier's own host: name the file in carriers.CARRIER.host.key_file, and send the line to the carrier.
A key for the carrier's login here: put the line into carriers.CARRIER.keys, and hand over the file. Better, the carrier makes its own and sends the line.

Examples:
  concord carrier keygen litware --out secrets/litware
  concord carrier keygen fabrikam >> keys/fabrikam.pub`
}

// keyReport is what --json prints.
type keyReport struct {
	Carrier     string `json:"carrier"`
	File        string `json:"file"`
	PublicKey   string `json:"public_key"`
	Fingerprint string `json:"fingerprint"`
}

// Run makes the pair. A file that exists is never overwritten: it may be the
// only copy of a key.
func (c *carrierKeygenCmd) Run(s *session) error {
	name, out := string(c.Carrier), string(c.Out)
	if out == "" {
		out = name + "_ed25519"
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, name)
	if err != nil {
		return err
	}
	if err := writeNew(out, pem.EncodeToMemory(block)); err != nil {
		return err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + name
	if c.JSON {
		return printJSON(s.Out, keyReport{name, out, line, ssh.FingerprintSHA256(key)})
	}
	fmt.Fprintf(s.Err, "The private key is in %s, which only this user can read. The line of the public key is for whoever lets it in:\n", out)
	_, err = fmt.Fprintln(s.Out, line)
	return err
}

// writeNew writes a file that must not exist and that only its owner may read.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return usageFailure("--out %s: already exists; choose another file, a key is never overwritten", name)
	case errors.Is(err, fs.ErrNotExist):
		return usageFailure("--out %s: the folder does not exist; create it first", name)
	case err != nil:
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", errors.Join(err, os.Remove(name)))
	}
	return nil
}

type carrierPasswdCmd struct {
	Carrier carrierName `arg:"" help:"The carrier."`
	JSON    bool        `name:"json" help:"Print the hash as JSON."`
}

// Help has examples.
func (carrierPasswdCmd) Help() string {
	return `Reads a password, twice from a terminal or as one line from elsewhere, and prints the line for carriers.CARRIER in the configuration. ` +
		`Keys are better: use passwords only for carriers that cannot have them.

Examples:
  concord carrier passwd fabrikam
  openssl rand -base64 24 | tee for-the-carrier | concord carrier passwd fabrikam`
}

// Run prints the hash of a password.
func (c *carrierPasswdCmd) Run(s *session) error {
	hash, err := s.passwordHash(string(c.Carrier))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.Out, map[string]string{"carrier": string(c.Carrier), "password_hash": hash})
	}
	_, err = fmt.Fprintf(s.Out, "password_hash: %q\n", hash)
	return err
}

// password reads one from a terminal, twice and unseen, or the one line there
// is.
func (s *session) password(carrier string) ([]byte, error) {
	f, ok := s.In.(*os.File)
	if !ok || !isTerminal(f) {
		return onlyLine(s.In)
	}
	first, err := s.ask(f, "Password for "+carrier+": ")
	if err != nil {
		return nil, err
	}
	second, err := s.ask(f, "The same again: ")
	if err == nil && string(first) != string(second) {
		err = usageFailure("the two differ; nothing was made")
	}
	return first, err
}

// ask reads a line that is not shown. Reading from a terminal cannot be
// interrupted: after a signal the process ends while it still waits.
func (s *session) ask(f *os.File, prompt string) ([]byte, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(s.Err, prompt)
	defer fmt.Fprintln(s.Err)
	type answer struct {
		text []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-s.ctx.Done():
		return nil, errors.Join(context.Cause(s.ctx), term.Restore(fd, before))
	}
}

func onlyLine(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(io.LimitReader(r, maxPassword+2))
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	if rest, _ := in.ReadString('\n'); rest != "" {
		return nil, usageFailure("there is more than one line; a password is one line")
	}
	return []byte(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")), nil
}
