// Package graph takes call records from Microsoft Graph: getPstnCalls and
// getDirectRoutingCalls of one tenant at a time. What is new or has changed is
// put into Microsoft's folder of the carrier that it is about, as files of the
// form in which Graph gave it; package feed takes them from there.
//
// Graph lists calls by their start, and rows may come days later than their
// calls and change. So each look begins some time before the end of the last
// one, and rows are known again by their id. A row whose duration Microsoft
// measured itself keeps that one when the operator's takes its place.
package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"concord/jobs"
)

// List is one of Graph's lists of calls.
type List string

// Lists.
const (
	PSTN          List = "pstn"
	DirectRouting List = "direct_routing"
)

// call is the name of a list's function. Both take the first instant in; of
// the last one it makes no difference, as windows overlap.
func (l List) call() string {
	if l == DirectRouting {
		return "getDirectRoutingCalls"
	}
	return "getPstnCalls"
}

// Feed is one list of one tenant. Its Look is called by one goroutine at a
// time.
type Feed struct {
	Name string // in the configuration; part of file names
	List List
	Access
	// Operators says which carrier an operator is, by the name that Graph has
	// for it, in any case. Rows of others belong to Carrier, and when that is
	// empty to nobody.
	Operators map[string]string
	Carrier   string
	Since     time.Time     // when to begin
	Overlap   time.Duration // how far back each look begins again [48 h]
	Folder    string        // of Microsoft's files, one subfolder a carrier
	Rows      jobs.FeedRows
	Now       func() time.Time
	Log       *slog.Logger

	c *client
}

const (
	// window is how much of the time one call asks for. Graph allows 90 days;
	// what is shorter is done again sooner when it breaks off.
	window = 24 * time.Hour
	// batch is how many rows are handed on at a time.
	batch = 20_000
)

// ID is the name by which the state knows the feed.
func (f *Feed) ID() string { return f.Tenant + "/" + string(f.List) }

// Look takes what is new. What it took before an error stays taken.
func (f *Feed) Look(ctx context.Context) error {
	if err := f.look(ctx); err != nil {
		return fmt.Errorf("read %s of %s from Graph: %w", f.List.call(), f.Name, err)
	}
	return nil
}

func (f *Feed) look(ctx context.Context) error {
	f.connect()
	mark, err := f.Rows.FeedMark(ctx, f.ID())
	if err != nil {
		return err
	}
	now := f.Now().UTC().Truncate(time.Second)
	from := f.Since.UTC()
	if back := mark.Add(-f.overlap()); !mark.IsZero() && back.After(from) {
		from = back
	}
	w := &work{Feed: f}
	for from.Before(now) {
		to := from.Add(window)
		if to.After(now) {
			to = now
		}
		if err := w.window(ctx, from, to); err != nil {
			return err
		}
		if to.After(mark) {
			mark = to
			if err := f.Rows.SetFeedMark(ctx, f.ID(), mark, mark.Add(-f.overlap()-window)); err != nil {
				return err
			}
		}
		from = to
	}
	w.report(ctx)
	return nil
}

func (f *Feed) overlap() time.Duration { return cmp.Or(f.Overlap, 48*time.Hour) }

func (f *Feed) connect() {
	if f.c != nil {
		return
	}
	a := f.Access
	a.Authority, a.Endpoint = cmp.Or(a.Authority, Authority), cmp.Or(a.Endpoint, Endpoint)
	if a.HTTP == nil {
		a.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	f.c = &client{Access: a, now: f.Now}
}

// work is one look.
type work struct {
	*Feed
	rows     []json.RawMessage // of the batch at hand
	strange  map[string]int    // rows by operators that are no carrier of ours
	taken    int
	repeated int
	broken   int
}

// window takes the calls that began between two instants.
func (w *work) window(ctx context.Context, from, to time.Time) error {
	const layout = "2006-01-02T15:04:05Z"
	first := fmt.Sprintf("%s/v1.0/communications/callRecords/%s(fromDateTime=%s,toDateTime=%s)",
		w.c.Endpoint, w.List.call(), url.PathEscape(from.Format(layout)), url.PathEscape(to.Format(layout)))
	w.rows = nil
	err := w.c.pages(ctx, first, func(rows []json.RawMessage) error {
		if w.rows = append(w.rows, rows...); len(w.rows) < batch {
			return nil
		}
		return w.handOn(ctx, from, to)
	})
	if err != nil {
		return err
	}
	return w.handOn(ctx, from, to)
}

// handOn puts what is new of a batch into the folders of carriers, and then
// remembers it. A crash between the two hands it on again, under the same name
// or as repeated rows, which count once.
func (w *work) handOn(ctx context.Context, from, to time.Time) error {
	rows := w.rows
	w.rows = nil
	if len(rows) == 0 {
		return nil
	}
	parsed, err := w.parse(rows, from)
	if err != nil {
		return err
	}
	known, err := w.known(ctx, parsed)
	if err != nil {
		return err
	}
	out, kept := w.news(parsed, known)
	var errs []error
	for carrier, list := range out {
		errs = append(errs, w.publish(ctx, carrier, from, to, list))
	}
	if err := errors.Join(errs...); err != nil || len(kept) == 0 {
		return err
	}
	w.taken += len(kept)
	return w.Rows.KeepFeedRows(ctx, w.ID(), kept)
}

func (w *work) known(ctx context.Context, rows []*row) (map[string]jobs.FeedRow, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	return w.Rows.FeedRows(ctx, w.ID(), ids)
}

// news are the rows that are new or have changed, by carrier, in the order in
// which they came first, and what is to be remembered of them. Of a row that
// comes twice the last one counts: of two in one file the first one would.
func (w *work) news(rows []*row, known map[string]jobs.FeedRow) (out map[string][]*row, kept []jobs.FeedRow) {
	out = map[string][]*row{}
	type place struct {
		carrier  string
		row, fed int // in out and kept
	}
	at := map[string]place{}
	for _, r := range rows {
		carrier, ok := w.carrierOf(r.operator)
		if !ok {
			w.strange[r.operator]++
			continue
		}
		was := known[r.id]
		now := r.settle(was)
		if now.Sum == was.Sum {
			w.repeated++
			continue
		}
		known[r.id] = now
		if p, ok := at[r.id]; ok && p.carrier == carrier {
			out[carrier][p.row], kept[p.fed] = r, now
			continue
		}
		at[r.id] = place{carrier, len(out[carrier]), len(kept)}
		out[carrier], kept = append(out[carrier], r), append(kept, now)
	}
	return out, kept
}

// carrierOf says whose the rows of an operator are.
func (w *work) carrierOf(operator string) (string, bool) {
	for name, carrier := range w.Operators {
		if strings.EqualFold(name, operator) {
			return carrier, true
		}
	}
	return w.Carrier, w.Carrier != ""
}

// report logs what a look took, and what it did not.
func (w *work) report(ctx context.Context) {
	if w.taken+w.broken > 0 {
		w.Log.InfoContext(ctx, "graph", "feed", w.Name, "list", string(w.List), "taken", w.taken, "known", w.repeated, "broken", w.broken)
	}
	for operator, n := range w.strange {
		w.Log.WarnContext(ctx, "calls of an operator that is no carrier here are left out: name it in graph."+w.Name+".operators",
			"feed", w.Name, "operator", short(operator), "rows", n)
	}
}
