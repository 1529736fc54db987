package config

import (
	"path"
	"slices"
	"strings"
	"time"

	"concord/exchange/sftpc"
	"concord/formats/yamltree"
)

// MicrosoftHost is an SFTP host from which Microsoft's files are taken.
type MicrosoftHost struct {
	Name    string // of the folders here, too
	Dial    sftpc.Config
	Folder  string        // there; empty: no call records are taken
	Carrier string        // whose all of Folder is; empty: it has a subfolder for each carrier
	Numbers string        // folder there of listings of several carriers' numbers; empty: none are taken
	Done    string        // folder there for what was taken; empty: it stays
	Every   time.Duration // between two looks

	Password Secret // as Dial gives it; empty: none
}

const exampleMicrosoftHost = "{programme: {address: sftp.example.com, user: concord, key_file: secrets/programme, host_keys: [SHA256:…], folder: /out}}"

// microsoftHosts reads the hosts of Microsoft's side.
func (r *reader) microsoftHosts(y *yamltree.Node) {
	r.names(y, exampleMicrosoftHost, func(name string, y *yamltree.Node) {
		switch strings.ToLower(name) {
		case "numbers", "quality", "graph", "shared":
			y.Report("is the name of another folder of Microsoft's files; choose another one")
		}
		r.c.MicrosoftHosts = append(r.c.MicrosoftHosts, r.microsoftHost(name, y))
	})
	slices.SortFunc(r.c.MicrosoftHosts, func(a, b *MicrosoftHost) int { return strings.Compare(a.Name, b.Name) })
}

func (r *reader) microsoftHost(name string, y *yamltree.Node) *MicrosoftHost {
	h := &MicrosoftHost{Name: name, Every: 5 * time.Minute}
	set := map[string]func(*yamltree.Node){
		"folder":  func(y *yamltree.Node) { h.Folder = remoteFolder(y, "/out") },
		"carrier": func(y *yamltree.Node) { h.Carrier, _ = y.Word("fabrikam") },
		"numbers": func(y *yamltree.Node) { h.Numbers = remoteFolder(y, "/numbers") },
		"done":    func(y *yamltree.Node) { h.Done = remoteFolder(y, "/done") },
		"every":   func(y *yamltree.Node) { h.Every = lasting(y, "5m", day) },
	}
	r.dial(y, set, &h.Dial, &h.Password)
	if !hasAny(y, "folder", "numbers") {
		y.ReportAt("folder", "required, or numbers: name the folder there with a subfolder for each carrier, or, with carrier, that of one; . is the one that a login begins in")
	}
	if h.Carrier != "" && h.Folder == "" && !y.Has("folder") {
		y.ReportAt("carrier", "has no meaning without folder; remove it")
	}
	h.checkFolders(y)
	r.onlyTaker("microsoft.hosts."+name, y, "folder", &h.Dial, h.Folder)
	r.onlyTaker("microsoft.hosts."+name, y, "numbers", &h.Dial, h.Numbers)
	return h
}

// checkFolders sees that folders there can be told from each other: one in
// another is left out when that is looked through.
func (h *MicrosoftHost) checkFolders(y *yamltree.Node) {
	folders := []struct{ name, value string }{{"folder", h.Folder}, {"numbers", h.Numbers}, {"done", h.Done}}
	for i, f := range folders {
		for _, other := range folders[:i] {
			switch {
			case f.value == "" || other.value == "":
			case path.IsAbs(f.value) != path.IsAbs(other.value):
				y.ReportAt(f.name, "and %s: write both from the root, with a slash, or both from where a login begins; else one is not found in the other", other.name)
			case f.value == other.value:
				y.ReportAt(f.name, "is %s, too; name another folder", other.name)
			case f.name == "done" && within(other.value, f.value), f.name == "numbers" && within(other.value, f.value):
				y.ReportAt(f.name, "holds %s; name another folder", other.name)
			}
		}
	}
}

// within reports whether a folder lies in another one.
func within(folder, in string) bool {
	return in == "." && !path.IsAbs(folder) || strings.HasPrefix(folder, strings.TrimSuffix(in, "/")+"/")
}

// checkMicrosoftHosts sees that there is a place for what is taken.
func (r *reader) checkMicrosoftHosts() {
	for _, h := range r.c.MicrosoftHosts {
		at := "microsoft.hosts." + h.Name
		if _, ok := r.c.Carrier(h.Carrier); !ok && h.Carrier != "" {
			r.root.ReportAt(at+".carrier", "%q is no carrier of this configuration", h.Carrier)
		}
		if h.Numbers != "" && r.c.Numbers == "" {
			r.root.ReportAt(at+".numbers", "needs microsoft.numbers: the folder here for listings of several carriers' numbers")
		}
	}
}

func (h *MicrosoftHost) settings() []setting {
	return []setting{
		{"host", dialText(&h.Dial, h.Password)},
		{"folder", h.Folder},
		{"carrier", h.Carrier},
		{"numbers", h.Numbers},
		{"done", h.Done},
		{"every", h.Every.String()},
	}
}
