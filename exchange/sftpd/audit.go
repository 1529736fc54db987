package sftpd

import "time"

// Act is what an audit line is about.
type Act string

const (
	ActLogin    Act = "login"
	ActLogout   Act = "logout"
	ActRefused  Act = "refused" // a login, or something a client asked for
	ActBan      Act = "ban"
	ActUpload   Act = "upload"
	ActDownload Act = "download"
	ActRename   Act = "rename"
	ActRemove   Act = "remove"
	ActMkdir    Act = "mkdir"
	ActRmdir    Act = "rmdir"
	ActFault    Act = "fault" // a defect of the server, or of its disk
)

// Event is one line of the audit. Names are as the client wrote them, and may
// hold any byte.
type Event struct {
	Time    time.Time
	Act     Act
	Carrier string // empty before the login
	Address string
	Client  string // the program, as it calls itself
	Session string // tells sessions apart
	Name    string
	To      string // of a rename
	Bytes   int64  // of a transfer
	Why     string // of a refusal or fault; what the client was told, or more
}
