package cli

import (
	"fmt"

	"concord/exchange/atrest"
	"concord/jobs/service"
)

type encryptCmd struct {
	Keygen encryptKeygenCmd `cmd:"" help:"Make a pair of keys for the configuration."`
	Rewrap encryptRewrapCmd `cmd:"" help:"Encrypt what is in the data folder to today's recipients, or decrypt it."`
}

type encryptKeygenCmd struct {
	Out  given `placeholder:"FILE" default:"concord.age" help:"The file for the identity, which is secret; it must not exist [concord.age]."`
	JSON bool  `name:"json" help:"Print the recipient as JSON."`
}

// Help has examples.
func (encryptKeygenCmd) Help() string {
	return `Makes a pair of keys of age. The identity, which opens what is encrypted, goes to a file that only you can read: name it in encryption.identity_file, keep it outside the data folder, and keep a copy where no backup of the data folder is. Without it everything that is encrypted is lost. The recipient is printed: put it into encryption.recipients.

To replace a key: make a new pair, put its recipient in the place of the old one, and its identity beside the old one in the same file, a line each; start the service anew. What is new is encrypted to the new one from then on. Then stop the service, give concord encrypt rewrap, and take the old identity out.

Examples:
  concord encrypt keygen --out /etc/concord/secrets/concord.age
  age-keygen -pq >> /etc/concord/secrets/concord.age`
}

// Run makes the pair. A file that exists is never overwritten: it may be the
// only copy of a key.
func (c *encryptKeygenCmd) Run(s *session) error {
	recipient, identity, err := atrest.Generate()
	if err != nil {
		return err
	}
	if err := writeNew(string(c.Out), fmt.Appendf(nil, "# public key: %s\n%s\n", recipient, identity)); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.Out, map[string]string{"file": string(c.Out), "recipient": recipient})
	}
	fmt.Fprintf(s.Err, "The identity is in %s, which only this user can read; keep a copy in a safe place. The recipient is for the configuration:\n", c.Out)
	_, err = fmt.Fprintln(s.Out, recipient)
	return err
}

type encryptRewrapCmd struct {
	configFlag
	Decrypt bool `help:"Write everything in clear, before encryption is taken out of the configuration."`
	JSON    bool `name:"json" help:"Print the counts as JSON."`
}

// Help has examples.
func (encryptRewrapCmd) Help() string {
	return `Writes every file in the spool, the records, the reports and the rejected rows anew that is not encrypted to today's recipients: those in clear, from before there was encryption, and those for a key that was replaced. Files that are as they should be are left alone, so it can be broken off and given again. All services on the data folder must be stopped. What a disk or a backup still has of the old files is not reached.

Examples:
  concord encrypt rewrap -c /etc/concord/concord.yaml
  concord encrypt rewrap --decrypt`
}

// Run writes anew what is not as it should be.
func (c *encryptRewrapCmd) Run(s *session) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	n, err := service.Rewrap(s.ctx, cfg, c.Decrypt)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.Out, map[string]int64{"written": n.Written, "bytes": n.Bytes, "left": n.Left})
	}
	done := "encrypted"
	if c.Decrypt {
		done = "decrypted"
	}
	_, err = fmt.Fprintf(s.Out, "%d files of %d bytes were %s, %d were so already\n", n.Written, n.Bytes, done, n.Left)
	return err
}
