package service

import (
	"context"
	"log/slog"

	"concord/jobs"
)

// masked is a log in which no phone number is, whoever writes to it: names of
// files and errors of others are written down as they come.
type masked struct{ slog.Handler }

// Handle implements slog.Handler.
func (m masked) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, jobs.Mask(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(maskAttr(a))
		return true
	})
	return m.Handler.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (m masked) WithAttrs(list []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(list))
	for i, a := range list {
		clean[i] = maskAttr(a)
	}
	return masked{m.Handler.WithAttrs(clean)}
}

// WithGroup implements slog.Handler.
func (m masked) WithGroup(name string) slog.Handler { return masked{m.Handler.WithGroup(name)} }

func maskAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch {
	case a.Key == "session": // an id of our own, of which half may be digits
	case v.Kind() == slog.KindString:
		v = slog.StringValue(jobs.Mask(v.String()))
	case v.Kind() == slog.KindAny:
		if err, ok := v.Any().(error); ok {
			v = slog.StringValue(jobs.Mask(err.Error()))
		}
	case v.Kind() == slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, x := range group {
			clean[i] = maskAttr(x)
		}
		v = slog.GroupValue(clean...)
	}
	return slog.Attr{Key: a.Key, Value: v}
}
