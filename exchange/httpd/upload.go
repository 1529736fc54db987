package httpd

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"concord/exchange/landing"
)

// upload takes a file into the inbox.
func (c *call) upload() error {
	name := c.r.PathValue("name")
	c.name = "/" + landing.Inbox + "/" + name
	want, err := c.promised(name)
	if err != nil {
		return err
	}
	if err := c.begin(); err != nil {
		return err
	}
	defer c.end()
	if done, err := c.already(want); done || err != nil {
		return err
	}
	sum, err := c.stage(want)
	if err != nil {
		return err
	}
	c.audit(ActUpload, want.size, "")
	return c.uploaded(http.StatusCreated, want.size, sum)
}

// promise is what a client says of a file before it sends it.
type promise struct {
	size   int64
	sum    []byte // SHA-256; nil: it does not say
	name   string // below the home, with a slash
	staged string
}

func (c *call) promised(name string) (p promise, err error) {
	p = promise{size: c.r.ContentLength, name: c.name, staged: "/" + landing.Inbox + "/." + rand.Text() + ".part"}
	switch {
	case c.r.ContentLength < 0:
		return p, &problem{Status: http.StatusLengthRequired, Title: "the length is needed", Detail: "send Content-Length: without it nobody can tell a whole file from a part of one"}
	case c.r.Header.Get("Content-Encoding") != "" && c.r.Header.Get("Content-Encoding") != "identity":
		return p, bad("Content-Encoding is not taken: send the file as it is to be kept; NAME.csv.gz is a file of its own")
	case landing.IsTemporary(name) || strings.HasPrefix(name, "."):
		return p, bad("%q is a name of an unfinished upload: send the file under its final one", name)
	}
	p.sum, err = digest(c.r.Header)
	return p, err
}

// digest reads the SHA-256 of the content: of RFC 9530, or the older Digest.
func digest(h http.Header) ([]byte, error) {
	for _, name := range []string{"Repr-Digest", "Content-Digest", "Digest"} {
		for _, part := range strings.Split(strings.Join(h.Values(name), ","), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(algorithm, "sha-256") {
				continue
			}
			sum, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
			if err != nil || len(sum) != sha256.Size {
				return nil, bad("%s: is no SHA-256 in base64, such as sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:", name)
			}
			return sum, nil
		}
		if h.Get(name) != "" {
			return nil, bad("%s: names no sha-256, which is the one that is checked", name)
		}
	}
	return nil, nil
}

// begin makes sure that one carrier does not take all there is.
func (c *call) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uploading[c.Account.Name] >= c.Uploads {
		return tooMany(5 * time.Second)
	}
	c.uploading[c.Account.Name]++
	return nil
}

func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uploading[c.Account.Name]--; c.uploading[c.Account.Name] == 0 {
		delete(c.uploading, c.Account.Name)
	}
}

// already answers a client that sends again what is there, because it did not
// hear the answer.
func (c *call) already(want promise) (done bool, err error) {
	info, err := c.s.Stat(want.name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if want.sum != nil && !info.IsDir() && info.Size() == want.size {
		f, err := c.s.Open(want.name)
		if err != nil {
			return false, err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return false, err
		}
		if string(sum.Sum(nil)) == string(want.sum) {
			return true, c.uploaded(http.StatusOK, want.size, hex.EncodeToString(want.sum))
		}
	}
	return false, &problem{Status: http.StatusConflict, Title: "the name is taken", Detail: "another file of this name waits to be taken; wait for its receipt, or take another name"}
}

// stage writes the file under a name that nobody takes and gives it its own
// when it is what was promised. Otherwise nothing is left.
func (c *call) stage(want promise) (sum string, err error) {
	u, err := c.s.Upload(want.staged, landing.UploadOptions{Create: true, Exclusive: true, Measured: true})
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			if rerr := c.s.Remove(want.staged); !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	got := sha256.New()
	err = c.receive(u, got, want.size)
	if err != nil {
		u.Break(err)
		_ = u.Close() // says what err says
		return "", err
	}
	if err := u.Close(); err != nil {
		return "", err
	}
	if is := got.Sum(nil); want.sum != nil && string(is) != string(want.sum) {
		return "", bad("the digest of what arrived is not the one that was sent with it: send it again")
	}
	sum = hex.EncodeToString(got.Sum(nil))
	if want.sum == nil {
		return sum, c.s.Rename(want.staged, want.name, false)
	}
	return sum, c.vouch(want, sum)
}

// vouch gives the file its name, with its checksum beside it: the claim counts
// that as proof, as of one that a client puts there itself.
func (c *call) vouch(want promise, sum string) (err error) {
	beside := want.name + ".sha256"
	line := []byte(sum + "  " + path.Base(want.name) + "\n")
	u, err := c.s.Upload(beside, landing.UploadOptions{Create: true, Truncate: true, Measured: true})
	if err != nil {
		return err
	}
	if _, err := u.WriteAt(line, 0); err != nil {
		return errors.Join(err, u.Close())
	}
	if err := u.Close(); err != nil {
		return err
	}
	if err := c.s.Rename(want.staged, want.name, false); err != nil {
		return errors.Join(err, c.s.Remove(beside))
	}
	return nil
}

// receive writes what a client sends.
func (c *call) receive(to io.WriterAt, sum io.Writer, size int64) error {
	wait := http.NewResponseController(c.w)
	buf := make([]byte, 256<<10)
	for at := int64(0); ; {
		_ = wait.SetReadDeadline(time.Now().Add(c.Idle)) // a server in a test has none
		n, err := c.r.Body.Read(buf)
		if n > 0 {
			if _, err := to.WriteAt(buf[:n], at); err != nil {
				return err
			}
			_, _ = sum.Write(buf[:n]) // a hash takes everything
			at += int64(n)
		}
		switch {
		case err == io.EOF && at == size:
			return nil
		case err != nil:
			return &problem{Status: http.StatusBadRequest, Title: "the upload was broken off", Detail: fmt.Sprintf("%d of %d bytes arrived; nothing was taken, send it again", at, size)}
		}
	}
}

// uploaded tells where the receipt will be.
func (c *call) uploaded(code int, size int64, sum string) error {
	receipt := "/carrier/v1/" + landing.Receipts + "/" + strings.TrimPrefix(c.name, "/"+landing.Inbox+"/") + ".json"
	return c.json(code, map[string]any{"file": strings.TrimPrefix(c.name, "/"+landing.Inbox+"/"), "bytes": size, "sha256": sum, "receipt": receipt})
}
