package jobstest

import (
	"testing"

	"concord/jobs"
)

func TestChain(t *testing.T) {
	TestProofs(t, func(*testing.T) jobs.Proofs { return new(Chain) }, nil)
}
