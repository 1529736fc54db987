package calls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange/atrest"
	"concord/formats/partition"
	"concord/jobs"
	"concord/jobs/dispatch"
)

// maker makes the files of one delivery in a folder of its own.
type maker struct {
	jobs.CallsDelivery
	dir    string
	keys   *atrest.Keys
	files  map[string]string // by the name that the carrier sees: the path
	erased bool              // a number was erased from what it is made of
}

// makingDir is where deliveries are prepared, below the folder of what is
// remembered of them.
const makingDir = ".making"

// Sweep removes what was being made when the last service ended. A delivery
// that was begun is made anew by the next run.
func (c *Clerk) Sweep(ctx context.Context) error {
	return errors.Join(ctx.Err(), os.RemoveAll(filepath.Join(c.Folder, makingDir)))
}

// scratch makes a folder that nobody else uses.
func (c *Clerk) scratch(carrier string) (string, error) {
	making := filepath.Join(c.Folder, makingDir)
	if err := os.MkdirAll(making, 0o700); err != nil {
		return "", fmt.Errorf("make a delivery to %s: %w", carrier, err)
	}
	return os.MkdirTemp(making, carrier+"-*")
}

// making makes a delivery, and removes what is left of it in the end.
func (d *desk) making(ctx context.Context, x jobs.CallsDelivery, do func(context.Context, *maker) error) (err error) {
	previous := ""
	if x.Base > 0 {
		if previous, err = d.index(ctx, x.Base); err != nil {
			return err
		}
	}
	dir, err := d.scratch(x.Carrier)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m := &maker{CallsDelivery: x, dir: dir, keys: d.Keys, files: map[string]string{}}
	if err := d.make(ctx, m, previous); err != nil {
		return fmt.Errorf("make delivery %d of calls to %s: %w", x.Sequence, x.Carrier, err)
	}
	return do(ctx, m)
}

// out is the folder that the delivery is written into.
func (m *maker) out() string { return filepath.Join(m.dir, "delivery") }

// make has a child write the files, by the inputs and settings of the delivery
// and nothing else, and gives them their names.
func (d *desk) make(ctx context.Context, m *maker, previous string) error {
	var s settings
	if err := json.Unmarshal(m.Settings, &s); err != nil {
		return fmt.Errorf("read its settings: %w", err)
	}
	o := jobs.DeliverOptions{
		Carriers: []partition.Carrier{{ID: m.Carrier, Names: s.Names}}, Foreign: s.Others, Rest: m.Carrier,
		From: m.Period.From, To: m.Period.To, Previous: previous, Out: m.out(), Memory: d.x.Memory,
	}
	for _, in := range m.Inputs {
		path, erased, err := d.Content(ctx, in.SHA256)
		if err != nil {
			return err
		}
		m.erased = m.erased || erased
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return dispatch.Permanent(fmt.Errorf("the content of %s is not in the spool any more: put the file back from a backup; if a number was erased from it, deliveries of this period have ended", jobs.Mask(in.Name)))
		}
		if in.Holds == jobs.HoldsQuality {
			o.Quality, o.QualityNames = append(o.Quality, path), append(o.QualityNames, in.Name)
		} else {
			o.Calls, o.CallNames = append(o.Calls, path), append(o.CallNames, in.Name)
		}
	}
	found, err := d.Make(ctx, o)
	if err != nil {
		return inputError(err)
	}
	m.figures(found)
	return m.name()
}

// figures takes over what was found.
func (m *maker) figures(found *jobs.Delivered) {
	m.Calls, m.Quality = jobs.Delivery{}, jobs.Delivery{}
	for _, x := range []struct {
		to   *jobs.Delivery
		from *partition.Result
	}{{&m.Calls, found.Calls}, {&m.Quality, found.Quality}} {
		if x.from == nil {
			continue
		}
		c := x.from.Carriers[0]
		x.to.Rows, x.to.DurationMS, x.to.Rejected = c.Rows, c.DurationMS, x.from.Rejected
		for _, u := range x.from.Unknown {
			x.to.Others += u.Rows
		}
	}
	for _, c := range found.Compared {
		to := &m.Calls
		if c.Kind == jobs.HoldsQuality {
			to = &m.Quality
		}
		to.Added, to.Changed, to.Removed = c.Added, c.Changed, c.Removed
	}
}

// mostManifest bounds the list of files of one delivery, in bytes.
const mostManifest = 1 << 20

// manifest tells a carrier what a delivery consists of.
type manifest struct {
	Carrier    string               `json:"carrier"`
	Delivery   int                  `json:"delivery"`
	Period     string               `json:"period"`
	From       time.Time            `json:"from_utc"`
	To         time.Time            `json:"to_utc"`
	Version    int                  `json:"version"`
	Supersedes int                  `json:"supersedes"`
	Calls      manifestRows         `json:"calls"`
	Quality    manifestRows         `json:"quality"`
	Files      []jobs.DeliveredFile `json:"files"`
}

// manifestRows counts one kind of rows.
type manifestRows struct {
	Rows       int64 `json:"rows"`
	DurationMS int64 `json:"duration_ms,omitempty"`
	Added      int64 `json:"added"`
	Changed    int64 `json:"changed"`
	Removed    int64 `json:"removed"`
}

func rowsOf(d *jobs.Delivery) manifestRows {
	return manifestRows{d.Rows, d.DurationMS, d.Added, d.Changed, d.Removed}
}

// prefix is how the names of the delivery's files begin.
func (m *maker) prefix() string {
	period := strings.NewReplacer("/", "_", ":", "", ".", "").Replace(m.Period.Text)
	if period == "" {
		const basic = "20060102T150405Z"
		period = m.Period.From.UTC().Format(basic) + "_" + m.Period.To.UTC().Format(basic)
	}
	return fmt.Sprintf("calls_%s_%s_%06d", m.Carrier, period, m.Sequence)
}

// name gives the files their names, and adds the manifest.
func (m *maker) name() error {
	folder := filepath.Join(m.out(), m.Carrier)
	text, err := m.keys.ReadFile(filepath.Join(folder, "manifest.json"), mostManifest)
	if err != nil {
		return err
	}
	var made struct{ Files []partition.Written }
	if err := json.Unmarshal(text, &made); err != nil {
		return err
	}
	m.Files = nil
	for _, f := range made.Files {
		x := jobs.DeliveredFile{Name: m.prefix() + "_" + f.Name, Bytes: f.Bytes, Rows: f.Rows, SHA256: f.SHA256}
		m.Files, m.files[x.Name] = append(m.Files, x), filepath.Join(folder, f.Name)
	}
	text, err = json.MarshalIndent(manifest{
		Carrier: m.Carrier, Delivery: m.Sequence, Period: m.Period.Text, From: m.Period.From.UTC(), To: m.Period.To.UTC(),
		Version: m.Version, Supersedes: m.Base, Calls: rowsOf(&m.Calls), Quality: rowsOf(&m.Quality), Files: m.Files,
	}, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	x := jobs.DeliveredFile{Name: m.prefix() + "_manifest.json", Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
	m.Files, m.files[x.Name] = append(m.Files, x), filepath.Join(m.dir, "manifest.json")
	return m.put(m.files[x.Name], text)
}

func (m *maker) put(path string, text []byte) error {
	f, err := m.keys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// hand puts one file into the outbox.
func (m *maker) hand(ctx context.Context, to Outbox, name string) (err error) {
	f, err := m.keys.Open(m.files[name])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return to.Deliver(ctx, name, f)
}

// kept is where the indexes of a delivery are kept, for the version after it.
func (c *Clerk) kept(carrier string, sequence int) string {
	return filepath.Join(c.Folder, carrier, fmt.Sprintf("%06d", sequence))
}

func (c *Clerk) forget(carrier string, sequence int) error {
	if err := os.RemoveAll(c.kept(carrier, sequence)); err != nil {
		return fmt.Errorf("remove the index of delivery %d to %s: %w", sequence, carrier, err)
	}
	return nil
}

// erased reports whether a number was erased from files: then rows are others than
// they were in what is kept of a delivery, and must not be told as changed.
func (d *desk) erased(ctx context.Context, inputs []jobs.CallsInput) (bool, error) {
	for _, in := range inputs {
		if _, erased, err := d.Content(ctx, in.SHA256); erased || err != nil {
			return erased, err
		}
	}
	return false, nil
}

// index returns the folder with the indexes of a delivery. They depend on its
// inputs and settings alone: when they are lost, they are made anew.
func (d *desk) index(ctx context.Context, sequence int) (folder string, err error) {
	folder = d.kept(d.run.Carrier, sequence)
	list, err := d.State.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: d.run.Carrier, Sequence: sequence})
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", fmt.Errorf("delivery %d to %s is not in the state", sequence, d.run.Carrier)
	}
	other, err := d.erased(ctx, list[0].Inputs)
	if err != nil {
		return "", err
	}
	if whole, err := jobs.CheckDeliveryIndex(d.Keys, folder); err != nil || whole && !other {
		return folder, err
	}
	dir, err := d.scratch(d.run.Carrier)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m := &maker{CallsDelivery: list[0], dir: dir, keys: d.Keys, files: map[string]string{}}
	if err := d.make(ctx, m, ""); err != nil {
		return "", fmt.Errorf("make what was kept of delivery %d to %s anew: %w", sequence, d.run.Carrier, err)
	}
	return folder, jobs.KeepDeliveryIndex(m.out(), folder)
}
