package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"concord/engine"
	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/config"
	"concord/jobs/control"
	"concord/jobs/service"
	"concord/jobs/state"
)

// targetFlags say which service a command is for: the one of a configuration,
// running or not, or one elsewhere.
type targetFlags struct {
	configFlag
	URL       given `name:"url" placeholder:"URL" help:"The address of a service elsewhere, with a token from CONCORD_TOKEN or --token-file; the configuration is not read then."`
	TokenFile given `placeholder:"FILE" help:"The file that holds the token for --url."`
	JSON      bool  `name:"json" help:"Print JSON: an object, or for a list one object a line."`
}

// tokenVariable is where a token may be, besides a file. It is no flag: others
// can see those.
const tokenVariable = "CONCORD_TOKEN"

// target is what a command works on.
type target struct {
	control.Operations
	by    control.By
	cfg   *config.Config // nil for a service elsewhere
	alone bool           // no service runs: this process works on the data folder
	close func() error
}

// with opens the target, does something with it and closes it.
func (f *targetFlags) with(s *session, do func(*target) error) (err error) {
	t, err := f.open(s.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	return do(t)
}

func (f *targetFlags) open(ctx context.Context) (*target, error) {
	if f.URL != "" {
		token, err := f.token()
		if err != nil {
			return nil, err
		}
		c, err := api.NewClient(string(f.URL), token, nil)
		if err != nil {
			return nil, err
		}
		return &target{Operations: c, close: c.Close}, nil
	}
	if f.TokenFile != "" {
		return nil, usageFailure("--token-file: has no meaning without --url; on this machine the user counts, not a token")
	}
	cfg, err := f.load()
	if err != nil {
		return nil, err
	}
	c, err := api.DialLocal(ctx, cfg.Data)
	switch {
	case err == nil:
		return &target{Operations: c, cfg: cfg, close: c.Close}, nil
	case !errors.Is(err, api.ErrNotRunning):
		return nil, err
	}
	if err := cfg.Encryption.Check(cfg.Data); err != nil {
		return nil, err
	}
	store, err := state.Open(ctx, database(cfg))
	if err != nil {
		return nil, err
	}
	return &target{Operations: desk(cfg, store), by: self(), cfg: cfg, alone: true, close: store.Close}, nil
}

// token returns the token for a service elsewhere.
func (f *targetFlags) token() (string, error) {
	if f.TokenFile == "" {
		if token := strings.TrimSpace(os.Getenv(tokenVariable)); token != "" {
			return token, nil
		}
		return "", usageFailure("--url: there is no token; set %s, or name a file that holds it with --token-file", tokenVariable)
	}
	b, err := os.ReadFile(string(f.TokenFile))
	if err != nil {
		return "", usageFailure("--token-file %s: %v", f.TokenFile, errors.Unwrap(err))
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", usageFailure("--token-file %s: write one line with the token and nothing else", f.TokenFile)
	}
	return token, nil
}

// desk does the operations on a data folder on which no service runs.
func desk(cfg *config.Config, store *state.Store) *control.Desk {
	return &control.Desk{
		Queue: store, Pauses: store, Noting: func(r jobs.AuditRow) control.Changes { return store.Noted(r) }, Requests: store, Archive: store, Ledger: store, Alarms: store, Trail: store, Coverage: store, Deliveries: store, Chain: store, Book: store, SignedOff: store,
		Config: func() *config.Config { return cfg }, Now: time.Now, Folder: service.ReportsFolder(cfg), Keys: cfg.Encryption,
		Reach:   func(carrier string) time.Duration { return reach(cfg, carrier) },
		Trouble: func(err error) { fmt.Fprintln(os.Stderr, "concord:", err) },
		Foresee: service.Purger(func() *config.Config { return cfg }, store, time.Now).Foresee,
	}
}

// reach is how far beyond a period the records lie that a run reads.
func reach(cfg *config.Config, carrier string) time.Duration {
	if c, ok := cfg.Carrier(carrier); ok && c.Profile != nil {
		return jobs.RecordsReach(c.Profile.Rules())
	}
	return jobs.RecordsReach(engine.DefaultRules())
}

// self names who gives the command.
func self() control.By {
	if u, err := user.Current(); err == nil {
		return control.By("local:" + u.Username)
	}
	return control.By(fmt.Sprintf("local:%d", os.Geteuid()))
}

// printLines prints one JSON object a line.
func printLines[T any](s *session, list []T) error {
	e := json.NewEncoder(s.Out)
	e.SetEscapeHTML(false)
	for i := range list {
		if err := e.Encode(list[i]); err != nil {
			return err
		}
	}
	return nil
}

// printGrid prints a table, or that there is nothing in it.
func (s *session) printGrid(g *grid, none string) error {
	if len(g.rows) < 2 {
		_, err := fmt.Fprintln(s.Out, none)
		return err
	}
	g.write(s.Out, "")
	return nil
}

// clock is a time as tables have it.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}
