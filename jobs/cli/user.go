package cli

import (
	"fmt"
	"unicode/utf8"

	"concord/exchange/sftpd"
	"concord/jobs/config"
)

type userCmd struct {
	Passwd userPasswdCmd `cmd:"" help:"Make the hash of a password for the configuration."`
}

// userName is the name of a person who logs in to the console.
type userName string

// UnmarshalText checks the name while flags are read.
func (n *userName) UnmarshalText(b []byte) error {
	if err := config.CheckName(string(b)); err != nil {
		return fmt.Errorf("%q %w", b, err)
	}
	*n = userName(b)
	return nil
}

type userPasswdCmd struct {
	User userName `arg:"" help:"The user."`
	JSON bool     `name:"json" help:"Print the hash as JSON."`
}

// Help has examples.
func (userPasswdCmd) Help() string {
	return `Reads a password, twice from a terminal or as one line from elsewhere, and prints the line for users.USER in the configuration.

Examples:
  concord user passwd ann
  openssl rand -base64 24 | tee for-ann | concord user passwd ann`
}

// Run prints the hash of a password.
func (c *userPasswdCmd) Run(s *session) error {
	hash, err := s.passwordHash(string(c.User))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.Out, map[string]string{"user": string(c.User), "password_hash": hash})
	}
	_, err = fmt.Fprintf(s.Out, "password_hash: %q\n", hash)
	return err
}

// The lengths of a password.
const (
	minPassword = 12   // characters
	maxPassword = 1000 // bytes
)

// passwordHash asks for somebody's password and returns its hash.
func (s *session) passwordHash(name string) (string, error) {
	password, err := s.password(name)
	switch {
	case err != nil:
		return "", err
	case utf8.RuneCount(password) < minPassword:
		return "", usageFailure("the password is shorter than %d characters; take a longer one, such as openssl rand -base64 24 makes", minPassword)
	case len(password) > maxPassword:
		return "", usageFailure("the password is longer than %d bytes", maxPassword)
	}
	return sftpd.HashPassword(password)
}
