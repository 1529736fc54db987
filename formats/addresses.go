package formats

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"concord/engine"
	"concord/formats/dialect"
)

// Fields of a list of users.
const (
	addressUser = iota
	addressSIP
)

// addressColumns are the columns of a list of users, of Teams PowerShell and of
// Microsoft Graph. Nothing else in it is read.
func addressColumns() []numberColumn {
	return []numberColumn{
		{addressUser, []string{"targetid", "externaldirectoryobjectid", "aadobjectid", "objectid", "identity", "id"}},
		{addressSIP, []string{"sipuri", "sipaddress", "sipproxyaddress", "imaddresses"}},
	}
}

// ReadAddresses reads a list of users in any of the forms of a listing, and
// returns the SIP URIs by the ids of the users, in small letters. Microsoft's
// listings of numbers name users by their ids only. Users without an address,
// or with one that is none, are left out; of a user who is there twice the
// first row counts. More than most users are an error.
func ReadAddresses(ctx context.Context, in Input, limits dialect.Limits, most int) (_ map[string]string, err error) {
	opts := &Options{Limits: limits}
	opts.Limits = opts.limits()
	j := &job{Input: in, side: engine.Microsoft, opts: opts}
	names := newNumberNames(addressColumns())
	rows, err := openNumberRows(j, names)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	if names.columns != nil && (!names.has(addressUser) || !names.has(addressSIP)) {
		return nil, j.errorf(foundColumns(names.columns), "it lists no users: it has no column of their ids, such as Identity, or none of their addresses, SipAddress")
	}
	users := make(map[string]string)
	info := FileInfo{Name: in.Name}
	for {
		row, err := rows.next(ctx)
		if errors.Is(err, io.EOF) {
			return users, rows.finish(ctx, &info)
		}
		if err != nil {
			return nil, err
		}
		if info.Rows++; row.at.Reason != "" {
			continue
		}
		id, uri := addressOf(names, row.fields)
		if _, there := users[id]; id != "" && uri != "" && !there {
			users[id] = uri
		}
		if len(users) > most {
			return nil, j.errorf("", "it lists more than %d users", most)
		}
	}
}

// addressOf returns the user of a row and the SIP URI; empty: there is none.
func addressOf(names *numberNames, fields [][]byte) (id, uri string) {
	user, address := names.pick(fields, addressUser), names.pick(fields, addressSIP)
	address = bytes.Trim(address, `[]{}" `)
	if i := bytes.IndexAny(address, `",; `); i >= 0 { // the first of a list
		address = address[:i]
	}
	if badFact(user) != "" || badFact(address) != "" {
		return "", ""
	}
	uri, ok := sipOf(string(address))
	if !ok {
		return "", ""
	}
	return strings.ToLower(string(user)), uri
}
