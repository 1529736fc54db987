package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"concord/exchange/atrest"
	"concord/jobs/config"
)

// encrypted are the folders of the data folder whose files are encrypted.
var encrypted = []string{spoolDir, recordsDir, reportsDir, rejectsDir, deliveriesDir}

// Rewrap encrypts what is in the data folder to the recipients of a
// configuration, or with clear decrypts it. No service may run on the folder.
func Rewrap(ctx context.Context, c *config.Config, clear bool) (n atrest.Rewrapped, err error) {
	if c.Encryption == nil {
		return n, errors.New("the configuration has no encryption: there are no keys to work with")
	}
	if _, err := os.Stat(c.Data); err != nil {
		return n, fmt.Errorf("data folder: %w", err)
	}
	f, err := lock(filepath.Join(c.Data, lockFile))
	if err != nil {
		return n, fmt.Errorf("data folder %s: %w", c.Data, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return c.Encryption.Rewrap(ctx, c.Data, encrypted, clear)
}
