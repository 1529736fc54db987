package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"concord/jobs"
	"concord/jobs/state"
)

// How much is read to see whether the disk still has what it was given.
const (
	sampleFiles   = 20
	sampleReports = 10
	sampleBytes   = 1 << 30 // of one file; larger ones are left out
)

// spool compares the latest files in the spool with their hashes.
func (o *Options) spool(ctx context.Context, store *state.Store) Finding {
	const what = "spool"
	list, err := store.ListFiles(ctx, jobs.FileFilter{Limit: sampleFiles})
	if err != nil {
		return bad(what, "see what it says", "%v", err)
	}
	var read int
	for _, e := range list {
		if e.SHA256 == "" || !e.Ingested() || e.RawPurged != 0 || e.Erased != "" || e.Bytes > sampleBytes {
			continue
		}
		sum, err := o.hashFile(filepath.Join(o.Config.Data, "spool", e.SHA256[:2], e.SHA256))
		switch {
		case err != nil:
			return bad(what, "put the spool back from a backup", "file %s of %s: %v", e.ID, e.Carrier, reason(err))
		case sum != e.SHA256:
			return bad(what, "check the disk, and put the spool back from a backup", "file %s of %s has other content than it arrived with", e.ID, e.Carrier)
		}
		read++
	}
	return ok(what, "the latest files were read again, %d of them, and are as they arrived", read)
}

// hashFile hashes the content of a file that is kept.
func (o *Options) hashFile(name string) (sum string, err error) {
	f, err := o.Config.Encryption.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// reports compares the newest versions on disk with what was published.
func (o *Options) reports(ctx context.Context, store *state.Store) Finding {
	const what, hint = "reports", "put the folder back from a backup"
	list, err := store.Reports(ctx, jobs.ReportFilter{Newest: true, Limit: sampleReports})
	if err != nil {
		return bad(what, "see what it says", "%v", err)
	}
	list = slices.DeleteFunc(list, func(r jobs.Report) bool { return r.Purged != 0 })
	for _, r := range list {
		if err := o.compare(r); err != nil {
			return bad(what, hint, "%s (report %s): %v", r.Folder, r.ID, reason(err))
		}
	}
	return ok(what, "the newest versions were read again, %d of them, and are as they were published", len(list))
}

func (o *Options) manifest(root *os.Root) (b []byte, err error) {
	f, err := o.Config.Encryption.OpenIn(root, "manifest.json")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(f)
}

// compare compares a report on disk with its manifest.
func (o *Options) compare(r jobs.Report) (err error) {
	root, err := os.OpenRoot(filepath.Join(o.Reports, filepath.FromSlash(r.Folder)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	b, err := o.manifest(root)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != r.Manifest {
		return errors.New("manifest.json is not the one that was published")
	}
	var manifest struct {
		Files []struct{ Name, SHA256 string }
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	for _, f := range manifest.Files {
		sum, err := o.hashFile(filepath.Join(root.Name(), path.Base(f.Name)))
		if err == nil && sum != f.SHA256 {
			err = errors.New("is not what was published")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, reason(err))
		}
	}
	return nil
}
