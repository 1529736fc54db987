package jobs

import "errors"

// SubjectFound is what is kept about a phone number.
type SubjectFound struct {
	Items []SubjectItem `json:"items"`
	// Unread says what could not be looked into.
	Unread []string `json:"unread"`
}

// SubjectItem is one thing that holds the number. No field holds the number
// itself.
type SubjectItem struct {
	Store   string   `json:"store"`
	ID      string   `json:"id,omitempty"` // of the file or report; of other things there is none
	Carrier string   `json:"carrier,omitempty"`
	Name    string   `json:"name,omitempty"` // with numbers masked
	Days    []string `json:"days,omitempty"` // of its calls
	Rows    int64    `json:"rows"`           // calls, or how often the number stands there
	Reports []string `json:"reports,omitempty"`
}

// ErrNoKey says that there is no key to make pseudonyms with.
var ErrNoKey = errors.New("there is no key: set privacy.key_file or privacy.key_env to one of at least 16 characters, " +
	"which is kept outside of the data folder and its backups")
