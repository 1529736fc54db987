package subject

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"concord/exchange/landing"
	"concord/exchange/pgp"
	"concord/formats/trace"
	"concord/jobs"
)

// Find looks for a number in every store. What it holds in memory grows with what
// is found, not with what is kept.
func (d *Desk) Find(ctx context.Context, n *trace.Number) (*jobs.SubjectFound, error) {
	s := &search{Desk: d, n: n, out: &jobs.SubjectFound{Items: []jobs.SubjectItem{}, Unread: []string{}}}
	for _, step := range []func(context.Context) error{s.files, s.reports, s.homes, s.numbers, s.tables, s.others, s.foreign} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("look for a number: %w", err)
		}
	}
	return s.out, nil
}

// search is one number that is looked for.
type search struct {
	*Desk
	n   *trace.Number
	out *jobs.SubjectFound
}

func (s *search) add(i jobs.SubjectItem) {
	i.Name = jobs.Mask(i.Name)
	s.out.Items = append(s.out.Items, i)
}

// hits returns which of several files hold the number, in their bytes or their
// names; names are those by which people know them.
func (s *search) hits(ctx context.Context, paths, names []string) (held map[int]int64, err error) {
	held = map[int]int64{}
	found, err := s.Search(ctx, s.n, paths)
	for i, f := range found {
		if f.Times > 0 || s.n.In(names[i]) {
			held[i] = max(1, f.Times)
		}
		for _, u := range f.Unread {
			s.out.Unread = append(s.out.Unread, jobs.Mask(names[i])+": "+u)
		}
	}
	return held, err
}

// refused tells of a file that was encrypted with PGP and refused: it is kept as
// it arrived, and nobody has looked into it.
func (s *search) refused(e jobs.Entry) {
	_, sealed := pgp.ContentName(e.Name)
	if !sealed || e.Status != landing.StatusRejected || e.Sealed.SHA256 != "" || e.RawPurged != 0 || e.Erased != "" {
		return
	}
	s.out.Unread = append(s.out.Unread, jobs.Mask(e.Name)+" of "+e.Carrier+": it was refused as it arrived, encrypted with PGP; it goes with the next purge of raw files")
}

// files looks into what was received, and the records of it.
func (s *search) files(ctx context.Context) error {
	sums, err := s.Spool.Contents()
	if err != nil {
		return err
	}
	content, err := s.contents(ctx, sums)
	if err != nil {
		return err
	}
	return s.entries(ctx, func(e jobs.Entry) error {
		s.refused(e)
		times := content[e.SHA256]
		if s.n.In(e.Name) {
			times++
		}
		rows, days, err := s.recordsOf(ctx, e)
		if err != nil || rows+times == 0 {
			return err
		}
		item := jobs.SubjectItem{Store: storeFiles, ID: e.ID, Carrier: e.Carrier, Name: e.Name, Days: days, Rows: max(rows, times)}
		reports, err := s.State.Reports(ctx, jobs.ReportFilter{File: e.ID})
		for _, r := range reports {
			item.Reports = append(item.Reports, r.ID)
		}
		s.add(item)
		return err
	})
}

// contents returns how often the number stands in which contents of the spool.
func (s *search) contents(ctx context.Context, sums []string) (map[string]int64, error) {
	times := map[string]int64{}
	for some := range slices.Chunk(sums, pageOf) {
		paths := make([]string, len(some))
		for i, sum := range some {
			paths[i] = s.Spool.Path(sum)
		}
		held, err := s.hits(ctx, paths, some)
		if err != nil {
			return nil, err
		}
		for i, n := range held {
			times[some[i]] = n
		}
	}
	return times, nil
}

// recordsOf looks into the records of an entry. Those that are lost and cannot
// be made anew hold nothing.
func (s *search) recordsOf(ctx context.Context, e jobs.Entry) (rows int64, days []string, err error) {
	if !e.Ingested() || e.RecordsPurged != 0 {
		return 0, nil, nil
	}
	path, err := s.Records(ctx, e)
	if err != nil {
		if ctx.Err() == nil {
			s.out.Unread = append(s.out.Unread, jobs.Mask(err.Error()))
			return 0, nil, nil
		}
		return 0, nil, err
	}
	return jobs.FindInRecords(ctx, s.Keys, path, side(e), s.n)
}

// reports looks into every version.
func (s *search) reports(ctx context.Context) error {
	list, err := s.State.Reports(ctx, jobs.ReportFilter{})
	for _, r := range list {
		if err != nil {
			return err
		}
		var rows int64
		if rows, err = s.version(ctx, r); rows > 0 {
			s.add(jobs.SubjectItem{Store: storeReports, ID: r.ID, Carrier: r.Carrier, Name: r.Folder, Rows: rows})
		}
	}
	return err
}

// version returns how often the number stands in the files of a version.
func (s *search) version(ctx context.Context, r jobs.Report) (rows int64, err error) {
	paths, names, err := filesBelow(s.place(r))
	if err != nil {
		return 0, err
	}
	held, err := s.hits(ctx, paths, names)
	for _, n := range held {
		rows += n
	}
	return rows, err
}

func (d *Desk) place(r jobs.Report) string {
	return filepath.Join(d.Reports.Folder, filepath.FromSlash(r.Folder))
}

// filesBelow lists the files below a folder, which need not be there.
func filesBelow(dir string) (paths, names []string, err error) {
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && e.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, p)
			paths, names = append(paths, p), append(names, filepath.ToSlash(rel))
		}
		return err
	})
	return paths, names, err
}

func (s *search) homes(ctx context.Context) error {
	return s.Homes(ctx, func(carrier string, h Home) error {
		kept, err := h.Kept()
		if err != nil {
			return err
		}
		for some := range slices.Chunk(kept, pageOf) {
			var paths, names []string
			for _, k := range some {
				paths, names = append(paths, k.Path), append(names, path.Join(k.Folder, k.Name))
			}
			held, err := s.hits(ctx, paths, names)
			if err != nil {
				return err
			}
			for i := range some {
				if sealedCalls(carrier)(some[i]) {
					s.out.Unread = append(s.out.Unread, names[i]+" of "+carrier+": it is encrypted to the carrier's key")
				}
				if held[i] > 0 {
					s.add(jobs.SubjectItem{Store: storeHomes, Carrier: carrier, Name: names[i], Rows: held[i]})
				}
			}
		}
		return nil
	})
}

func (s *search) numbers(ctx context.Context) error {
	found, err := s.State.FindNumber(ctx, s.n.E164().E164Digits())
	for carrier, rows := range found {
		s.add(jobs.SubjectItem{Store: storeNumbers, Carrier: carrier, Rows: rows})
	}
	return err
}

func (s *search) tables(ctx context.Context) error {
	list, err := s.State.FindText(ctx, s.n.In)
	for _, c := range list {
		s.add(jobs.SubjectItem{Store: c.Store, Rows: c.Rows})
	}
	return err
}

// otherFiles lists what lies in the data folder beside the stores that have a
// step of their own.
func (d *Desk) otherFiles() (paths, names []string, err error) {
	all, rel, err := filesBelow(d.Data)
	for i, name := range rel {
		top, _, _ := strings.Cut(name, "/")
		switch {
		case strings.HasPrefix(name, d.Database), top == "spool", top == "homes": // looked into by steps of their own
		case top == "records" && strings.HasSuffix(name, ".records"):
		case top == "reports" && !strings.HasPrefix(name, "reports/."):
		case slices.ContainsFunc(d.Foreign(), func(f Folder) bool { return strings.HasPrefix(all[i], f.Path+string(filepath.Separator)) }):
		default:
			paths, names = append(paths, all[i]), append(names, name)
		}
	}
	return paths, names, err
}

func (s *search) others(ctx context.Context) error {
	paths, names, err := s.otherFiles()
	if err != nil {
		return err
	}
	held, err := s.hits(ctx, paths, names)
	for i, n := range held {
		s.add(jobs.SubjectItem{Store: storeOthers, Name: names[i], Rows: n})
	}
	return err
}

// foreign looks into Microsoft's folders.
func (s *search) foreign(ctx context.Context) error {
	return s.inForeign(ctx, func(_ Folder, p, name string, n int64) error {
		s.add(jobs.SubjectItem{Store: storeForeign, Name: p, Rows: n})
		return nil
	})
}

// inForeign calls do with every file of Microsoft's that holds the number.
func (s *search) inForeign(ctx context.Context, do func(f Folder, path, name string, n int64) error) error {
	for _, f := range s.Foreign() {
		if _, err := os.Stat(f.Path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		paths, names, err := filesBelow(f.Path)
		if err != nil {
			return err
		}
		held, err := s.hits(ctx, paths, names)
		if err != nil {
			return err
		}
		for i := range paths {
			if held[i] > 0 {
				if err := do(f, paths[i], names[i], held[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
