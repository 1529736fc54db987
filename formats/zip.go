package formats

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"concord/engine"
)

// zipReader reads every file in a zip, one behind the other, as one file:
// rows are counted on, lines begin again in each.
type zipReader struct {
	job     *job
	entries []*zip.File
	hash    *fileHash
	readers []*csvReader
	streams []*stream
	at      int
	rows    int64 // of the entries read to their end
	sum     string
}

// openZip looks at the list of files and at the header of the first.
func openZip(ctx context.Context, j *job) (fileReader, error) {
	if err := checkDirectory(j); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(j.R, j.Size)
	if err != nil {
		return nil, j.errorf(askAgain, "damaged: the zip cannot be read")
	}
	r := &zipReader{job: j}
	for _, f := range z.File {
		if isRecords(f) {
			r.entries = append(r.entries, f)
		}
	}
	switch {
	case len(r.entries) == 0:
		return nil, j.errorf("a file with nothing to report still has a header", "the zip holds no file")
	case len(r.entries) > j.opts.Limits.Entries:
		return nil, j.errorf("", "the zip holds %d files, more than the %d allowed", len(r.entries), j.opts.Limits.Entries)
	}
	if err := r.openNext(); err != nil {
		return nil, err
	}
	r.hash = startHash(context.WithoutCancel(ctx), j.Input)
	return r, nil
}

// isRecords leaves out folders and what file managers put beside files.
func isRecords(f *zip.File) bool {
	name := path.Base(f.Name)
	return !strings.HasSuffix(f.Name, "/") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(f.Name, "__MACOSX/")
}

// openNext opens the next entry.
func (r *zipReader) openNext() error {
	f := r.entries[len(r.readers)]
	if f.Flags&1 != 0 {
		return r.job.errorf("send it without a password", "%s in the zip is encrypted", showName(f.Name, 0))
	}
	s, err := openEntry(r.job, f)
	if err != nil {
		return err
	}
	r.streams = append(r.streams, s)
	text, err := openText(r.job, s)
	if err != nil {
		return err
	}
	c, ok := text.(*csvReader)
	if !ok {
		return r.job.errorf("send it without the zip", "%s in the zip is not CSV", showName(f.Name, 0))
	}
	c.base = r.rows
	r.readers = append(r.readers, c)
	return nil
}

// openEntry starts reading one file of a zip.
func openEntry(j *job, f *zip.File) (*stream, error) {
	s := &stream{job: j, packed: "zip", closer: func() {}}
	in, err := f.Open()
	if err != nil {
		return nil, s.explain(err)
	}
	s.closer = func() { _ = in.Close() } // what was read was checked by then
	compressed := int64(f.CompressedSize64)
	b := &boundedReader{r: in, job: j, read: func() int64 { return compressed }}
	s.out = bufio.NewReaderSize(&explainingReader{b, s}, peekSize)
	return s, nil
}

// next implements fileReader.
func (r *zipReader) next(ctx context.Context) (engine.Part, error) {
	for {
		c := r.readers[r.at]
		p, err := c.next(ctx)
		if !errors.Is(err, io.EOF) {
			return p, err
		}
		if r.at == len(r.entries)-1 {
			return nil, io.EOF
		}
		r.rows += c.scan.Counts().Rows
		if err := r.openNext(); err != nil {
			return nil, err
		}
		r.at++
	}
}

// finish implements fileReader.
func (r *zipReader) finish(ctx context.Context) error {
	var errs []error
	for _, c := range r.readers {
		errs = append(errs, c.finish(ctx))
	}
	sum, err := r.hash.wait()
	r.sum, r.hash = sum, nil
	return errors.Join(append(errs, err)...)
}

// info implements fileReader. Every entry has a checksum, which was compared
// when it was read.
func (r *zipReader) info() FileInfo {
	all := r.readers[0].info()
	for i, c := range r.readers[1:] {
		more := c.info()
		all.Rows += more.Rows
		all.Accepted += more.Accepted
		all.Rejected += more.Rejected
		all.Filtered += more.Filtered
		all.DurationMS += more.DurationMS
		all.Notes = append(all.Notes, more.Notes...)
		all.Trailer = worse(all.Trailer, more.Trailer)
		if more.Format != all.Format {
			all.Notes = append(all.Notes, fmt.Sprintf("file %d in the zip is %s", i+2, more.Format))
		}
	}
	all.SHA256, all.IntegrityVerified, all.OwnEnd = r.sum, true, true
	return all
}

// worse returns the state of two trailers together.
func worse(a, b TrailerState) TrailerState {
	if a == TrailerMissing || b == TrailerMissing {
		return TrailerMissing
	}
	return max(a, b)
}

// close implements fileReader.
func (r *zipReader) close() error {
	for _, s := range r.streams {
		s.close()
	}
	if r.hash != nil {
		r.hash.cancel()
		r.hash = nil
	}
	return nil
}

// maxDirectory bounds the list of files of a zip, which is read at once.
const maxDirectory = 1 << 20

// checkDirectory finds the end record of a zip and checks that its list of
// files is small, wherever a reader may look for it.
func checkDirectory(j *job) error {
	tail := make([]byte, min(j.Size, 66<<10))
	if _, err := j.R.ReadAt(tail, j.Size-int64(len(tail))); err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", j.Name, err)
	}
	at := bytes.LastIndex(tail, magicNoZip)
	if at < 0 || len(tail)-at < 22 {
		return j.truncatedf(askAgain, "truncated: the zip has no end")
	}
	end := j.Size - int64(len(tail)-at)
	size := int64(binary.LittleEndian.Uint32(tail[at+12:]))
	start := int64(binary.LittleEndian.Uint32(tail[at+16:]))
	if records := binary.LittleEndian.Uint16(tail[at+10:]); records == 0xffff || size == 0xffff {
		return j.errorf("send it as smaller files", "the zip is too large")
	}
	if size > maxDirectory || end-start > maxDirectory || start > end {
		return j.errorf("", "the zip's list of files is damaged, or larger than %d bytes", maxDirectory)
	}
	return nil
}
