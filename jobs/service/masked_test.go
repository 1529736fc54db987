package service

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestALogIsMaskedWhateverIsWrittenToIt(t *testing.T) {
	const number = "4930199988877"
	var out bytes.Buffer
	log := slog.New(masked{slog.NewJSONHandler(&out, nil)})
	log.With("file", number+".csv").WithGroup("g").Error("+"+number, "error", errors.New("open "+number), "n", 7, slog.Group("in", "name", number))
	if s := out.String(); strings.Contains(s, number) || strings.Count(s, "…8877") != 4 || !strings.Contains(s, `"n":7`) {
		t.Error(s)
	}
}
