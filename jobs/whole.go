package jobs

import (
	"strings"

	"concord/exchange/landing"
	"concord/formats"
)

// proof says how it is known that a file is whole.
type proof string

const (
	proofContent proof = "content" // it has an end of its own
	proofVouched proof = "vouched" // its sender says so
	proofClosed  proof = "closed"  // its upload ended where no broken-off one does, behind a line
)

// standing is what can be said of a file before anything else that the
// carrier sent is looked at.
type standing struct {
	proof proof  // how it is known to be whole; empty: it is not
	more  bool   // more of it may come
	why   string // why it cannot be taken; empty: it can
}

const (
	whyDoubtful = "the upload ended where a broken-off one would, and nothing in the file says that it is whole: " +
		"rename it when it is complete, send NAME.done or NAME.sha256, or send it once more"
	whyUnended = "its last line has no line end, so that more of it may be on the way: end the last line, " +
		"rename the file when it is complete, send NAME.done or NAME.sha256, or send it once more"
	whyEmpty = "it is empty; a file with nothing to report has a header, or a sequence number in its name"
	// whyNoTrailer is about a line that the carrier's profile promises.
	whyNoTrailer = "the line of control totals is missing, so that rows may be, too: send the whole file again"
)

// standing judges what was found in a file: first by what only the content
// can say, then by what is known of the upload. numbered says that its name
// holds a sequence number.
func (i *Inspection) standing(trust landing.Trust, numbered bool) standing {
	s := i.byContent(trust, numbered)
	if s.more && trust == landing.Vouched {
		// Its sender has said that nothing more will come.
		s.more = false
	}
	return s
}

func (i *Inspection) byContent(trust landing.Trust, numbered bool) standing {
	why := i.why()
	switch {
	case i.is(func(f Fault) bool { return f.Empty }):
		return i.emptyStanding(trust, numbered)
	case i.is(func(f Fault) bool { return f.Incomplete }):
		return standing{more: true, why: why}
	case why != "" && !i.Finished:
		return standing{why: why}
	case i.Trailer == formats.TrailerMissing:
		return standing{more: true, why: whyNoTrailer}
	case i.OwnEnd || i.Trailer == formats.TrailerAgrees && i.LastLineEnded:
		return standing{proof: proofContent, why: why}
	case trust == landing.Vouched:
		return standing{proof: proofVouched, why: why}
	case trust == landing.Closed && (i.LastLineEnded || i.Trailer == formats.TrailerAgrees):
		return standing{proof: proofClosed, why: why}
	case trust == landing.Closed:
		return standing{more: true, why: whyUnended}
	}
	return standing{more: true, why: whyDoubtful}
}

// emptyStanding judges a file without a byte of content, which under a
// sequence number says that there was nothing to report.
func (i *Inspection) emptyStanding(trust landing.Trust, numbered bool) standing {
	more := i.is(func(f Fault) bool { return f.Incomplete })
	switch {
	case !numbered:
		return standing{more: more, why: whyEmpty}
	case !more:
		return standing{proof: proofContent}
	case trust == landing.Vouched:
		return standing{proof: proofVouched}
	case trust == landing.Closed:
		return standing{proof: proofClosed}
	}
	return standing{more: true, why: whyDoubtful}
}

func (i *Inspection) is(what func(Fault) bool) bool {
	for _, f := range i.Faults {
		if what(f) {
			return true
		}
	}
	return false
}

// why returns all faults as one reason.
func (i *Inspection) why() string {
	list := make([]string, len(i.Faults))
	for n, f := range i.Faults {
		list[n] = f.Reason
	}
	return strings.Join(list, "; ")
}

// nothing is what is found in a file of no bytes, which no child need open.
func nothing() *Inspection {
	return &Inspection{Format: "empty", Faults: []Fault{{Reason: whyEmpty, Incomplete: true, Empty: true}}}
}
