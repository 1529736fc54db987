package partition

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"

	"concord/formats"
	"concord/formats/parquetio"
)

// outputs are the files of all carriers, and who writes them.
type outputs struct {
	cols    []parquetio.WriteColumn
	list    []*output
	pool    chan struct{} // a slot for each task that may run
	group   int           // bytes at which a row group ends
	wg      sync.WaitGroup
	mu      sync.Mutex
	err     error
	buffers spare[[]parquetio.Buffer]
	groups  spare[*parquetio.Group]
	texts   spare[[]byte]
}

// output is the files of one carrier. Tasks on one file run one after the
// other, in order; those of different files beside each other.
type output struct {
	carrier  string
	rows, ms int64
	csv      []byte
	cols     []parquetio.Buffer
	size     int
	parquet  *parquetio.GroupWriter
	files    [2]*hashed // CSV, Parquet
	before   [2]chan struct{}
}

const (
	fileCSV = iota
	fileParquet

	csvBytes  = 256 << 10 // of text that is written at once
	groupRows = 128 << 10
	// gatherBytes is in how much memory the row groups of all carriers are
	// gathered. No setting changes it, for the bytes of the files depend on it.
	gatherBytes = 64 << 20
	// leastGroup is how many of them a row group has at least, however many
	// carriers there are.
	leastGroup = 256 << 10
)

// hashed is a file that hashes what it writes.
type hashed struct {
	f    File
	name string
	size int64
	sum  hash.Hash
}

// Write implements io.Writer.
func (h *hashed) Write(p []byte) (int, error) {
	n, err := h.f.Write(p)
	h.sum.Write(p[:n])
	h.size += int64(n)
	return n, err
}

// written describes the file.
func (h *hashed) written(rows int64) Written {
	return Written{Name: h.name, Bytes: h.size, Rows: rows, SHA256: hex.EncodeToString(h.sum.Sum(nil))}
}

func open(create Create, carrier, name string) (*hashed, error) {
	f, err := create(carrier, name)
	if err != nil {
		return nil, fmt.Errorf("create %s of %s: %w", name, carrier, err)
	}
	return &hashed{f: f, name: name, sum: sha256.New()}, nil
}

// openOutputs makes the files of every carrier.
func openOutputs(create Create, o Options, cols *formats.CallColumns) (*outputs, error) {
	u := &outputs{cols: cols.Parquet(), pool: make(chan struct{}, o.Workers), group: max(o.gather/len(o.Carriers), leastGroup)}
	for _, c := range o.Carriers {
		out := &output{carrier: c.ID, csv: cols.Header(), cols: make([]parquetio.Buffer, len(u.cols))}
		u.list = append(u.list, out)
		var err error
		for i, name := range [...]string{fileCSV: CallsCSV, fileParquet: CallsParquet} {
			if out.files[i], err = open(create, c.ID, name); err != nil {
				return nil, errors.Join(err, u.abandon())
			}
		}
		if out.parquet, err = parquetio.NewGroupWriter(out.files[fileParquet], u.cols, parquetio.WriterOptions{Codec: codec}); err != nil {
			return nil, errors.Join(err, u.abandon())
		}
	}
	return u, nil
}

// codec of what is delivered.
const codec = parquetio.Snappy

// add takes in a batch.
func (u *outputs) add(b *batch) error {
	for _, i := range b.got {
		s, out := &b.shares[i], u.list[i]
		out.rows += s.rows
		out.ms += s.ms
		out.csv = append(out.csv, s.csv...)
		out.size = 0
		for k := range s.cols {
			out.cols[k].Append(&s.cols[k])
			out.size += out.cols[k].Size()
		}
		if len(out.csv) >= csvBytes {
			u.flushCSV(out)
		}
		if out.size >= u.group || out.cols[0].Rows() >= groupRows {
			u.flushGroup(out)
		}
	}
	return u.failed()
}

func (u *outputs) failed() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// task runs f on a file after the tasks before it. It waits for a free slot.
func (u *outputs) task(out *output, file int, f func() error) {
	before, done := out.before[file], make(chan struct{})
	out.before[file] = done
	u.pool <- struct{}{}
	u.wg.Go(func() {
		defer func() {
			close(done)
			<-u.pool
		}()
		if before != nil {
			<-before // it has its slot already
		}
		if u.failed() != nil {
			return
		}
		if err := f(); err != nil {
			u.mu.Lock()
			defer u.mu.Unlock()
			if u.err == nil {
				u.err = fmt.Errorf("write %s of %s: %w", out.files[file].name, out.carrier, err)
			}
		}
	})
}

// flushCSV writes the text that has been gathered.
func (u *outputs) flushCSV(out *output) {
	text := out.csv
	out.csv = u.texts.get(func() []byte { return make([]byte, 0, csvBytes+batchBytes/8) })
	u.task(out, fileCSV, func() error {
		_, err := out.files[fileCSV].Write(text)
		u.texts.put(text[:0])
		return err
	})
}

// flushGroup writes the rows that have been gathered as a row group.
func (u *outputs) flushGroup(out *output) {
	cols := out.cols
	out.cols, out.size = u.buffers.get(func() []parquetio.Buffer { return make([]parquetio.Buffer, len(cols)) }), 0
	u.task(out, fileParquet, func() error {
		g := u.groups.get(func() *parquetio.Group { return new(parquetio.Group) })
		err := g.Encode(u.cols, cols, codec)
		if err == nil {
			err = out.parquet.Write(g)
		}
		for i := range cols {
			cols[i].Reset()
		}
		u.buffers.put(cols)
		u.groups.put(g)
		return err
	})
}

// close writes what is left, and syncs and closes every file.
func (u *outputs) close() ([]Delivered, error) {
	for _, out := range u.list {
		u.flushCSV(out)
		u.flushGroup(out)
	}
	u.wg.Wait()
	for _, out := range u.list {
		u.task(out, fileCSV, func() error { return out.files[fileCSV].f.Sync() })
		u.task(out, fileParquet, func() error {
			return errors.Join(out.parquet.Close(), out.files[fileParquet].f.Sync())
		})
	}
	u.wg.Wait()
	if err := u.failed(); err != nil {
		return nil, errors.Join(err, u.abandon())
	}
	var list []Delivered
	var errs []error
	for _, out := range u.list {
		d := Delivered{Carrier: out.carrier, Rows: out.rows, DurationMS: out.ms}
		for _, f := range out.files {
			errs = append(errs, f.f.Close())
			d.Files = append(d.Files, f.written(out.rows))
		}
		if n := out.parquet.Rows(); n != out.rows {
			errs = append(errs, fmt.Errorf("write %s of %s: %d rows of %d", CallsParquet, out.carrier, n, out.rows))
		}
		list = append(list, d)
	}
	return list, errors.Join(errs...)
}

// abandon closes every file after an error.
func (u *outputs) abandon() error {
	u.wg.Wait()
	var errs []error
	for _, out := range u.list {
		for _, f := range out.files {
			if f != nil {
				errs = append(errs, f.f.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// spare keeps what will be used again. Unlike a sync.Pool it keeps it for good:
// the buffers of a delivery are few, and growing them anew costs more than
// filling them.
type spare[T any] struct {
	mu   sync.Mutex
	list []T
}

// get returns a value that was put back, or else a fresh one.
func (s *spare[T]) get(fresh func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.list)
	if n == 0 {
		return fresh()
	}
	v := s.list[n-1]
	s.list = s.list[:n-1]
	return v
}

func (s *spare[T]) put(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, v)
}
