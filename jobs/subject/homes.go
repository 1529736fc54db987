package subject

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"concord/exchange/landing"
	"concord/exchange/pgp"
	"concord/jobs"
)

// eraseHomes takes the number out of the homes of carriers.
func (x *erasure) eraseHomes(ctx context.Context) error {
	return x.Homes(ctx, func(carrier string, h Home) error {
		kept, err := h.Kept()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(kept, sealedCalls(carrier)) {
			x.left = append(x.left, "deliveries of calls in the outbox of "+carrier+" are encrypted to its key and cannot be looked into: have it take them and erase the number, or remove them")
		}
		gone, err := x.copies(ctx, kept)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(kept, pageOf) {
			if err := x.eraseKept(ctx, carrier, h, some, gone); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *erasure) eraseKept(ctx context.Context, carrier string, h Home, kept []landing.Kept, gone map[string]bool) error {
	var paths, names []string
	var there []landing.Kept
	for _, k := range kept {
		if _, err := os.Lstat(k.Path); err == nil {
			there, paths, names = append(there, k), append(paths, k.Path), append(names, path.Join(k.Folder, k.Name))
		}
	}
	held, err := x.hits(ctx, paths, names)
	if err != nil {
		return err
	}
	// All are noted before the first one goes: files of one delivery go together.
	for i, k := range there {
		if held[i] > 0 || gone[k.Path] {
			err = errors.Join(err, x.note(ctx, storeHomes, x.tag("home", carrier+"/"+names[i]), max(1, held[i])))
		}
	}
	for i, k := range there {
		if err == nil && (held[i] > 0 || gone[k.Path]) {
			err = x.eraseOne(ctx, carrier, h, k, gone[k.Path])
		}
	}
	if err != nil {
		return fmt.Errorf("in the home of %s: %w", carrier, err)
	}
	return nil
}

// eraseOne takes the number out of one file of a home, or the file away.
func (x *erasure) eraseOne(ctx context.Context, carrier string, h Home, k landing.Kept, gone bool) error {
	switch k.Folder {
	case landing.Receipts:
		b, err := os.ReadFile(k.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return h.Rewrite(k, x.r.Text(k.Name), func(w io.Writer) error {
			_, err := io.WriteString(w, x.r.Text(string(b)))
			return err
		})
	case landing.Inbox:
		if !gone {
			x.left = append(x.left, "a file in the inbox of "+carrier+" that is not taken yet holds the number: it is taken as a new one")
			return nil
		}
	case landing.Outbox:
		if strings.HasPrefix(k.Name, "report_"+carrier+"_") { // it comes again without the number
			break
		}
		if err := x.tell(ctx, "a file with the number was taken out of the outbox of "+carrier+": tell the carrier to erase its own"); err != nil {
			return err
		}
		if d := callsDelivery(carrier, k.Name); d != "" {
			return eraseDelivery(h, d)
		}
	}
	return h.Erase(k)
}

// sealedCalls tells the files of deliveries of calls that only their carrier can
// read.
func sealedCalls(carrier string) func(landing.Kept) bool {
	return func(k landing.Kept) bool {
		return k.Folder == landing.Outbox && strings.HasSuffix(k.Name, pgp.Ending) && callsDelivery(carrier, k.Name) != ""
	}
}

// callsDelivery is how the names of the files of a delivery of calls begin;
// empty: a file is of none.
func callsDelivery(carrier, name string) string {
	return regexp.MustCompile(`^calls_` + regexp.QuoteMeta(carrier) + `_.+?_\d{6,}_`).FindString(name)
}

// eraseDelivery removes all files of a delivery: its manifest must not promise
// what is not there.
func eraseDelivery(h Home, prefix string) error {
	kept, err := h.Kept()
	for _, k := range kept {
		if err == nil && k.Folder == landing.Outbox && strings.HasPrefix(k.Name, prefix) {
			err = h.Erase(k)
		}
	}
	return err
}

// copies returns which files of a home are contents that are erased, also where
// the number is written in them as only the carrier's profile can tell.
func (x *erasure) copies(ctx context.Context, kept []landing.Kept) (map[string]bool, error) {
	items, err := x.State.ErasedItems(ctx, x.id, storeFiles)
	if err != nil {
		return nil, err
	}
	sums, sizes := map[string]bool{}, map[int64]bool{}
	for _, i := range items {
		sums[i.Item] = true
	}
	err = x.entries(ctx, func(e jobs.Entry) error {
		if sums[e.SHA256] {
			sizes[e.Bytes] = true
			if e.Sealed.SHA256 != "" { // it arrived encrypted, and lies there so
				sums[e.Sealed.SHA256], sizes[e.Sealed.Bytes] = true, true
			}
		}
		return nil
	})
	gone := map[string]bool{}
	for _, k := range kept {
		if err != nil {
			return nil, err
		}
		info, serr := os.Lstat(k.Path)
		if serr != nil || !sizes[info.Size()] || k.Folder == landing.Receipts || k.Folder == landing.Outbox {
			continue
		}
		var sum string
		sum, err = sumOf(k.Path)
		gone[k.Path] = sums[sum]
	}
	return gone, errors.Join(err, ctx.Err())
}

func sumOf(path string) (_ string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// remakeDeliveries makes deliveries of numbers anew whose files lie in the outbox
// still.
func (x *erasure) remakeDeliveries(ctx context.Context) error {
	items, err := x.State.ErasedItems(ctx, x.id, storeNumbers)
	if err != nil || len(items) == 0 {
		return err
	}
	return x.Homes(ctx, func(carrier string, h Home) error {
		if !slices.ContainsFunc(items, func(i jobs.ErasedItem) bool { return i.Item == carrier }) {
			return nil
		}
		x.left = append(x.left, "numbers were delivered to "+carrier+" with this one among them: tell the carrier to erase it, too; its next full file has it no more, and no change tells of it")
		kept, err := h.Kept()
		if err != nil {
			return err
		}
		there := func(name string) bool {
			return slices.ContainsFunc(kept, func(k landing.Kept) bool {
				return k.Folder == landing.Outbox && (k.Name == name || k.Name == name+pgp.Ending)
			})
		}
		list, err := x.State.Deliveries(ctx, carrier)
		for _, del := range list {
			// One of which nothing lies in the outbox was taken away whole: what
			// it was is history.
			if err == nil && slices.ContainsFunc(del.Files, func(f jobs.DeliveredFile) bool { return there(f.Name) }) {
				err = x.Numbers.Remake(ctx, x.State, del, x.Outbox(carrier, h), there)
			}
		}
		return err
	})
}
