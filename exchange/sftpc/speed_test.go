package sftpc_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

// roundTrip is the distance to a carrier in the same country, give or take.
const roundTrip = 20 * time.Millisecond

const benchSize = 128 << 20

func BenchmarkPushAt20ms(b *testing.B) {
	content := exchangetest.Content(benchSize)
	far(b, func(b *testing.B, c exchange.Remote) {
		for b.Loop() {
			if err := exchange.Publish(b.Context(), c, "f", bytes.NewReader(content), benchSize); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPullAt20ms(b *testing.B) {
	content := exchangetest.Content(benchSize)
	far(b, func(b *testing.B, c exchange.Remote) {
		if err := c.Put(b.Context(), "f", bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
		seen, err := c.Stat(b.Context(), "f")
		for b.Loop() && err == nil {
			_, err = exchange.Fetch(b.Context(), c, "f", seen, io.Discard, 0)
		}
		if err != nil {
			b.Fatal(err)
		}
	})
}

// far runs a benchmark on every host at a distance. Real time passes.
func far(b *testing.B, run func(b *testing.B, c exchange.Remote)) {
	for name, start := range hosts {
		for _, rtt := range []time.Duration{0, roundTrip} {
			b.Run(fmt.Sprintf("host=%s/rtt=%v", name, rtt), func(b *testing.B) {
				c := start(b, exchangetest.NewNetwork(rtt/2)).connect(b)
				b.SetBytes(benchSize)
				run(b, c)
			})
		}
	}
}
