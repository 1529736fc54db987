package sftpd_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"

	"github.com/pkg/sftp"
)

const benchSize = 64 << 20

func benchClient(b *testing.B) *sftp.Client {
	b.Helper()
	site := newSite(b, exchangetest.SiteOptions{Terms: landing.Terms{MaxFiles: 1 << 30}})
	return open(b, login(b, site, carrier), sftp.UseConcurrentWrites(true), sftp.UseConcurrentReads(true))
}

// The client of these benchmarks is in the same process, and takes as much time
// as the server.
func BenchmarkPut(b *testing.B) {
	c := benchClient(b)
	content := make([]byte, benchSize)
	b.SetBytes(benchSize)
	for b.Loop() {
		f, err := c.Create("inbox/a.csv")
		must(b, err)
		_, err = f.ReadFrom(bytes.NewReader(content))
		must(b, err)
		must(b, f.Close())
	}
}

func BenchmarkGet(b *testing.B) {
	c := benchClient(b)
	must(b, put(c, "inbox/a.csv", make([]byte, benchSize)))
	b.SetBytes(benchSize)
	for b.Loop() {
		f, err := c.Open("inbox/a.csv")
		must(b, err)
		_, err = io.Copy(io.Discard, f)
		must(b, err)
		must(b, f.Close())
	}
}

func BenchmarkSmallFiles(b *testing.B) {
	c := benchClient(b)
	n := 0
	for b.Loop() {
		n++
		must(b, put(c, fmt.Sprintf("inbox/%d.csv", n%1000), []byte("one line\n")))
	}
}

func BenchmarkStat(b *testing.B) {
	c := benchClient(b)
	for b.Loop() {
		_, err := c.Stat("inbox")
		must(b, err)
	}
}
