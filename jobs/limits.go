package jobs

import (
	"time"
)

// limits bound a worker process.
type limits struct {
	// Soft is the memory that the process keeps to as long as its work
	// allows, in bytes; Hard is where it ends.
	Soft, Hard int64
	CPU        int64         // seconds of processor time where it ends
	Wall       time.Duration // when it is ended from outside
}

const (
	// softAllowance is what readers, the report and the program itself hold
	// beside the engine's budget.
	softAllowance = 80 << 20
	// hardAllowance is further room for what the collector has not yet freed
	// and for the reserves of the run-time system.
	hardAllowance = 384 << 20

	// The slowest honest input, well compressed, is decoded and matched at
	// several times this rate.
	leastTime      = 60 * time.Second
	bytesPerSecond = 128 << 10
	wallPerCPU     = 3
)

// limitsFor returns the limits of a run over inputs of so many bytes.
func limitsFor(memory, bytes int64) limits {
	cpu := leastTime + time.Duration(bytes/bytesPerSecond)*time.Second
	return limits{
		Soft: memory + softAllowance,
		Hard: memory + softAllowance + hardAllowance,
		CPU:  int64(cpu / time.Second),
		Wall: wallPerCPU * cpu,
	}
}
