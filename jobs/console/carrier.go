package console

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"concord/jobs/control"
)

// carrierData is the page of one carrier, and how a sample of its is read.
type carrierData struct {
	control.CarrierDetail
	Text    string // of the profile to try
	Tried   *control.Previewed
	Problem string
	Shown   bool // numbers are
}

func (v *visit) carrier() error {
	c, err := v.Desk.Carrier(v.r.Context(), v.r.PathValue("carrier"))
	if err != nil {
		return err
	}
	return v.page("carrier", "Carrier "+c.Name, &carrierData{CarrierDetail: c, Text: c.Profile})
}

const (
	previewPath    = "/preview"
	previewsAtOnce = 2
	previewTime    = 2 * time.Minute
	maxUpload      = 9 << 20 // bytes, of a sample with its profile
)

// preview shows how a sample is read by a profile that may be changed meanwhile.
func (v *visit) preview() error {
	select {
	case v.previews <- struct{}{}:
		defer func() { <-v.previews }()
	default:
		p, _ := v.sample(maxBody) // of a form that is refused anyway the profile is enough
		return v.notTried(p, &control.Refusal{Kind: control.Unavailable, Text: "Other samples are being read; try again in a moment."})
	}
	v.hurryFor(previewTime)
	p, err := v.sample(maxUpload)
	if err != nil {
		return v.notTried(p, err)
	}
	if p.Unmask && !control.Numbers.Has(v.who.Role) {
		return v.deny(control.Numbers)
	}
	c, err := v.Desk.Carrier(v.r.Context(), p.Carrier)
	if err != nil {
		return err
	}
	d := &carrierData{CarrierDetail: c, Text: p.Profile, Shown: p.Unmask}
	x, err := v.Desk.Preview(v.r.Context(), p)
	if err != nil {
		return v.notTried(p, err)
	}
	d.Tried = &x
	if x.Profile != "" {
		d.Text = x.Profile
	}
	return v.show(http.StatusOK, "carrier", "Carrier "+c.Name, d)
}

// notTried shows the carrier again, with the profile as it was sent and why the
// sample was not read by it.
func (v *visit) notTried(p control.Preview, err error) error {
	r, is := errors.AsType[*control.Refusal](err)
	if !is || statuses[r.Kind] == 0 {
		return err
	}
	c, err := v.Desk.Carrier(v.r.Context(), p.Carrier)
	if err != nil {
		return err
	}
	status := statuses[r.Kind]
	if v.r.Header.Get("Hx-Request") != "" {
		status = http.StatusOK // htmx shows no other
	}
	return v.show(status, "carrier", "Carrier "+c.Name, &carrierData{CarrierDetail: c, Text: p.Profile, Problem: r.Text})
}

// sample reads the form of a preview, which holds a file, up to so many bytes; of
// one that is longer what came before.
func (v *visit) sample(left int64) (p control.Preview, err error) {
	p = control.Preview{Carrier: v.r.PathValue("carrier"), By: v.by()}
	parts, err := v.r.MultipartReader()
	if err != nil {
		return p, &control.Refusal{Kind: control.Invalid, Text: "The form holds no file.", Err: err}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, &control.Refusal{Kind: control.Invalid, Text: "The form broke off; send it again.", Err: err}
		}
		var b bytes.Buffer
		n, err := io.Copy(&b, io.LimitReader(part, left+1))
		if err != nil {
			return p, &control.Refusal{Kind: control.Invalid, Text: "The form broke off; send it again.", Err: err}
		}
		if left -= n; left < 0 {
			return p, &control.Refusal{Kind: control.Invalid, Text: "The sample is larger than 8 MiB; its first part will do."}
		}
		take(&p, part, b.Bytes())
	}
}

// take takes one field of the form.
func take(p *control.Preview, part *multipart.Part, b []byte) {
	switch part.FormName() {
	case "profile":
		p.Profile = string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
	case "sample":
		p.Name, p.Sample = part.FileName(), b
	case "propose":
		p.Propose = true
	case "unmask":
		p.Unmask = true
	}
}

// hurryFor gives a request and its answer some time, instead of the usual.
func (v *visit) hurryFor(d time.Duration) {
	c, until := http.NewResponseController(v.w), time.Now().Add(d)
	_, _ = c.SetReadDeadline(until), c.SetWriteDeadline(until) // a recorder of tests has none
}

// instant is a time of a sample.
func instant(us int64) time.Time { return time.UnixMicro(us).UTC() }
