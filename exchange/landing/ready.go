package landing

import (
	"io/fs"
	"time"
)

// sight is a file of the inbox as one look through it finds it.
type sight struct {
	name string // below the root
	info fs.FileInfo
	mark *mark
}

// standing is how far a file has come.
type standing struct {
	ready bool
	trust Trust
	why   string    // when not ready: what is missing
	again time.Time // when to look again at the latest; zero: when something happens
}

func notYet(why string, again time.Time) standing { return standing{why: why, again: again} }

// judge says from the outside whether a file is finished. beside reports
// whether there is a file of a name in the inbox, too.
func (t *Terms) judge(s sight, beside func(name string) bool, now time.Time) standing {
	how := arrivalOf(s.info.Mode())
	base := companionOf(s.name)
	switch {
	case how.unfinished():
		return notYet("its upload was broken off and never completed", time.Time{})
	case base != "":
		return notYet("there is no file of its name without the ending, which it could belong to", time.Time{})
	case IsTemporary(s.name):
		return notYet("its name is one of an unfinished upload, and it was never renamed", time.Time{})
	}
	if IsReserved(s.name) && how != dropped {
		return standing{ready: true, trust: Vouched}
	}
	switch t.Policy {
	case OnRename:
		return t.onRename(how)
	case OnMarker:
		return t.onCompanion(beside(s.name+doneMarker), "its done marker, the same name with .done at the end, did not come")
	case OnManifest:
		return t.onCompanion(beside(s.name+checksum), "its checksum, the same name with .sha256 at the end, did not come")
	case OnQuiet:
		return t.onQuiet(s, now)
	}
	return t.onClose(s, how, beside, now)
}

func (t *Terms) onRename(how arrival) standing {
	if how == vouched || how == dropped {
		return standing{ready: true, trust: Vouched}
	}
	return notYet("it was uploaded under its final name; upload it under a temporary one and rename it", time.Time{})
}

func (t *Terms) onCompanion(there bool, why string) standing {
	if there {
		return standing{ready: true, trust: Vouched}
	}
	return notYet(why, time.Time{})
}

func (t *Terms) onQuiet(s sight, now time.Time) standing {
	if due := s.mark.at.Add(t.Quiet); due.After(now) {
		return notYet("it has changed a short while ago", due)
	}
	return standing{ready: true, trust: Vouched}
}

func (t *Terms) onClose(s sight, how arrival, beside func(string) bool, now time.Time) standing {
	wait := t.Hold
	if how == dropped {
		wait = t.Quiet // whoever writes it may still be writing
	}
	due := s.mark.at.Add(wait)
	switch {
	case how == vouched, beside(s.name + doneMarker), beside(s.name + checksum):
		return standing{ready: true, trust: Vouched}
	case due.After(now):
		return notYet("it has changed a short while ago", due)
	case how == doubtful:
		return standing{ready: true, trust: t.ofDoubtful(s, now), again: t.emptyDue(s)}
	case how == closed:
		return standing{ready: true, trust: Closed}
	}
	return standing{ready: true, trust: Vouched}
}

// ofDoubtful trusts an empty file when its client has gone without adding to
// it.
func (t *Terms) ofDoubtful(s sight, now time.Time) Trust {
	if due := t.emptyDue(s); !due.IsZero() && !due.After(now) {
		return Closed
	}
	return Doubtful
}

func (t *Terms) emptyDue(s sight) time.Time {
	ended, over := s.mark.session.over()
	if !over || s.info.Size() > 0 {
		return time.Time{}
	}
	if ended.Before(s.mark.at) {
		ended = s.mark.at
	}
	return ended.Add(min(t.Grace, emptyWait))
}

// emptyWait is how long an empty upload may stay without being filled before it
// counts as meant.
const emptyWait = 5 * time.Second
