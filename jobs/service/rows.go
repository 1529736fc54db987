package service

import (
	"context"
	"errors"
	"strings"

	"concord/exchange/httpd"
	"concord/jobs"
)

// postedRows takes rows that carriers post: it implements httpd.Rows.
type postedRows struct{ s *Service }

// File implements httpd.Rows.
func (p postedRows) File(ctx context.Context, carrier, key string, body []byte) (f httpd.RowsFile, err error) {
	f.Name = jobs.RowsName(key)
	var faults []jobs.RowFault
	f.Content, f.Rows, faults, err = jobs.RowsFile(ctx, carrier, body)
	switch {
	case errors.Is(err, jobs.ErrRows):
		return f, &httpd.BadRows{Detail: err.Error()}
	case err != nil:
		return f, err
	case len(faults) > 0:
		bad := &httpd.BadRows{}
		for _, x := range faults {
			bad.Faults = append(bad.Faults, httpd.RowFault(x))
		}
		return f, bad
	}
	return f, nil
}

// Bind implements httpd.Rows.
func (p postedRows) Bind(ctx context.Context, carrier, key, body string) (httpd.Batch, error) {
	b, err := p.s.store.BindRows(ctx, carrier, key, body, p.s.Now())
	return httpd.Batch(b), err
}

// Placed implements httpd.Rows.
func (p postedRows) Placed(ctx context.Context, carrier, key string) error {
	return p.s.store.PlaceRows(ctx, carrier, key, p.s.Now())
}

// Decided implements httpd.Rows.
func (p postedRows) Decided(ctx context.Context, carrier, name string) (bool, error) {
	list, err := p.s.store.ListFiles(ctx, jobs.FileFilter{Carrier: carrier, Side: "carrier", Name: name})
	for _, e := range list {
		if strings.EqualFold(e.Name, name) {
			return true, err
		}
	}
	return false, err
}
