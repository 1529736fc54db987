package console

import (
	"strings"
	"testing"

	"concord/jobs/control"
)

func TestAFigureOfWhichNothingIsLeftHasNoSign(t *testing.T) {
	for name, test := range map[string][2]string{
		"a second of minutes":           {minutes(-2000), "0.0"},
		"a difference of a second":      {plus(-2000, minutes(-2000)), "0.0"},
		"a second more":                 {plus(1000, minutes(1000)), "0.0"},
		"parts per million":             {share(-20), "0.00 %"},
		"a part of a whole":             {percentOf(-1, 1_000_000), "0.00 %"},
		"a minute less":                 {plus(-60_000, minutes(-60_000)), "−1.0"},
		"a minute more":                 {plus(60_000, minutes(60_000)), "+1.0"},
		"what is large":                 {plus(-600_000_000, minutes(-600_000_000)), "−10,000.0"},
		"a percent less":                {share(-10_000), "−1.00 %"},
		"as many as the other side has": {plus(0, seconds(0)), "0"},
	} {
		if test[0] != test[1] {
			t.Errorf("%s: %q, want %q", name, test[0], test[1])
		}
	}
}

func TestASideWithoutARecordHasNoDuration(t *testing.T) {
	for name, test := range map[string]struct {
		x    control.CaseFigure
		want string
	}{
		"a carrier's duplicate":  {control.CaseFigure{Class: "duplicate", CarrierMS: 60_000}, "– 60 –"},
		"Microsoft's duplicate":  {control.CaseFigure{Class: "conflicting_duplicate", MicrosoftMS: 60_000}, "60 – –"},
		"a row that is none":     {control.CaseFigure{Class: "invalid"}, "– – –"},
		"missing at the carrier": {control.CaseFigure{Class: "missing_at_carrier", MicrosoftMS: 60_000, EffectMS: -60_000}, "60 – −60"},
		"missing at Microsoft":   {control.CaseFigure{Class: "missing_at_microsoft", CarrierMS: 1500, EffectMS: 1500}, "– 1.5 +1.5"},
		"answered on one side":   {control.CaseFigure{Class: "answer_conflict", CarrierMS: 60_000, EffectMS: 60_000}, "0 60 +60"},
	} {
		var b strings.Builder
		if err := parsePages()["register"].ExecuteTemplate(&b, "durations", test.x); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(strings.NewReplacer(`<td class="num">`, "", "</td>", " ", "&#43;", "+").Replace(b.String())); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
