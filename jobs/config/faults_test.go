package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	w := newWorld(t)
	w.write("profiles/broken.yaml", 0o644, "carrier: a\nfilez: {}\n")
	w.write("secrets/open", 0o644, "correct horse battery staple\n")
	w.write("secrets/group", 0o640, "correct horse battery staple\n")
	w.write("secrets/lines", 0o600, "one\ntwo\n")
	w.write("secrets/short", 0o600, "one\n")
	w.write("secrets/nothing", 0o600, "\n")
	w.write("keys/bad", 0o644, "# x\nssh-ed25519 AAAA\n")
	w.write("keys/private", 0o644, privateKey(t))
	w.write("keys/empty", 0o644, "# nobody\n")
	to, identity, other := agePair(t, w)
	pgpPair(t, w)
	key, carrier := publicLine(1), "carriers: {a: {"
	host := "carriers: {a: {host: {address: h, user: u, key_file: secrets/litware, host_keys: \"" + key + "\", inbox: /out"
	tenant := "carriers: {abc: {}}\nmicrosoft: {graph: {t: {tenant: 8f7c0b62-3f5e-4a7e-9d0c-2f6f0c9b1a11, client_id: 8f7c0b62-3f5e-4a7e-9d0c-2f6f0c9b1a12, secret_file: secrets/word, since: 2026-10-01"
	outside := "carriers: {abc: {}}\nmicrosoft: {hosts: {p: {address: h, user: u, key_file: secrets/litware, host_keys: \"" + key + "\""
	job := "carriers: {abc: {}}\njobs: {j: {"
	const hash = "$2a$04$8eBDk0o8BCiSZr9Wati4z.zZovebHO9xuGnIhrZoGarBW2bhD0tMe"
	for name, c := range map[string]struct{ text, want string }{
		"a key in the file":                 {"carriers: {abc: {}}\nprivacy: {key: 0123456789abcdef}", "privacy.key: a secret does not belong into this file"},
		"a key that is short":               {"carriers: {abc: {}}\nprivacy: {key_file: secrets/short}", "privacy: key: has "},
		"no key of PGP":                     {"pgp: {passphrase_file: secrets/word}", "pgp.key_file: required, or key_env"},
		"a key of PGP that is none":         {"pgp: {key_file: secrets/word}", "pgp.key_file: holds no OpenPGP key"},
		"a key of PGP that all can read":    {"pgp: {key_file: secrets/open}", "pgp.key_file: secrets/open: holds a secret, and others may read"},
		"a key of PGP beside what it opens": {"data: secrets\npgp: {key_file: secrets/pgp}", "pgp.key_file: lies in the data folder"},
		"two keys of PGP":                   {"pgp: {key_file: secrets/pgp, key_env: PGP}", "is given beside pgp.key_"},
		"a passphrase in the open":          {"pgp: {key_file: secrets/pgp, passphrase: word}", "pgp.passphrase: a secret does not belong into this file"},
		"PGP without a key of ours":         {carrier + "pgp: {required: true}}}", "carriers.a.pgp.required: needs our own key"},
		"signatures of nobody":              {"pgp: {key_file: secrets/pgp}\n" + carrier + "pgp: {signed: true}}}", "carriers.a.pgp.signed: needs keys_file"},
		"encrypted to nobody":               {carrier + "pgp: {encrypt: true}}}", "carriers.a.pgp.encrypt: needs keys_file"},
		"signed and not encrypted":          {"pgp: {key_file: secrets/pgp}\n" + carrier + "pgp: {sign: true}}}", "carriers.a.pgp.sign: needs encrypt"},
		"a private key of a carrier":        {carrier + "pgp: {keys_file: secrets/pgp}}}", "carriers.a.pgp.keys_file: holds the private key"},
		"nobody to encrypt to":              {"encryption: {identity_file: secrets/age}", "encryption.recipients: required"},
		"no recipient at all":               {"encryption: {recipients: [], identity_file: secrets/age}", "encryption.recipients: is empty"},
		"a recipient that is none":          {"encryption: {recipients: [" + to + ", age1nonsense], identity_file: secrets/age}", "encryption.recipients[2]: is no public key of age"},
		"an identity as a recipient":        {"encryption: {recipients: " + identity + ", identity_file: secrets/age}", "encryption.recipients: is an identity, which is secret"},
		"an identity in the open":           {"encryption: {recipients: " + to + ", identity: " + identity + "}", "encryption.identity: a secret does not belong into this file"},
		"no identity":                       {"encryption: {recipients: " + to + "}", "encryption.identity_file: required"},
		"an identity that all can read":     {"encryption: {recipients: " + to + ", identity_file: secrets/open}", "secrets/open: holds a secret, and others may read"},
		"an identity that is none":          {"encryption: {recipients: " + to + ", identity_file: secrets/word}", "encryption: an identity is none of age"},
		"an identity of others":             {"encryption: {recipients: " + other + ", identity_file: secrets/age}", "encryption: none of the identities belongs to a recipient"},
		"two ways to an identity":           {"encryption: {recipients: " + to + ", identity_file: secrets/age, identity_env: AGE}", "is given beside encryption.identity_"},
		"an identity beside what it opens":  {"data: secrets\nencryption: {recipients: " + to + ", identity_file: secrets/age}", "encryption.identity_file: lies in the data folder"},
		"a tenant without calls":            {tenant + "}}}", "microsoft.graph.t.operators: required, or carrier"},
		"a tenant of nobody":                {tenant + ", carrier: abd}}}", "microsoft.graph.t.carrier: \"abd\" is no carrier"},
		"an operator of nobody":             {tenant + ", operators: {Abc Tel: abd}}}}", "microsoft.graph.t.operators: \"abd\" is no carrier"},
		"an operator twice":                 {tenant + ", operators: {Abc Tel: abc, ABC TEL: abc}}}}", "differs from Abc Tel by capital letters"},
		"a list that is none":               {tenant + ", carrier: abc, lists: [pstn, sms]}}}", "microsoft.graph.t.lists: item 2 is none of pstn"},
		"a token in clear to a cloud":       {tenant + ", carrier: abc, endpoint: \"http://graph.example.com\"}}}", "microsoft.graph.t.endpoint: would send the secret in clear"},
		"a cloud that is none":              {tenant + ", carrier: abc, authority: \"https://h/path\"}}}", "microsoft.graph.t.authority: is no address of a server"},
		"a tenant that is none":             {"microsoft: {graph: {t: {tenant: contoso}}}", "microsoft.graph.t.tenant: is no id"},
		"a tenant without a secret":         {"microsoft: {graph: {t: {carrier: a}}}", "microsoft.graph.t.secret_file: required"},
		"a secret of an app in the open":    {"microsoft: {graph: {t: {secret: secretword}}}", "microsoft.graph.t.secret: a secret does not belong into this file"},
		"a first day that is none":          {"microsoft: {graph: {t: {since: yesterday}}}", "microsoft.graph.t.since: \"yesterday\" is no day"},
		"one tenant read twice":             {tenant + ", carrier: abc}, u: {tenant: 8F7C0B62-3F5E-4A7E-9D0C-2F6F0C9B1A11, client_id: 8f7c0b62-3f5e-4a7e-9d0c-2f6f0c9b1a12, secret_file: secrets/word, since: 2026-10-01, carrier: abc}}}", "microsoft.graph.u: pstn of the same tenant is read by microsoft.graph.t"},
		"a host of nothing":                 {outside + "}}}", "microsoft.hosts.p.folder: required, or numbers"},
		"a host of nobody":                  {outside + ", folder: /out, carrier: abd}}}", "microsoft.hosts.p.carrier: \"abd\" is no carrier"},
		"listings without a place":          {outside + ", numbers: /out}}}", "microsoft.hosts.p.numbers: needs microsoft.numbers"},
		"a folder and what is done":         {outside + ", folder: /out, done: /out}}}", "microsoft.hosts.p.done: is folder, too"},
		"what is done above":                {outside + ", folder: /out/new, done: /out}}}", "microsoft.hosts.p.done: holds folder"},
		"folders of two kinds":              {outside + ", folder: out, done: /out/done}}}", "microsoft.hosts.p.done: and folder: write both from the root"},
		"a host that climbs":                {outside + ", folder: ../out}}}", "microsoft.hosts.p.folder: \"../out\" is no folder"},
		"two hosts of one folder":           {outside + ", folder: /out}, q: {address: h, user: u, key_file: secrets/litware, host_keys: \"" + key + "\", folder: /out/}}}", "microsoft.hosts.q.folder: microsoft.hosts.p takes its files from there, too"},
		"a host with the name of a folder":  {"microsoft: {hosts: {numbers: {address: h}}}", "microsoft.hosts.numbers: is the name of another folder"},
		"a host called as quality rows are": {"microsoft: {hosts: {Quality: {address: h}}}", "microsoft.hosts.Quality: is the name of another folder"},
		"a host called as what is dealt":    {"microsoft: {hosts: {shared: {address: h}}}", "microsoft.hosts.shared: is the name of another folder"},
		"a host that is unknown":            {"microsoft: {hosts: {p: {address: h, user: u, key_file: secrets/litware, folder: /out}}}", "microsoft.hosts.p.host_keys: required"},
		"a host's password in the open":     {"microsoft: {hosts: {p: {password: secretword}}}", "microsoft.hosts.p.password: a secret does not belong into this file"},
		"a report of numbers":               {job + "kind: numbers, deliver: true}}", "jobs.j.deliver: has no meaning for numbers"},
		"a carrier's token in clear":        {"carrier_http: {listen: \"0.0.0.0:8443\"}", "carrier_http.listen: 0.0.0.0:8443 can be reached from outside"},
		"a server for carriers nowhere":     {"carrier_http: {behind_proxy: true}", "carrier_http.listen: required"},
		"one port for three":                {"carrier_http: {listen: \"127.0.0.1:2022\"}", "carrier_http.listen: 127.0.0.1:2022 is taken"},
		"a token as a text":                 {carrier + "tokens: abc}}", "carriers.a.tokens: is a text; write a list"},
		"a token of a carrier in the open":  {carrier + "tokens: [{name: a, sha256: secretword}]}}", "carriers.a.tokens[1].sha256: is no SHA-256"},
		"a token that ends never":           {carrier + "tokens: [{name: a, expires: soon}]}}", "carriers.a.tokens[1].expires: \"soon\" is no day"},
		"a token without a hash":            {carrier + "tokens: [{name: a}]}}", "carriers.a.tokens[1].sha256: required"},
		"one token for two carriers":        {"carriers: {b: {tokens: [{name: x, sha256: 0b16d5f0d1f4c9a7e1c9b6c3b5b6e7a4f0d9c8b7a6958473625140f1e2d3c4b5}]}, a: {tokens: [{name: x, sha256: 0b16d5f0d1f4c9a7e1c9b6c3b5b6e7a4f0d9c8b7a6958473625140f1e2d3c4b5}]}}", "carriers.a.tokens[1].sha256: is that of carriers.b.tokens[1], too"},
		"a folder that is a file":           {"data: c/../secrets/word", "data: c/../secrets/word: is a file"},
		"a password in the open":            {"database: postgres://u:secretword@h/d", "database: holds a password"},
		"a password among the parameters":   {"database: postgres://h/d?sslmode=x&password=secretword", "database: holds a password"},
		"another database":                  {"database: mysql://h/d", "database: is no address of a PostgreSQL"},
		"a variable that is not set":        {"database: \"postgres://u:${NOPE}@h/d\"", "database: the variable NOPE is not set"},
		"a variable that is none":           {"database: \"postgres://u:${secretword}@h/d\"", "database: names no variable"},
		"two databases":                     {"database: postgres://h/d\ndatabase_file: secrets/word", "database_file: is given beside database"},
		"a file without an address":         {"database_file: secrets/word", "database_file: is no address of a PostgreSQL"},
		"no port":                           {"sftp: {listen: localhost}", "sftp.listen: \"localhost\" is no address"},
		"no limit":                          {"sftp: {waiting: 0}", "sftp.waiting: \"0\" is no whole number from 1"},
		"no time":                           {"sftp: {idle: 0s}", "sftp.idle: 0s is out of bounds"},
		"a token in clear on the way":       {"http: {listen: \"0.0.0.0:80\"}", "http.listen: 0.0.0.0:80 can be reached from outside"},
		"one port for two":                  {"http: {listen: \"127.0.0.1:2022\"}", "http.listen: 127.0.0.1:2022 is taken by sftp.listen"},
		"a token instead of its hash":       {"http: {tokens: [{name: a, role: ops, sha256: secretword}]}", "http.tokens[1].sha256: is no SHA-256"},
		"an empty token":                    {"http: {tokens: [{name: a, role: ops, sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}]}", "is the hash of an empty token"},
		"a role that is none":               {"http: {tokens: [{name: a, role: root, sha256: x}]}", "http.tokens[1].role: \"root\" is none of finance, ops, admin"},
		"tokens as an object":               {"http: {tokens: {name: a}}", "http.tokens: is an object; write a list"},
		"no certificate":                    {"http: {tls: {cert: gone.crt}}", "http.tls.key: required"},
		"a certificate that is none":        {"http: {tls: {cert: secrets/word, key: secrets/word}}", "http.tls: certificate and key cannot be used together"},
		"a secret in the open":              {"alerts: {webhook: {url: \"https://h\", secret: secretword}}", "alerts.webhook.secret: a secret does not belong into this file"},
		"a secret that all can read":        {"alerts: {webhook: {url: \"https://h\", secret_file: secrets/open}}", "secrets/open: holds a secret, and others may read"},
		"a secret of several lines":         {"alerts: {webhook: {url: \"https://h\", secret_file: secrets/lines}}", "holds more than one line"},
		"a secret that is empty":            {"alerts: {webhook: {url: \"https://h\", secret_file: secrets/nothing}}", "secrets/nothing: holds nothing"},
		"a secret that is short":            {"alerts: {webhook: {url: \"https://h\", secret_file: secrets/short}}", "alerts.webhook.secret: is shorter than 16"},
		"a webhook without a secret":        {"alerts: {webhook: {url: \"ftp://h\"}}", "alerts.webhook.secret_file: required"},
		"a webhook elsewhere":               {"alerts: {webhook: {url: \"ftp://h\"}}", "alerts.webhook.url: is no address of the web"},
		"a name that leads elsewhere":       {"carriers: {../a: {}}", "carriers.../a: is no name"},
		"a name of a device":                {"carriers: {COM1: {}}", "carriers.COM1: is the name of a device"},
		"two names in one":                  {"carriers: {abc: {}, ABC: {}}", "carriers.ABC: differs from abc by capital letters only"},
		"a carrier that is a text":          {"carriers: {a: b}", "carriers.a: is a text; write an object"},
		"a profile that is not there":       {carrier + "profile: gone.yaml}}", "carriers.a.profile: gone.yaml: there is no such file"},
		"a profile of another carrier":      {carrier + "profile: profiles/fabrikam.yaml}}", "carriers.a.profile: profiles/fabrikam.yaml is the profile of fabrikam"},
		"a profile with a fault":            {carrier + "profile: profiles/broken.yaml}}", "profiles/broken.yaml:2: filez: no such key; did you mean files?"},
		"a weak key":                        {carrier + "keys: [\"" + weakLine(t) + "\"]}}", "carriers.a.keys[1]: is an RSA key of 1024 bits"},
		"a weak authority":                  {carrier + "authorities: [\"" + weakLine(t) + "\"]}}", "carriers.a.authorities[1]: is an RSA key of 1024 bits"},
		"a key with options":                {carrier + "keys: ['from=\"10.0.0.1\" " + key + "']}}", "carriers.a.keys[1]: has options"},
		"an authority among the keys":       {carrier + "keys: [cert-authority " + key + "]}}", "carriers.a.keys[1]: is an authority"},
		"two keys in one":                   {carrier + "keys: [\"" + key + "\\n" + key + "\"]}}", "carriers.a.keys[1]: is more than one line"},
		"no key at all":                     {carrier + "keys: [abc]}}", "carriers.a.keys[1]: is no public key"},
		"a fault in a file of keys":         {carrier + "keys_file: keys/bad}}", "keys/bad:2: is no public key"},
		"a private key":                     {carrier + "keys_file: keys/private}}", "keys/private:1: is a private key"},
		"a file without keys":               {carrier + "keys_file: keys/empty}}", "carriers.a.keys_file: keys/empty: holds no key"},
		"one key for two homes":             {"carriers: {b: {keys: \"" + key + "\"}, a: {keys: [\"" + key + " other\"]}}", "carriers.a.keys[1]: is a key of carriers.b, too"},
		"a password instead of its hash":    {carrier + "password_hash: secretword}}", "carriers.a.password_hash: not a password hash"},
		"a file of a password":              {carrier + "password_hash_file: secrets/word}}", "carriers.a.password_hash_file: not a password hash"},
		"a password in clear":               {carrier + "password: secretword}}", "carriers.a.password: no such key"},
		"one file larger than all":          {carrier + "files: {max_file: 2GiB, max_bytes: 1GiB}}}", "carriers.a.files.max_file: is more than max_bytes"},
		"a time that is none":               {carrier + "expected: {by: 6, zone: UTC}}}", "carriers.a.expected.by: \"6\" is no time of day"},
		"a clock that hangs nowhere":        {carrier + "expected: {by: \"06:00\"}}}", "carriers.a.expected.zone: required"},
		"a host without an address":         {carrier + "host: {user: u}}}", "carriers.a.host.address: required"},
		"a host without a user":             {carrier + "host: {address: h}}}", "carriers.a.host.user: required"},
		"a host without a key":              {carrier + "host: {address: h}}}", "carriers.a.host.key_file: required, or password_file"},
		"a host that anybody could be":      {carrier + "host: {address: h}}}", "carriers.a.host.host_keys: required"},
		"a host without folders":            {carrier + "host: {address: h}}}", "carriers.a.host.inbox: required"},
		"a port that is none":               {carrier + "host: {address: \"h:0\"}}}", "carriers.a.host.address: \"0\" is not a port"},
		"a host key that is none":           {carrier + "host: {address: h, host_keys: [\"" + key + "\", abc]}}}", "carriers.a.host.host_keys[2]: neither a public key"},
		"receipts among the files":          {carrier + "host: {inbox: /x, receipts: /x/}}}", "carriers.a.host.receipts: is inbox, too"},
		"a folder above":                    {carrier + "host: {inbox: ../x}}}", "carriers.a.host.inbox: \"../x\" is no folder"},
		"a key that is none":                {carrier + "host: {key_file: secrets/word}}}", "carriers.a.host.key_file: secrets/word: is no private key"},
		"a password of a host":              {carrier + "host: {password: secretword}}}", "carriers.a.host.password: a secret does not belong"},
		"two who take from one folder":      {host + "}}, b: " + strings.TrimPrefix(host, "carriers: {a: ") + "}}}", "carriers.b.host.inbox: carriers.a takes its files from there, too"},
		"a job of no kind":                  {job + "}}", "jobs.j.kind: required"},
		"a job of another kind":             {job + "kind: colect}}", "jobs.j.kind: \"colect\" is none of calls, collect, numbers, purge, reconcile, usage; did you mean collect?"},
		"a schedule that is none":           {job + "kind: collect, zone: UTC, schedule: \"99 25 * * *\"}}", "jobs.j.schedule: hour \"25\""},
		"a schedule that hangs nowhere":     {job + "kind: collect, schedule: \"@daily\"}}", "jobs.j.zone: required"},
		"a carrier that is not there":       {job + "kind: collect, carriers: [xyz]}}", "jobs.j.carriers[1]: there is no carrier \"xyz\""},
		"a carrier with a typing error":     {job + "kind: collect, carriers: abd}}", "jobs.j.carriers: there is no carrier \"abd\"; did you mean abc?"},
		"a carrier twice":                   {job + "kind: collect, carriers: [abc, abc]}}", "jobs.j.carriers[2]: abc is there twice"},
		"no carriers":                       {job + "kind: collect, carriers: []}}", "jobs.j.carriers: is empty"},
		"a period of no meaning":            {job + "kind: collect, period: previous_day}}", "jobs.j.period: has no meaning for collect"},
		"a period of numbers":               {job + "kind: numbers, period: previous_day}}", "jobs.j.period: has no meaning for numbers, which takes what is there"},
		"verdicts on numbers":               {job + "kind: numbers, verdicts: true}}", "jobs.j.verdicts: has no meaning for numbers, which makes no reports"},
		"verdicts on usage":                 {job + "kind: usage, verdicts: true}}", "jobs.j.verdicts: has no meaning for usage, which sums up reports"},
		"usage of no period":                {"zone: UTC\n" + job + "kind: usage, schedule: \"@monthly\"}}", "jobs.j.period: required"},
		"numbers of another kind":           {job + "kind: collect, most_removed: 10}}", "jobs.j.most_removed: has no meaning for collect"},
		"verdicts on calls":                 {job + "kind: calls, verdicts: true}}", "jobs.j.verdicts: has no meaning for calls, which makes no reports"},
		"numbers of calls":                  {job + "kind: calls, most_removed: 10}}", "jobs.j.most_removed: has no meaning for calls"},
		"calls of no time":                  {job + "kind: calls, zone: UTC, schedule: \"@daily\"}}", "jobs.j.period: required"},
		"late files of numbers":             {job + "kind: numbers, late_files: wait}}", "jobs.j.late_files: has no meaning for numbers"},
		"calls of all among those of one":   {"data: c\ncarriers: {abc: {}}\nmicrosoft: {folder: c/m, calls: c/m/abc/x}", "microsoft.calls: lies in the folder of microsoft.folder"},
		"calls among listings":              {"microsoft: {folder: c/m, numbers: c/n, calls: c/n}", "microsoft.calls: lies in the folder of microsoft.numbers"},
		"one name for two carriers' calls":  {"carriers: {abc: {operators: [ABD]}, abd: {}}\nmicrosoft: {calls: c/x}", "carriers.abd.operators: abd is a name of abc, too"},
		"more than all numbers":             {job + "kind: numbers, most_removed: 101}}", "jobs.j.most_removed: \"101\" is no whole number"},
		"an operator of two carriers":       {"carriers: {abc: {operators: [x, OP]}, abd: {operators: op}}", "carriers.abd.operators: op is an operator of abc, too"},
		"listings in a carrier's folder":    {"data: d\ncarriers: {abc: {}}\nmicrosoft: {numbers: d/microsoft/abc/numbers}", "microsoft.numbers: lies in the folder of Microsoft's files about abc"},
		"a scheduled run about nothing":     {job + "kind: reconcile, schedule: \"@daily\", zone: UTC}}", "jobs.j.period: required"},
		"a window of no meaning":            {job + "kind: collect, schedule: \"@daily\", zone: UTC, catch_up: none, catch_up_window: 1h}}", "jobs.j.catch_up_window: has no meaning for catch_up: none"},
		"to catch up with what never comes": {job + "kind: collect, catch_up: all}}", "jobs.j.catch_up: has no meaning without a schedule"},
		"a key that is not known":           {"carrier: {}", "carrier: no such key; did you mean carriers?"},
		"a key given twice":                 {"zone: UTC\nzone: UTC", "zone: is there twice, first in line 2"},
		"a deadline of what is never due":   {"zone: UTC\njobs: {j: {kind: reconcile, deadline: 1h}}", "deadline: has no meaning without a schedule"},
		"reports of a job that makes none":  {"zone: UTC\njobs: {j: {kind: collect, late_files: wait, verdicts: true}}", "verdicts: has no meaning for collect"},
		"late files in other words":         {"jobs: {j: {kind: reconcile, late_files: never}}", "rerun"},
		"a user without a role":             {"users: {ann: {password_hash: \"" + hash + "\"}}", "users.ann.role: required"},
		"a user of no role":                 {"users: {ann: {role: root}}", "users.ann.role: \"root\" is none of finance, ops, admin"},
		"a user without a password":         {"users: {ann: {role: ops}}", "users.ann.password_hash: required: write what concord user passwd ann prints"},
		"a password of a user in the open":  {"users: {ann: {role: ops, password_hash: secretword}}", "users.ann.password_hash: not a password hash; make one with concord user passwd"},
		"a user's hash in no file":          {"users: {ann: {role: ops, password_hash_file: secrets/word}}", "users.ann.password_hash_file: not a password hash"},
		"a user called like a token":        {"users: {ann: {role: ops, password_hash: \"" + hash + "\"}}\nhttp: {tokens: [{name: ann, role: ops, sha256: 0b16d5f0d1f4c9a7e1c9b6c3b5b6e7a4f0d9c8b7a6958473625140f1e2d3c4b5}]}", "users.ann: is the name of a token, too"},
		"a provider without a client":       {"oidc: {issuer: \"https://login.example.com\"}", "oidc.client_id: required"},
		"a provider without a secret":       {"oidc: {issuer: \"https://login.example.com\"}", "oidc.client_secret_file: required"},
		"a provider's secret in the open":   {"oidc: {client_secret: secretword}", "oidc.client_secret: a secret does not belong into this file"},
		"a provider in clear":               {"oidc: {issuer: \"http://login.example.com\"}", "oidc.issuer: would send the secret in clear"},
		"a provider that is no address":     {"oidc: {issuer: login}", "oidc.issuer: is no address of a provider"},
		"a console with a path":             {"oidc: {url: \"https://concord.example.com/console\"}", "oidc.url: is no address of a server"},
		"a provider that gives no role":     {"oidc: {roles: {}}", "oidc.roles: gives nobody a role"},
		"a claim that gives two roles":      {"oidc: {roles: {finance: [a], admin: [b, a]}}", "oidc.roles.finance: \"a\" is a value of oidc.roles.admin, too"},
		"a claim for no role":               {"oidc: {roles: {root: [a]}}", "oidc.roles.root"},
		"too little memory for a run":       {"runs: {memory: 1MiB}", "at least 16MiB"},
	} {
		text := c.text
		if !strings.HasPrefix(text, "data:") {
			text = "data: d\n" + text
		}
		conf, err := w.parse(text + "\n")
		if err == nil || conf != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "secretword") || strings.Contains(err.Error(), "staple") {
			t.Errorf("%s: a secret is shown: %v", name, err)
		}
	}
	w.good("data: d\nalerts: {webhook: {url: \"https://h\", secret_file: secrets/group}}\n")
	w.good("data: d\n" + host + "}}, b: {host: {address: \"h:22\", user: v, key_file: secrets/litware, host_keys: \"" + key + "\", inbox: /out}}}\n")
}

func TestTheFileItself(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "gone.yaml"): "gone.yaml: there is no such file; check the name and the folder",
		dir:                             "is a folder, not a file",
		os.DevNull:                      "is not a regular file",
	} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	w := newWorld(f)
	f.Add(Example)
	f.Add([]byte("data: d\ncarriers: {a: {keys: [\"" + publicLine(1) + "\"], host: {address: h, host_keys: [a, SHA256:x]}}}\n"))
	f.Add([]byte("data: d\ndatabase: \"postgres://${A}:${DB_PASSWORD}@h/${B}?password=${C}\"\njobs: {j: {kind: collect, carriers: [~, [a], {}], schedule: '@daily'}}\n"))
	f.Add([]byte("carriers: {a: {host: {host_keys: {}}, expected: {by: 1}, files: {hold: x}}}\njobs: {a: ~}\nhttp: {tokens: [1, {name: [], sha256: ~}], tls: {}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "/proc") || strings.Contains(string(data), "/dev") {
			return
		}
		c, err := w.parse(string(data))
		if (c == nil) == (err == nil) {
			t.Fatal("a configuration and an error, or neither")
		}
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.TrimSpace(line) == "" {
					t.Fatalf("an empty line in %q", err)
				}
			}
			return
		}
		if d := c.Diff(c); len(d.Lines()) > 0 {
			t.Fatal(d.Lines())
		}
	})
}
