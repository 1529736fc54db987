package landing

import (
	"encoding/json"
	"time"
)

// Status is the first thing that a receipt says.
type Status string

// The words of a receipt. They are a contract with carriers.
const (
	StatusAccepted  Status = "accepted"
	StatusPartly    Status = "accepted with rejected rows"
	StatusDuplicate Status = "duplicate"
	StatusRejected  Status = "rejected"
)

// Receipt is what a carrier is told about one file. PROTOCOL.md explains its
// fields.
type Receipt struct {
	File   string `json:"file"` // below inbox/, with slashes
	Status Status `json:"status"`
	SHA256 string `json:"sha256,omitempty"` // hex
	Bytes  int64  `json:"bytes"`
	// ContentSHA256 and ContentBytes are those of what was decrypted; empty: the
	// file was not encrypted, or could not be opened.
	ContentSHA256 string `json:"content_sha256,omitempty"` // hex
	ContentBytes  int64  `json:"content_bytes,omitempty"`

	Rows     int64 `json:"rows"`
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`
	// Filtered are rows that the carrier's profile leaves out.
	Filtered int64 `json:"filtered,omitempty"`
	// Seconds is the sum of the accepted durations, a decimal number.
	Seconds json.Number `json:"seconds"`
	Reasons []Reason    `json:"reasons,omitempty"`
	// MoreReasons counts rejected rows that are not listed in Reasons.
	MoreReasons int64 `json:"more_reasons,omitempty"`
	// Integrity is "verified" when control totals, a checksum sent beside the
	// file or checksums inside it agree, else "unverified".
	Integrity string `json:"integrity,omitempty"`
	Sequence  *int64 `json:"sequence,omitempty"`
	// Missing are the sequence numbers between the last file's and this one's
	// that have not arrived.
	Missing []Range `json:"missing_sequences,omitempty"`
	// Replaces is the file that this one corrects.
	Replaces string `json:"replaces,omitempty"`
	// DuplicateOf is the file whose content this one repeats.
	DuplicateOf string    `json:"duplicate_of,omitempty"`
	Notes       []string  `json:"notes,omitempty"`
	Received    time.Time `json:"received"` // when the upload ended, UTC
	Time        time.Time `json:"time"`     // when it was decided, UTC
	Run         string    `json:"run"`
}

// Reason says what is wrong with a file, or with one row of it.
type Reason struct {
	Line   int64  `json:"line,omitempty"`      // physical line of a text
	Group  int64  `json:"row_group,omitempty"` // of a Parquet file, from 1
	Row    int64  `json:"row,omitempty"`       // data row, from 1
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// Range is a run of sequence numbers, both ends included.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}
