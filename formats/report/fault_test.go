package report_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"concord/formats/report"
)

var errInjected = errors.New("injected")

// faulty makes files that count what is done to them and fail one operation.
type faulty struct {
	ops, at int
	open    int
}

func (f *faulty) step() error {
	f.ops++
	if f.ops == f.at {
		return errInjected
	}
	return nil
}

func (f *faulty) create(string) (report.File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	f.open++
	return &faultyFile{f}, nil
}

type faultyFile struct{ *faulty }

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.step(); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *faultyFile) Sync() error { return f.step() }

func (f *faultyFile) Close() error {
	f.open--
	return f.step()
}

// A report with a hole in it must not pass for a whole one.
func TestEveryErrorOfAFileIsReported(t *testing.T) {
	for i := 1; ; i++ {
		f := &faulty{at: i}
		_, err := report.Write(context.Background(), f.create, sampleResult(), sampleOptions())
		if f.open != 0 {
			t.Errorf("operation %d failed and left %d files open", i, f.open)
		}
		if f.ops < i {
			if err != nil || i < 30 {
				t.Fatalf("%d operations were swept, the clean run says %v", i, err)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Errorf("operation %d failed, the report says %v", i, err)
		}
	}
}

func TestAnErrorOfTheRunEndsTheReport(t *testing.T) {
	f := sampleResult()
	f.fail = fmt.Errorf("scratch: %w", errInjected)
	files := &faulty{}
	if _, err := report.Write(context.Background(), files.create, f, sampleOptions()); !errors.Is(err, errInjected) || files.open != 0 {
		t.Errorf("error %v with %d files open", err, files.open)
	}
}
