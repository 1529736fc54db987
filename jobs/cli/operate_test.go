package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"concord/jobs/api"
)

// makeOld makes files look as if nobody had changed them for an hour: aged FILE…
func makeOld(ts *testscript.TestScript, _ bool, args []string) {
	then := time.Now().Add(-time.Hour)
	for _, name := range args {
		ts.Check(os.Chtimes(ts.MkAbs(name), then, then))
	}
}

// takeField sets a variable to a field of the first JSON object of the last
// output: field VARIABLE NAME.
func takeField(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	ts.Check(json.NewDecoder(strings.NewReader(ts.ReadFile("stdout"))).Decode(&object))
	value, ok := object[args[1]]
	if !ok {
		ts.Fatalf("the output has no %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// untilRunning waits until a service answers on a data folder: running DIR.
func untilRunning(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := api.DialLocal(ctx, ts.MkAbs(args[0]))
		if err == nil {
			ts.Check(c.Close())
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("no service: %v", err)
		case <-tick.C:
		}
	}
}
