package atrest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A folder that holds encrypted files says so: for each set of recipients there
// is a small file in it with a text that is encrypted to them. So a service that
// has lost an identity, or its whole block of configuration, is told so at its
// start, and not by files that cannot be read.

// markerDir is where the files are, below the folder.
const markerDir = "encryption"

// marker is one of them.
type marker struct {
	Recipients []string `json:"recipients"`
	Check      string   `json:"check"` // encrypted, in base64
}

// Check makes sure that everything in a folder can be read: the identities open
// every set of recipients that was ever used in it. Without keys nothing may
// have been encrypted there.
func (k *Keys) Check(dir string) error {
	list, err := markers(dir)
	if err != nil {
		return fmt.Errorf("see how the data folder is encrypted: %w", err)
	}
	var errs []error
	for _, m := range list {
		to := strings.Join(m.Recipients, " ")
		if k == nil {
			errs = append(errs, fmt.Errorf("data folder %s: holds files that are encrypted to %s, and the configuration has no encryption: put the block back; concord encrypt rewrap --decrypt takes the encryption off first", dir, to))
			continue
		}
		text, err := k.unsealText(m.Check)
		switch {
		case errors.Is(err, ErrLocked):
			errs = append(errs, fmt.Errorf("data folder %s: holds files that are encrypted to %s, and no identity opens them: put that identity back beside the others; concord encrypt rewrap encrypts them to today's recipients", dir, to))
		case err != nil || text != setOf(m.Recipients):
			errs = append(errs, fmt.Errorf("data folder %s: the file in its folder %s about %s is not as it was written; restore it from a backup", dir, markerDir, to))
		}
	}
	return errors.Join(errs...)
}

// Mark says in a folder that files in it are encrypted to the recipients. It must
// come before the first of them.
func (k *Keys) Mark(dir string) error {
	if k == nil {
		return nil
	}
	name := filepath.Join(dir, markerDir, k.set+".json")
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	check, err := k.sealText(k.set)
	if err != nil {
		return err
	}
	list := slices.Clone(k.given.Recipients)
	slices.Sort(list)
	text, err := json.MarshalIndent(marker{slices.Compact(list), check}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return fmt.Errorf("note how the data folder is encrypted: %w", err)
	}
	if err := replace(name, 0o640, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err }); err != nil {
		return fmt.Errorf("note how the data folder is encrypted: %w", err)
	}
	return syncDir(dir)
}

// unmark forgets all sets of recipients but those of the keys.
func (k *Keys) unmark(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, markerDir, "*.json"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if k == nil || filepath.Base(name) != k.set+".json" {
			errs = append(errs, os.Remove(name))
		}
	}
	return errors.Join(errs...)
}

func markers(dir string) (list []marker, err error) {
	names, err := filepath.Glob(filepath.Join(dir, markerDir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Clean(name))
		var m marker
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		list = append(list, m)
	}
	return list, nil
}

func (k *Keys) sealText(text string) (string, error) {
	var b bytes.Buffer
	w, err := k.Encrypt(&b)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func (k *Keys) unsealText(text string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	body, size, err := k.newBody(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	defer body.live.leave(body)
	plain := make([]byte, size)
	return string(plain), body.readAt(plain, 0)
}
