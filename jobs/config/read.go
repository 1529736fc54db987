package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concord/formats/dialect"
	"concord/formats/yamltree"
)

// style is what messages say of configurations.
var style = yamltree.Style{Kind: "configuration", Example: "data: /var/lib/concord", Manual: "concord config example"}

const maxFile = 1 << 20 // bytes, of a configuration, a profile or a file of keys

// Load reads a configuration and all that it names, and checks it as a whole.
// The error holds everything that is wrong, each a *yamltree.Fault, joined.
func Load(path string) (*Config, error) {
	data, err := readFile(path, maxFile, public)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return parse(path, dir, data, os.LookupEnv)
}

func parse(path, dir string, data []byte, env func(string) (string, bool)) (*Config, error) {
	doc, root := yamltree.Read(path, data, style)
	r := &reader{
		c: &Config{File: path}, root: root, dir: dir, env: env,
		keys: map[string]string{}, tokensOf: map[[32]byte]string{}, hosts: map[string]string{}, profiles: map[string]*profile{},
	}
	if root.Kind == yamltree.Object {
		r.read()
	}
	if err := errors.Join(doc.Err(), errors.Join(r.elsewhere...)); err != nil {
		return nil, err
	}
	return r.c, nil
}

// reader fills a configuration from a tree.
type reader struct {
	c    *Config
	root *yamltree.Node
	dir  string // of the configuration, absolute
	env  func(string) (string, bool)
	zone *time.Location // of jobs and expected files that name none

	keys      map[string]string // by key: whose it is
	hosts     map[string]string // by address, user and folder: who is taken from there
	tokensOf  map[[32]byte]string
	profiles  map[string]*profile
	elsewhere []error // faults of other files

	identityPath string // of encryption.identity_file
	pgpPath      string // of pgp.key_file
}

// profile is one that was read, also when it is broken.
type profile struct {
	*dialect.Profile
	sum  string
	text []byte
	bad  bool
}

func (r *reader) read() {
	if y, ok := r.root.Get("zone"); ok {
		r.zone = y.Zone()
	}
	set := map[string]func(*yamltree.Node){
		"data": func(y *yamltree.Node) { r.c.Data = r.folder(y, "/var/lib/concord") },
		"zone": func(*yamltree.Node) {},
		"sftp": r.sftp,
		"http": r.http,

		"carrier_http": r.carrierHTTP,
		"encryption":   r.encryption,
		"pgp":          r.pgp,
		"alerts":       r.alerts,
		"microsoft":    r.microsoft,
		"carriers":     r.carriers,
		"jobs":         r.jobs,
		"runs":         r.runs,
		"privacy":      r.privacy,
		"retention":    r.retention,
		"users":        r.users,
		"oidc":         r.oidc,
	}
	r.secretKeys(set, "database", &r.c.Database, r.database)
	r.c.SFTP.Listen, r.c.HTTP.Listen = defaultSFTP, defaultHTTP
	r.c.Runs = Runs{Workers: 2, PerCarrier: 1, Memory: 256 << 20}
	r.root.Each(set)
	if !r.root.Has("data") {
		r.root.Report("data: required; name the folder in which everything is kept, such as /var/lib/concord")
	}
	if r.c.Microsoft == "" && r.c.Data != "" {
		r.c.Microsoft = filepath.Join(r.c.Data, "microsoft")
	}
	r.together()
}

// leastKey is how long the key of pseudonyms is at the least: a short one is
// guessed.
const leastKey = 16

// privacy takes what makes pseudonyms.
func (r *reader) privacy(y *yamltree.Node) {
	set := map[string]func(*yamltree.Node){}
	r.secretKeys(set, "key", &r.c.PrivacyKey, nil)
	y.Each(set)
	if n := len(r.c.PrivacyKey.Reveal()); n > 0 && n < leastKey {
		y.Report("key: has %d characters; take one of at least %d, such as openssl rand -hex 32 prints", n, leastKey)
	}
}

// together judges settings beside each other, and notes what is hardly meant.
func (r *reader) together() {
	if y, ok := r.root.Get("database_file"); ok && r.c.Database != "" {
		r.checkDatabase(y)
	}
	if y, ok := r.root.Get("database_env"); ok && r.c.Database != "" {
		r.checkDatabase(y)
	}
	if c := r.c; c.SFTP.Listen != "" && clash(c.SFTP.Listen, c.HTTP.Listen) {
		r.root.ReportAt("http.listen", "%s is taken by sftp.listen; choose another port", c.HTTP.Listen)
	}
	for _, other := range []string{r.c.SFTP.Listen, r.c.HTTP.Listen} {
		if other != "" && clash(other, r.c.CarrierHTTP.Listen) {
			r.root.ReportAt("carrier_http.listen", "%s is taken by another server; choose another port", r.c.CarrierHTTP.Listen)
		}
	}
	r.checkEncryption()
	r.checkPGP()
	r.checkGraph()
	r.checkMicrosoftHosts()
	r.checkNumbers()
	r.checkCalls()
	r.checkJobs()
	r.checkRetention()
	r.checkUsers()
	r.notes()
}

func (r *reader) notes() {
	if len(r.c.Carriers) == 0 {
		r.note(r.root, "no carriers: nobody can send anything")
	}
	collected, reconciled, numbered, called := r.served(Collect), r.served(Reconcile), r.served(Numbers), r.served(Calls)
	carriers, _ := r.root.Get("carriers")
	for _, c := range r.c.Carriers {
		y, _ := carriers.Get(c.Name)
		switch served := r.c.CarrierHTTP.Listen != ""; {
		case c.LogsIn() || c.Host != nil || served && len(c.Tokens) > 0:
		case len(c.Tokens) > 0:
			r.note(y, "has tokens only, and there is no carrier_http: its files cannot arrive")
		default:
			r.note(y, "has no key, no password and no host: its files cannot arrive")
		}
		if c.Host != nil && !collected[c.Name] {
			r.note(y, "no job of kind collect is for this carrier: nothing is ever taken from its host")
		}
		if numbered[c.Name] && !c.LogsIn() && (c.Host == nil || c.Host.Outbox == "") {
			r.note(y, "a job of kind numbers is for this carrier, which has no key, no password and no host.outbox: its numbers stay here")
		}
		if r.delivers(c) && !c.fetches(r.c) {
			r.note(y, "reports are delivered to this carrier, which has no key, no password, no token and no host.outbox: they stay here")
		}
		if called[c.Name] && !c.fetches(r.c) {
			r.note(y, "a job of kind calls is for this carrier, which has no key, no password, no token and no host.outbox: its calls stay here")
		}
		if !reconciled[c.Name] {
			r.note(y, "no job of kind reconcile is for this carrier: its files are kept, and compared with nothing")
		}
	}
}

// delivers reports whether reports go to a carrier.
func (r *reader) delivers(c *Carrier) bool {
	return slices.ContainsFunc(r.c.Jobs, func(j *Job) bool { return j.Deliver && slices.Contains(r.c.CarriersOf(j), c) })
}

func (r *reader) note(y *yamltree.Node, text string) {
	r.c.Notes = append(r.c.Notes, y.Fault("%s", text))
}

// served returns the carriers that a job of a kind is for.
func (r *reader) served(kind JobKind) map[string]bool {
	all := make(map[string]bool)
	for _, j := range r.c.Jobs {
		if j.Kind != kind {
			continue
		}
		for _, c := range r.c.CarriersOf(j) {
			all[c.Name] = true
		}
	}
	return all
}

func (r *reader) microsoft(y *yamltree.Node) {
	if !y.IsObject("{folder: /srv/microsoft, graph: …}") {
		return
	}
	y.Each(map[string]func(*yamltree.Node){
		"folder":  func(y *yamltree.Node) { r.c.Microsoft = r.folder(y, "/srv/microsoft") },
		"numbers": func(y *yamltree.Node) { r.c.Numbers = r.folder(y, "/srv/microsoft-numbers") },
		"calls":   func(y *yamltree.Node) { r.c.Calls = r.folder(y, "/srv/microsoft-calls") },
		"graph":   r.graph,
		"hosts":   r.microsoftHosts,
	})
}

// checkNumbers sees that listings of several carriers do not lie where those of
// one are, and that no two carriers are called the same in them.
func (r *reader) checkNumbers() {
	owner := make(map[string]string)
	for _, c := range r.c.Carriers {
		if own := filepath.Join(r.c.Microsoft, c.Name); r.c.Numbers == own || strings.HasPrefix(r.c.Numbers, own+string(filepath.Separator)) {
			r.root.ReportAt("microsoft.numbers", "lies in the folder of Microsoft's files about %s; name another one", c.Name)
		}
		for _, o := range c.Operators {
			o = strings.ToLower(o)
			if other, is := owner[o]; is && other != c.Name {
				r.root.ReportAt("carriers."+c.Name+".operators", "%s is an operator of %s, too; each would be sent the other's numbers", o, other)
			}
			owner[o] = c.Name
		}
	}
}

// fetches reports whether what is in the carrier's outbox can reach it.
func (c *Carrier) fetches(all *Config) bool {
	return c.LogsIn() || len(c.Tokens) > 0 && all.CarrierHTTP.Listen != "" || c.Host != nil && c.Host.Outbox != ""
}

// checkCalls sees that files of several carriers do not lie where those of one
// are, and that no two carriers are called the same in them.
func (r *reader) checkCalls() {
	at := r.c.Calls
	if at == "" && len(r.served(Calls)) == 0 {
		return
	}
	for what, other := range map[string]string{"microsoft.folder": r.c.Microsoft, "microsoft.numbers": r.c.Numbers} {
		if inFolder(at, other) || inFolder(other, at) {
			r.root.ReportAt("microsoft.calls", "lies in the folder of %s, or that one in it; name another one", what)
		}
	}
	owner := make(map[string]string)
	for _, c := range r.c.Carriers {
		for _, name := range r.c.NamesOf(c.Name) {
			if other, is := owner[name]; is {
				r.root.ReportAt("carriers."+c.Name+".operators", "%s is a name of %s, too; each would be sent the other's calls", name, other)
			}
			owner[name] = c.Name
		}
	}
}

// inFolder reports whether a folder is another one or lies in it.
func inFolder(folder, in string) bool {
	return in != "" && folder != "" && (folder == in || strings.HasPrefix(folder, in+string(filepath.Separator)))
}

// runs reads the bounds of what is done at once.
func (r *reader) runs(y *yamltree.Node) {
	if !y.IsObject("{workers: 2, per_carrier: 1, memory: 256MiB}") {
		return
	}
	const least, most = 16 << 20, 1 << 40 // bytes
	y.Each(map[string]func(*yamltree.Node){
		"workers":     func(y *yamltree.Node) { r.c.Runs.Workers = int(y.Whole(1, 256)) },
		"per_carrier": func(y *yamltree.Node) { r.c.Runs.PerCarrier = int(y.Whole(1, 256)) },
		"memory": func(y *yamltree.Node) {
			if r.c.Runs.Memory = y.Size(most); r.c.Runs.Memory < least {
				y.Report("is too little for a run; write at least 16MiB")
			}
		},
	})
}

// names calls a func for every name of an object of carriers or jobs, in the
// order of the file.
func (r *reader) names(y *yamltree.Node, example string, take func(name string, y *yamltree.Node)) {
	if y.Kind == yamltree.Empty || !y.IsObject(example) {
		return
	}
	seen := make(map[string]string)
	for _, k := range y.Keys {
		if reason := badName(k.Name); reason != "" {
			k.Value.Report("%s", reason)
			continue
		}
		folded := strings.ToLower(k.Name)
		if other, is := seen[folded]; is {
			k.Value.Report("differs from %s by capital letters only; some disks take both for one: choose another name", other)
			continue
		}
		seen[folded] = k.Name
		if k.Value.IsObject(example) {
			take(k.Name, k.Value)
		}
	}
}

const maxName = 32

// badName returns why a name cannot be one of a carrier or a job, which are
// names of folders, too; "" when it can.
func badName(name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	switch {
	case name == "" || len(name) > maxName || strings.Trim(name, letters+"_-") != "" || !strings.Contains(letters, name[:1]):
		return fmt.Sprintf("is no name; write up to %d letters, digits, - and _, beginning with a letter or a digit", maxName)
	case deviceName(strings.ToLower(name)):
		return "is the name of a device on some systems; choose another one"
	}
	return ""
}

// deviceName reports names that Windows keeps for itself in every folder.
func deviceName(name string) bool {
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	numbered := strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")
	return numbered && len(name) == 4 && name[3] >= '0' && name[3] <= '9'
}

// CheckName returns what is wrong with the name of a carrier or a job.
func CheckName(name string) error {
	if reason := badName(name); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// lasting returns a length of time that is more than nothing; 0 when it is
// none.
func lasting(y *yamltree.Node, example string, most time.Duration) time.Duration {
	before := y.Doc().Faults()
	d := y.Duration(example)
	if y.Doc().Faults() > before {
		return 0
	}
	if d <= 0 || d > most {
		y.Report("%s is out of bounds; write more than 0s and at most %s, such as %s", y.Text, most, example)
		return 0
	}
	return d
}
