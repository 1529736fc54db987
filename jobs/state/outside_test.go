package state_test

import (
	"testing"

	"concord/jobs"
	"concord/jobs/jobstest"
)

func TestWhatWasTakenFromHosts(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		jobstest.TestHostFiles(t, func(t *testing.T) jobs.HostFiles { return open(t, fresh(t)) })
	})
}

func TestKeysOfRows(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		jobstest.TestRowBatches(t, func(t *testing.T) jobs.RowBatches { return open(t, fresh(t)) })
	})
}
