package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

// settings are what a run works with besides its inputs. They are kept with
// the run as JSON.
type settings struct {
	Program     string `json:"program"`
	Profile     string `json:"profile_sha256,omitempty"`
	ProfileName string `json:"profile,omitempty"`
	From        string `json:"from_utc"`
	To          string `json:"to_utc"`
	AsOf        string `json:"as_of_utc"` // RFC 3339, whole seconds
	Verdicts    bool   `json:"verdicts,omitempty"`
	Users       bool   `json:"users,omitempty"`
	Numbers     string `json:"numbers_sha256,omitempty"` // of what is known of the carrier's numbers
	// Others are what Microsoft's records call other carriers.
	Others []string `json:"others,omitempty"`
}

func (s settings) json() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and booleans
	}
	return b
}

// others is not nil: it is known who there is.
func (s settings) others() []string { return append([]string{}, s.Others...) }

func (t *task) takeSettings() settings {
	j := t.Job(t.run.Job)
	var others []string
	if t.Others != nil {
		others = t.Others(t.run.Carrier)
	}
	return settings{
		Program: t.Program, Profile: t.profile.SHA256, ProfileName: t.profile.Name,
		From: stamp(t.run.Period.From), To: stamp(t.run.Period.To), Verdicts: j.Verdicts, Users: j.Users, Others: others,
	}
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// basis is a hash of all that the report would depend on, seen from asOf.
func (t *task) basis(asOf string) string {
	s := t.settings
	s.AsOf = asOf
	h := sha256.New()
	enc := json.NewEncoder(h)
	must := func(v any) {
		if err := enc.Encode(v); err != nil {
			panic(err) // strings
		}
	}
	must(s)
	for _, e := range t.entries {
		must([]string{side(e).String(), e.Name, e.SHA256, e.Profile})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// same reports whether the latest version was made of the same.
func (t *task) same() bool { return t.latest != nil && t.latest.Basis == t.basis(t.settings.AsOf) }

// decideAsOf sets from when the run looks at the world. That never goes back
// from one version to the next; and it does not go on either when that can
// change nothing.
func (t *task) decideAsOf(ctx context.Context) error {
	at, err := t.wanted(ctx)
	if err != nil {
		return err
	}
	if l := t.latest; l != nil {
		if l.AsOf.After(at) || t.basis(stamp(l.AsOf)) == l.Basis && !t.ripe(at) {
			at = l.AsOf
		}
	}
	t.settings.AsOf = stamp(at)
	return nil
}

// ripe reports whether a call that was pending in the latest version may not
// be so any more: at the earliest the first one of the period.
func (t *task) ripe(at time.Time) bool {
	return t.latest.Figures.Pending > 0 && !at.Before(t.run.Period.From.Add(t.profile.Rules.LateWindow))
}

// wanted is the time that a run asks for: by its schedule, that of the attempt
// before it or of the run that it does again, or now.
func (t *task) wanted(ctx context.Context) (time.Time, error) {
	first := t.origin()
	if !first.ScheduledFor.IsZero() {
		return first.ScheduledFor, nil
	}
	before := t.attempts
	if first.Trigger == jobs.TriggerRerun {
		again, err := t.State.Run(ctx, first.RerunOf)
		if err != nil && !errors.Is(err, jobs.ErrNoRun) {
			return time.Time{}, err
		}
		before = append(before[:len(before):len(before)], again)
	}
	for _, r := range before {
		at, err := asOf(r)
		if err != nil || !at.IsZero() {
			return at, err
		}
	}
	return t.Now(), nil
}

// asOf is from when a run looked at the world; zero: it had not begun.
func asOf(r jobs.Run) (time.Time, error) {
	if len(r.Settings) == 0 {
		return time.Time{}, nil
	}
	var s settings
	err := json.Unmarshal(r.Settings, &s)
	if err != nil || s.AsOf == "" {
		return time.Time{}, wrapSettings(r, err)
	}
	at, err := time.Parse(time.RFC3339, s.AsOf)
	return at, wrapSettings(r, err)
}

func wrapSettings(r jobs.Run, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the settings of run %s: %w", r.ID, err)
}

// mostAttempts bounds how far a run is traced back.
const mostAttempts = 200

// Attempts returns the attempts that a run follows, the latest first.
func Attempts(ctx context.Context, state interface {
	Run(ctx context.Context, id string) (jobs.Run, error)
}, run jobs.Run) (list []jobs.Run, err error) {
	for r := run; r.Trigger == jobs.TriggerRetry && r.RerunOf != "" && len(list) < mostAttempts; {
		before, err := state.Run(ctx, r.RerunOf)
		if errors.Is(err, jobs.ErrNoRun) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list, r = append(list, before), before
	}
	return list, nil
}
