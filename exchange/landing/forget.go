package landing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

// Relic is a file that was decided, as far as its traces in a home tell.
type Relic struct {
	Name     string // below inbox/, with slashes
	SHA256   string // in hex
	Bytes    int64
	Received time.Time
}

// Forget removes what a home keeps of a file that has left the inbox: the file
// itself, wherever it was put away, what was sent beside it, and its receipt with
// the rejected rows. What later files of the same name left stays. Repeated, it
// changes nothing.
func (h *Home) Forget(ctx context.Context, r Relic) error {
	var found []string
	look := func(name string, i fs.FileInfo) {
		if i.Size() == r.Bytes {
			found = append(found, name)
		}
	}
	if err := errors.Join(h.walk(path.Join(Archive, r.Received.UTC().Format(time.DateOnly)), look), h.walk(Rejected, look)); err != nil {
		return fmt.Errorf("forget a file: %w", err)
	}
	for _, name := range found {
		same, err := h.hasContent(ctx, name, r.SHA256)
		if err == nil && same {
			err = h.eraseAll(name+doneMarker, name+checksum, name)
		}
		if err != nil {
			return fmt.Errorf("forget a file: %w", err)
		}
	}
	if err := h.forgetReceipt(r); err != nil {
		return fmt.Errorf("forget a receipt: %w", err)
	}
	return nil
}

// hasContent reports whether a file is there and has a content.
func (h *Home) hasContent(ctx context.Context, name, sum string) (bool, error) {
	f, err := h.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	got := sha256.New()
	_, err = io.Copy(got, cancelable{ctx, f})
	return hex.EncodeToString(got.Sum(nil)) == sum, errors.Join(err, f.Close())
}

// forgetReceipt removes the receipt of a file, unless a later file of its name
// has its own there.
func (h *Home) forgetReceipt(r Relic) error {
	name := ReceiptName(r.Name)
	f, err := h.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var there Receipt
	err = errors.Join(json.NewDecoder(f).Decode(&there), f.Close())
	if err != nil || there.SHA256 != r.SHA256 || !there.Received.Equal(r.Received) {
		return err
	}
	return h.eraseAll(strings.TrimSuffix(name, ".json")+".rejected.csv", name)
}

// eraseAll removes files and their folder if that is empty then. The last one is
// that by which the others are found again.
func (h *Home) eraseAll(names ...string) error {
	for _, name := range names {
		folder, rest, _ := strings.Cut(name, "/")
		if err := h.Erase(Kept{Folder: folder, Name: rest}); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir := path.Dir(names[0]); strings.Contains(dir, "/"); dir = path.Dir(dir) {
		if h.root.Remove(dir) != nil { // it is not empty
			break
		}
	}
	return nil
}
