package landing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// writeReceipt puts an answer where its carrier looks for it, once.
func (t *tender) writeReceipt(c *claim) error {
	r := &c.answer.Receipt
	name := path.Join(Receipts, fitting(r.File))
	if c.written || t.hasLater(ReceiptName(r.File), r) {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	// The rows first: whoever sees the receipt finds them.
	if err := t.writeRows(name+".rejected.csv", &c.answer); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	err = t.deliver(ReceiptName(r.File), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	c.written = true
	return nil
}

// hasLater reports whether the receipt of a later file of this name is there.
func (h *Home) hasLater(name string, r *Receipt) bool {
	f, err := h.root.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var there Receipt
	return json.NewDecoder(f).Decode(&there) == nil && there.Time.After(r.Time)
}

// ReceiptName returns where in a home the receipt of a file is.
func ReceiptName(file string) string { return path.Join(Receipts, fitting(file)+".json") }

// fitting shortens a name whose receipt's name would be too long.
func fitting(name string) string {
	dir, base := path.Split(name)
	const longest = maxName - len(".rejected.csv")
	if len(base) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(base))
	return dir + base[:longest-17] + "~" + hex.EncodeToString(sum[:8])
}

func (t *tender) writeRows(name string, a *Answer) error {
	if a.RejectedRows == "" {
		return ignoreMissing(t.root.Remove(name)) // of an earlier file of this name
	}
	f, err := a.openRows()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return t.deliver(name, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

func (a *Answer) openRows() (io.ReadCloser, error) {
	if a.OpenRows != nil {
		return a.OpenRows(a.RejectedRows)
	}
	return os.Open(a.RejectedRows)
}

// deliver writes a file of ours into a home; it appears complete.
func (h *Home) deliver(name string, fill func(io.Writer) error) (err error) {
	temp := path.Join(staging, rand.Text())
	f, err := h.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if rerr := h.root.Remove(temp); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	if err = fill(f); err == nil {
		err = h.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := h.root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return err
	}
	if err := h.root.Rename(temp, name); err != nil {
		return err
	}
	return h.syncDir(path.Dir(name))
}

// Deliver puts a file into the outbox; it appears there complete, in the place
// of an earlier one of its name.
func (h *Home) Deliver(ctx context.Context, name string, src io.Reader) error {
	at, err := locate(path.Join(Outbox, name))
	if err != nil || at.top != Outbox || at.isFolder() {
		return errors.Join(err, fmt.Errorf("deliver %q: it is no name of a file", name))
	}
	err = h.deliver(at.String(), func(w io.Writer) error {
		_, err := io.Copy(w, cancelable{ctx, src})
		return err
	})
	if err != nil {
		return fmt.Errorf("deliver %q: %w", name, err)
	}
	return nil
}

// Place puts a file of a reserved name into the inbox, where it is taken whatever
// the policy is. It appears complete, and is on the disk when Place returns. It fails
// with fs.ErrExist when there is one of its name.
func (h *Home) Place(name string, content []byte) error {
	if !IsReserved(name) || path.Base(name) != name {
		return fmt.Errorf("place %q: it is no reserved name", name)
	}
	s := &Session{home: h, own: true}
	defer s.End()
	u, err := s.Upload(path.Join(Inbox, name), UploadOptions{Create: true, Exclusive: true, Measured: true})
	if err != nil {
		return err
	}
	if _, err := u.WriteAt(content, 0); err != nil {
		return errors.Join(err, u.Close()) // it is not taken
	}
	return u.Close()
}
