package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"concord/formats"
	"concord/formats/parquetio"
)

// Check looks at the ends of a file of records, not at its rows. ErrDamaged.
func Check(r io.ReaderAt, size int64) error {
	_, err := readIndex(r, size)
	return err
}

// Holds reports whether a file of records, of either side, has calls that
// begin in [from, to). Both zero: any.
func Holds(ctx context.Context, in formats.Input, from, to time.Time) (bool, error) {
	x, err := readIndex(in.R, in.Size)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", in.Name, err)
	}
	if from.IsZero() && to.IsZero() {
		return len(x.Groups) > 0, nil
	}
	calls, _, err := openSection(in.R, &x.Calls, callColumns())
	if err == nil && calls.Groups() != len(x.Groups) {
		err = damaged("its parts do not have the rows that its index says")
	}
	for i := 0; err == nil && i < len(x.Groups); i++ {
		var held bool
		if held, err = holds(ctx, calls, i, &x.Groups[i], clamp(from), clamp(to)); held && err == nil {
			return true, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", in.Name, err)
	}
	return false, nil
}

// holds looks into one row group, if its days do not say enough.
func holds(ctx context.Context, calls *parquetio.File, n int, g *group, from, to int64) (bool, error) {
	begin, end := int64(g.First)*dayMicros, (int64(g.Last)+1)*dayMicros
	switch {
	case end <= from || to <= begin:
		return false, nil
	case from <= begin && end <= to:
		return true, nil
	}
	rows := calls.Read(n, []int{colStart}, 0, calls.GroupRows(n))
	defer rows.Close()
	for {
		k, err := rows.Next(batchRows)
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, found(err)
		}
		for i := range k {
			if s := intAt(rows.Vector(0), i); from <= s && s < to {
				return true, nil
			}
		}
	}
}
