package state_test

import (
	"testing"

	"concord/jobs/jobstest"
	"concord/jobs/state"
)

func TestPurges(t *testing.T) {
	contract(t, func(s *state.Store) jobstest.Keeper { return s }, jobstest.TestPurges)
}
