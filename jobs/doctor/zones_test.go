package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs/config"
)

// Finance would read a month of 32 days, of which the first and the last have a
// few hours.
func TestDaysThatAreNotThoseOfTheJobAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		job, profile string
		want         bool
	}{
		"both in UTC":                           {"UTC", "", false},
		"the report in another zone":            {"UTC", "period_zone: Europe/Berlin\n", true},
		"the job in another zone":               {"Europe/Berlin", "", true},
		"both in one zone":                      {"Europe/Berlin", "period_zone: Europe/Berlin\n", false},
		"zones whose days begin at one instant": {"Europe/Paris", "period_zone: Europe/Berlin\n", false},
		"zones that differ in summer alone":     {"Africa/Algiers", "period_zone: Europe/Berlin\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := "data: data\nzone: " + c.job + "\ncarriers: {fabrikam: {profile: fabrikam.yaml}, contoso: {}}\njobs:\n  monthly: {kind: reconcile, schedule: \"0 9 4 * *\", period: previous_month}\n  collect: {kind: collect, schedule: \"0 * * * *\"}\n"
			profile := c.profile + "columns: {start: S, duration: {column: D, unit: s}}\n"
			for file, text := range map[string]string{"concord.yaml": text, "fabrikam.yaml": profile} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg, err := config.Load(filepath.Join(dir, "concord.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Config: cfg, Now: func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }}
			all := o.zones()
			if got := len(all) == 1 && all[0].Level == Warning && all[0].What == "days of job monthly" && strings.Contains(all[0].Text, "fabrikam"); got != c.want || len(all) > 1 {
				t.Errorf("findings %+v", all)
			}
		})
	}
}
