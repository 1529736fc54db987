package formats

import (
	"errors"
	"testing"

	"concord/engine"
	"concord/formats/dialect"
)

func TestMicrosoftsValues(t *testing.T) {
	for _, c := range []struct {
		name     string
		convert  func(dst, src []byte) []byte
		in, want string
	}{
		{"whole seconds", seconds, "219", "219000"},
		{"no duration", seconds, " ", ""},
		{"a negative duration is left to be rejected", seconds, "-5", "-5000"},
		{"a fraction is no whole second", seconds, "1.5", "not whole seconds"},
		{"hours and minutes are no seconds", seconds, "00:03:39", "not whole seconds"},
		{"seven digits of a second", instant, "2026-10-01T10:00:08.2589935Z", "2026-10-01T10:00:08.258993Z"},
		{"a blank for the T and no zone", instant, "2026-10-01 10:00:08", "2026-10-01T10:00:08Z"},
		{"an offset stays", instant, "2026-10-01T10:00:08.1+02:00", "2026-10-01T10:00:08.1+02:00"},
		{"no time", instant, "0001-01-01T00:00:00Z", ""},
		{"no time in the export", instant, "0001-01-01 00:00:00", ""},
		{"not a time", instant, "10/1/2026", "10/1/2026"},
		{"a user is called", direction, "user_in", "in"},
		{"a conference calls", direction, "conf_out", "out"},
		{"a Direct Routing call comes in", direction, "ByotIn", "in"},
		{"a Direct Routing call is forwarded", direction, "ByotOutUserForwarding", "out"},
		{"an outgoing call by a new name", direction, "dr_out_user_forwarding", "out"},
		{"a call type of tomorrow", direction, "internal", "unknown"},
		{"Microsoft measured", source, "Microsoft", "microsoft"},
		{"the carrier measured", source, "operator", "operator"},
		{"a source of tomorrow", source, "satellite", "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.convert([]byte("kept "), []byte(c.in)); string(got) != "kept "+c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAFileIsGivenUpEarlyOnlyWhenNothingCanSaveIt(t *testing.T) {
	j := &job{Input: Input{Name: "a"}, opts: &Options{Limits: dialect.DefaultLimits()}}
	for _, c := range []struct {
		name           string
		rejected, most int64
		up             bool
	}{
		{"too few to judge", hopeless - 1, hopeless, false},
		{"good rows may follow", hopeless, 20 * hopeless, false},
		{"not enough good rows can follow", hopeless, 20*hopeless - 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tally := tally{rejected: c.rejected, first: &engine.RowError{Line: 7, Reason: "x"}}
			var file *FileError
			if err := tally.checkSoFar(j, c.most); errors.As(err, &file) != c.up {
				t.Error(err)
			}
		})
	}
}
