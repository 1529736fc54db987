package reconcile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"concord/jobs"
)

// Shelf is the folder of all reports. A version is prepared in a hidden folder
// of it, whose name says whose it is, so that Recover finds out what has become
// of it; and it belongs into the folder that the state has of it.
type Shelf struct{ Folder string }

func (r *Reconciler) shelf() Shelf { return Shelf{r.Folder} }

// stagingDir is where reports are prepared, below the folder of all reports.
const stagingDir = ".staging"

// Staging names the folder in which an attempt of a run prepares a report.
func (s Shelf) Staging(report string, run jobs.Run) string {
	return filepath.Join(s.Folder, stagingDir, fmt.Sprintf("%s~%s~%d", report, run.ID, run.Attempt))
}

// Place is where a version belongs.
func (s Shelf) Place(rep jobs.Report) string {
	return filepath.Join(s.Folder, filepath.FromSlash(rep.Folder))
}

// InPlace reports whether a version is where it belongs.
func (s Shelf) InPlace(rep jobs.Report) bool {
	_, err := os.Stat(filepath.Join(s.Place(rep), "manifest.json"))
	return !errors.Is(err, fs.ErrNotExist)
}

// PeriodFolder is the folder of a period's versions below another one, with
// slashes. Two periods may be called the same, when a job was given another
// zone.
func (s Shelf) PeriodFolder(below string, p jobs.Period) string {
	name := strings.NewReplacer("/", "_", ":", "").Replace(p.Text)
	if name == "" {
		name = p.From.UTC().Format(basicTime) + "_" + p.To.UTC().Format(basicTime)
	}
	above := path.Join(below, name)
	if _, err := os.Lstat(filepath.Join(s.Folder, above, "v1")); err == nil {
		above += "_from_" + p.From.UTC().Format(basicTime)
	}
	return above
}

const basicTime = "20060102T150405Z"

// Settle gives a published report its place. Recover may be doing the same:
// whoever comes second finds it there.
func (s Shelf) Settle(staging string, rep jobs.Report) error {
	err := jobs.Settle(staging, s.Place(rep))
	if err != nil {
		err = jobs.Settle(staging, s.Place(rep))
	}
	return err
}

// GiveUp removes a finished report of which the state has said for certain that
// it was not recorded. After any other error it may have been, or may be yet:
// Recover finds out.
func GiveUp(err error, staging string) error {
	if errors.Is(err, jobs.ErrLost) || errors.Is(err, jobs.ErrVersion) || errors.Is(err, jobs.ErrLocked) {
		return os.RemoveAll(staging)
	}
	return nil
}
