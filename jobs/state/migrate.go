package state

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrate brings the tables up to date. Programs that do so at once get into
// each other's way: each step is one transaction, so the one that comes second
// fails, changes nothing, and finds the step done when it tries again.
func (s *Store) migrate(ctx context.Context) error {
	p, err := goose.NewProvider(s.d.schema, s.w, s.d.migrations,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	last := int64(-1)
	for n := 1; ; n++ {
		err := up(ctx, p)
		if err == nil || n == attempts || !s.inTheWay(ctx, p, err) {
			return err
		}
		if at, err := p.GetDBVersion(ctx); err == nil && at > last {
			last, n = at, 1 // somebody gets on
		}
		if err := rest(ctx, n); err != nil {
			return err
		}
	}
}

func up(ctx context.Context, p *goose.Provider) error {
	has, knows, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case has > knows:
		return newerError{has, knows}
	case has == knows:
		return nil
	}
	_, err = p.Up(ctx)
	return err
}

// newerError is a database of a later program.
type newerError struct{ has, knows int64 }

// Error implements error.
func (e newerError) Error() string {
	return fmt.Sprintf("its tables are of version %d, and this program knows them up to %d; use the newer concord that wrote them", e.has, e.knows)
}

// inTheWay reports whether another program may have caused err: it was doing
// the same, or there are tables now.
func (s *Store) inTheWay(ctx context.Context, p *goose.Provider, err error) bool {
	if _, newer := err.(newerError); newer || ctx.Err() != nil {
		return false
	}
	if again := s.d.again(err); again || s.d.hint(err) != "" {
		return again
	}
	_, versionErr := p.GetDBVersion(ctx)
	return versionErr == nil
}

// sub returns a folder of files that are built in.
func sub(all fs.FS, dir string) fs.FS {
	f, err := fs.Sub(all, dir)
	if err != nil {
		panic(err) // only for an invalid name
	}
	return f
}
