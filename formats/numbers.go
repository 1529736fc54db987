package formats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"concord/engine"
	"concord/engine/numbers"
	"concord/formats/dialect"
)

// NumbersOptions say how a listing of number assignments is read.
type NumbersOptions struct {
	Limits dialect.Limits
	// Carrier is whose numbers are wanted; the others are passed over and
	// counted as filtered.
	Carrier string
	// Operators are what Microsoft's listings call the carrier: ids of the
	// operator or partner, or the partner's name, in any case.
	Operators []string
	// Shared says that the file is about several carriers: only rows that name
	// the carrier are its own. Else those are that name no other one.
	Shared bool
	Tenant string // of rows that name none
	Source string // given to every assignment
	AsOf   int64  // when the listing was made; nothing in it begins later
	// Addresses are the SIP URIs of users, by the ids that ReadAddresses
	// returns: of rows that name a user and no SIP URI.
	Addresses map[string]string
}

// NumbersReader reads a listing of number assignments: canonical CSV or
// Parquet, Microsoft Graph's pages of numberAssignments, or an export of Teams
// PowerShell. It holds a few rows at a time, and knows nothing of repeated
// lines.
type NumbersReader struct {
	job   *job
	rows  numberRows
	dec   *numberDecoder
	info  FileInfo
	first *engine.RowError // that was rejected
	line  int64            // of the row read last
	done  bool
}

// numberRows cuts a listing into rows.
type numberRows interface {
	// next returns the next row, whose fields are valid until the one after,
	// then io.EOF.
	next(ctx context.Context) (numberRow, error)
	// finish is called once after the last row, and tells what only a whole
	// file can. It fills in SHA256, Format, Notes and what is known of the end.
	finish(ctx context.Context, i *FileInfo) error
	close()
}

// numberRow is one row: the texts of the columns that are known, by their
// places in numberColumns. A row that cannot be cut has a reason in at.
type numberRow struct {
	at     engine.RowError
	fields [][]byte
}

// OpenNumbers looks at the head of a listing. Every error about the file is a
// *FileError. The input stays the caller's to close, after Close.
func OpenNumbers(in Input, o NumbersOptions) (*NumbersReader, error) {
	opts := &Options{Limits: o.Limits}
	opts.Limits = opts.limits()
	j := &job{Input: in, side: engine.Microsoft, opts: opts}
	names := newNumberNames(numberColumns())
	rows, err := openNumberRows(j, names)
	if err != nil {
		return nil, err
	}
	r := &NumbersReader{job: j, rows: rows, dec: newNumberDecoder(names, o)}
	r.info.Name, r.info.Bytes = in.Name, in.Size
	if err := r.judge(names); err != nil {
		rows.close()
		return nil, err
	}
	return r, nil
}

// judge refuses a listing of which no row could be given to a carrier.
func (r *NumbersReader) judge(names *numberNames) error {
	o := &r.dec.opts
	switch {
	case names.columns == nil: // pages of Graph: each row has names of its own
		if o.Shared && len(o.Operators) == 0 {
			return r.job.errorf("name the operator's id in carriers."+o.Carrier+".operators", "its rows name operators, and none is known to be %s", o.Carrier)
		}
		return nil
	case !names.has(fieldNumber):
		return r.job.errorf(foundColumns(names.columns), "it has no column telephone_number, TelephoneNumber or LineUri")
	case o.Shared && !names.has(fieldCarrier) && (!names.has(fieldOperator) || len(o.Operators) == 0):
		return r.job.errorf("add a column carrier, or name the operator's id in carriers."+o.Carrier+".operators", "no column says which numbers are those of %s", o.Carrier)
	}
	return nil
}

// Read fills in the next assignment of the carrier, then returns io.EOF. A
// *engine.RowError describes one row that cannot be read; if its line could be,
// a.Line is set and else zero. Reading may go on after it. Before io.EOF nothing
// of a file may be used: only then is it known whether it is whole.
func (r *NumbersReader) Read(ctx context.Context, a *numbers.Assignment) error {
	for !r.done {
		row, err := r.rows.next(ctx)
		if errors.Is(err, io.EOF) {
			r.done = true
			return r.finish(ctx)
		}
		if err != nil {
			return err
		}
		if r.info.Rows++; r.info.Rows > r.job.opts.Limits.Rows {
			return r.job.errorf("", "it has more than %d rows", r.job.opts.Limits.Rows)
		}
		r.line = row.at.Line
		*a = numbers.Assignment{}
		bad, mine := r.dec.decode(row, a)
		switch {
		case bad != nil:
			return r.reject(row, bad)
		case r.dec.mixed:
			return r.job.errorf("name the operator's id in carriers."+r.dec.opts.Carrier+".operators", "it holds the numbers of several operators, and nothing says which of them is %s", r.dec.opts.Carrier)
		case mine:
			r.info.Accepted++
			return nil
		}
		r.info.Filtered++
	}
	return io.EOF
}

func (r *NumbersReader) reject(row numberRow, bad *engine.RowError) error {
	bad.Row, bad.Line, bad.RowGroup = r.info.Rows, row.at.Line, row.at.RowGroup
	if r.first == nil {
		r.first = bad
	}
	r.info.Rejected++
	return bad
}

// finish judges the whole file.
func (r *NumbersReader) finish(ctx context.Context) error {
	i := &r.info
	if err := r.rows.finish(ctx, i); err != nil {
		return err
	}
	i.UnknownColumns = showNames(r.dec.names.unknown)
	i.Notes = append(i.Notes, r.dec.notes()...)
	if i.Rows == 0 {
		i.Notes = append(i.Notes, "no rows: nobody has a number")
	}
	few := i.Rejected < fewRejected && i.Accepted+i.Filtered > 0
	if share := r.job.opts.Limits.MaxRejected; !few && float64(i.Rejected) > share*float64(i.Rows) {
		return r.job.errorf("export it again", "more than %s of its rows could not be read; the first is %v", percent(share), r.first)
	}
	return io.EOF
}

// Place returns where the row that was read last stands in the file; line is 0
// where there are none.
func (r *NumbersReader) Place() (row, line int64) { return r.info.Rows, r.line }

// Info returns what is known of the file after io.EOF. Filtered counts the rows
// of others.
func (r *NumbersReader) Info() FileInfo { return r.info }

// Close releases what is held.
func (r *NumbersReader) Close() error {
	r.rows.close()
	return nil
}

// Fields of a listing beside the facts.
const (
	fieldNumber = iota
	fieldCarrier
	fieldOperator
	fieldFrom
	fieldTo
	fieldFacts // the first of numbers.FactNames
)

// numberColumn is a field and the names of the columns that may hold it, the
// most telling one first, in small letters without punctuation.
type numberColumn struct {
	field int
	names []string
}

// numberColumns lists the columns of every form of a listing. Names of users,
// such as UserPrincipalName and DisplayName, are personal data that nobody here
// needs: they are not among them.
func numberColumns() []numberColumn {
	list := []numberColumn{
		{fieldNumber, []string{"telephonenumber", "lineuri"}},
		{fieldCarrier, []string{"carrier"}},
		{fieldOperator, []string{"operatorid", "pstnpartnerid", "pstnpartnername"}},
		{fieldFrom, []string{"validfrom"}},
		{fieldTo, []string{"validto"}},
	}
	more := map[string][]string{
		"assignment_status": {"pstnassignmentstatus"},
		"capabilities":      {"capability"},
		"target_id":         {"assignmenttargetid", "assignedpstntargetid"},
		"sip_uri":           {"sipaddress"},
		"iso_country":       {"isocountrycode"},
		"acquired_on":       {"acquisitiondate"},
	}
	for i, name := range numbers.FactNames() {
		list = append(list, numberColumn{fieldFacts + i, append([]string{squashed(name)}, more[name]...)})
	}
	return list
}

// squashed is a column name as numberColumns has it: TelephoneNumber,
// telephoneNumber and telephone_number are the same.
func squashed(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// numberNames knows the places of columns by their names.
type numberNames struct {
	places  map[string]int // squashed name -> place in a row
	field   []int          // of each place
	bound   []bool         // places that the file has, when its columns are known
	columns []string       // of the file; nil: each row has its own
	unknown []string       // of the file: nobody reads them
}

func newNumberNames(columns []numberColumn) *numberNames {
	n := &numberNames{places: make(map[string]int)}
	for _, c := range columns {
		for _, name := range c.names {
			n.places[name] = len(n.field)
			n.field = append(n.field, c.field)
		}
	}
	n.bound = make([]bool, len(n.field))
	return n
}

// bind takes the names of the columns of a file, and returns the place of each;
// -1: nobody reads it.
func (n *numberNames) bind(j *job, columns []string) ([]int, error) {
	n.columns = columns
	places := make([]int, len(columns))
	for i, name := range columns {
		at, is := n.places[squashed(name)]
		switch {
		case !is:
			at = -1
			n.ignore(name)
		case n.bound[at]:
			return nil, j.errorf("remove one of them", "two columns are %s", showName(name, i))
		default:
			n.bound[at] = true
		}
		places[i] = at
	}
	return places, nil
}

// ignore notes a column that nobody reads, but for the names of users.
func (n *numberNames) ignore(name string) {
	for _, d := range append(dropped(), "targetName") {
		if squashed(d) == squashed(name) {
			return
		}
	}
	if !slices.Contains(n.unknown, name) && len(n.unknown) <= shownNames {
		n.unknown = append(n.unknown, name)
	}
}

func (n *numberNames) has(field int) bool {
	for at, bound := range n.bound {
		if bound && n.field[at] == field {
			return true
		}
	}
	return false
}

// fieldName is the canonical name of a field.
func fieldName(field int) string {
	if field >= fieldFacts {
		return numbers.FactNames()[field-fieldFacts]
	}
	return [...]string{"telephone_number", "carrier", "operator", "valid_from", "valid_to"}[field]
}

// numberNote says something of so many rows.
func numberNote(n int64, what string) string { return fmt.Sprintf("%d rows: %s", n, what) }
