package httpd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strings"
	"sync"

	"concord/exchange/landing"
)

// Rows takes rows that carriers post instead of files.
type Rows interface {
	// File makes a file of rows. A *BadRows says what is wrong with them. The
	// same body and key make the same file.
	File(ctx context.Context, carrier, key string, body []byte) (RowsFile, error)
	// Bind binds a key to what was sent with it, by hashes in hex, for good, and says what
	// it stands for.
	Bind(ctx context.Context, carrier, key, body string) (Batch, error)
	// Placed remembers that the file of a key is in the inbox.
	Placed(ctx context.Context, carrier, key string) error
	// Decided reports whether a file of a name was taken out of the inbox
	// before.
	Decided(ctx context.Context, carrier, name string) (bool, error)
}

// RowsFile is a file that was made of rows.
type RowsFile struct {
	Name    string // in the inbox, and a reserved one
	Content []byte
	Rows    int
}

// Batch is what a key stands for.
type Batch struct {
	Body   string // hash of what was first sent with it, in hex
	Fresh  bool   // it was never seen before
	Placed bool   // its file has been in the inbox
}

// RowFault is what is wrong with a row, and never a value.
type RowFault struct {
	Row    int    `json:"row,omitempty"` // from 1; 0: it is about all of them
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// BadRows is an error about what was posted.
type BadRows struct {
	Detail string // when it has no rows at all
	Faults []RowFault
}

// Error implements error.
func (b *BadRows) Error() string {
	if len(b.Faults) > 0 {
		return fmt.Sprintf("%d faults in rows", len(b.Faults))
	}
	return b.Detail
}

const (
	maxBody    = 1 << 20 // of rows that are posted at once
	maxKey     = 200
	mostFaults = 100 // that are named one by one
)

// post takes rows. Their file goes the way of any other; its name comes from the key,
// so that what is sent again is the same file.
func (c *call) post() error {
	if c.handler.Rows == nil {
		return &problem{Status: http.StatusNotFound, Title: "no rows are taken", Detail: "send a file instead"}
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	if err := c.begin(); err != nil {
		return err
	}
	defer c.end()
	body, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.handler.Rows.File(c.r.Context(), c.Account.Name, key, body)
	if err != nil {
		return ofRows(err)
	}
	c.name = "/" + landing.Inbox + "/" + f.Name
	if wait := c.rows.take(c.Account.Name, f.Rows, c.Now()); wait > 0 {
		return tooMany(wait)
	}
	if err := c.place(key, body, f); err != nil {
		return err
	}
	c.audit(ActRows, int64(len(body)), "")
	receipt := "/carrier/v1/" + landing.ReceiptName(f.Name)
	c.w.Header().Set("Location", receipt)
	return c.json(http.StatusAccepted, map[string]any{"file": f.Name, "rows": f.Rows, "receipt": receipt})
}

// key is that of the request.
func (c *call) key() (string, error) {
	key := c.r.Header.Get("Idempotency-Key")
	switch {
	case len(c.r.Header.Values("Idempotency-Key")) != 1 || key == "":
		return "", bad("Idempotency-Key is needed, once: a text of your own that is another one for each batch, such as a UUID")
	case len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", bad("Idempotency-Key: write up to %d letters, digits and signs, without spaces", maxKey)
	}
	return key, nil
}

var tooLarge = &problem{
	Status: http.StatusRequestEntityTooLarge, Title: "too much at once",
	Detail: "a batch has up to 1 MiB; send the rows in several requests, each with a key of its own, or as a file",
}

// body reads what is posted, all of it.
func (c *call) body() ([]byte, error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch encoding := c.r.Header.Get("Content-Encoding"); {
	case err != nil || kind != "application/json":
		return nil, &problem{Status: http.StatusUnsupportedMediaType, Title: "rows are JSON", Detail: "send Content-Type: application/json"}
	case encoding != "" && encoding != "identity":
		return nil, &problem{Status: http.StatusUnsupportedMediaType, Title: "Content-Encoding is not taken", Detail: "send the rows as they are"}
	case c.r.ContentLength > maxBody:
		return nil, tooLarge
	}
	want, err := digest(c.r.Header)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(&patientBody{c}, maxBody+1))
	switch sum := sha256.Sum256(b.Bytes()); {
	case err != nil:
		return nil, &problem{Status: http.StatusBadRequest, Title: "the request was broken off", Detail: fmt.Sprintf("%d bytes arrived; nothing was taken, send it again", n)}
	case n > maxBody:
		return nil, tooLarge
	case want != nil && string(want) != string(sum[:]):
		return nil, bad("the digest of what arrived is not the one that was sent with it: send it again")
	}
	return b.Bytes(), nil
}

// place sees to it that the file of a key is taken once.
func (c *call) place(key string, body []byte, f RowsFile) error {
	release, err := c.posting.hold(c.r.Context(), c.Account.Name)
	if err != nil {
		return err
	}
	defer release()
	// A client that goes now must not leave half of it undone.
	ctx := context.WithoutCancel(c.r.Context())
	hashed, sum := hexSum([]byte(key)), hexSum(body)
	b, err := c.handler.Rows.Bind(ctx, c.Account.Name, hashed, sum)
	switch {
	case err != nil:
		return err
	case b.Body != sum:
		return &problem{Status: http.StatusUnprocessableEntity, Title: "the key was used before", Detail: "other rows were sent with this Idempotency-Key; send these with a key of their own"}
	case b.Placed:
		return nil
	}
	if !b.Fresh {
		// First the inbox, then the ledger: what has left the one is in the other.
		_, err := c.s.Stat("/" + landing.Inbox + "/" + f.Name)
		if errors.Is(err, fs.ErrNotExist) {
			err = c.unlessDecided(ctx, f)
		}
		if err != nil {
			return err
		}
	} else if err := c.Home.Place(f.Name, f.Content); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return c.handler.Rows.Placed(ctx, c.Account.Name, hashed)
}

// unlessDecided places a file that was to be placed before, and was not.
func (c *call) unlessDecided(ctx context.Context, f RowsFile) error {
	done, err := c.handler.Rows.Decided(ctx, c.Account.Name, f.Name)
	if err == nil && !done {
		err = c.Home.Place(f.Name, f.Content)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ofRows says what a client is told of rows that are not taken.
func ofRows(err error) error {
	var b *BadRows
	switch {
	case !errors.As(err, &b):
		return err
	case len(b.Faults) == 0:
		return bad("%s", b.Detail)
	}
	p := &problem{Status: http.StatusUnprocessableEntity, Title: "some rows cannot be read", Detail: "none was taken; correct them and send all of them again, with the same key or another one", Rows: b.Faults}
	if more := len(p.Rows) - mostFaults; more > 0 {
		p.Rows, p.MoreRows = p.Rows[:mostFaults], more
	}
	return p
}

// keyed lets one of a name in at a time.
type keyed struct {
	mu sync.Mutex
	of map[string]chan struct{}
}

// hold waits for its turn; release ends it.
func (k *keyed) hold(ctx context.Context, name string) (release func(), err error) {
	k.mu.Lock()
	if k.of == nil {
		k.of = map[string]chan struct{}{}
	}
	turn := k.of[name]
	if turn == nil { // there are as many as carriers
		turn = make(chan struct{}, 1)
		k.of[name] = turn
	}
	k.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
