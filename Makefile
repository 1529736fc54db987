# make demo, make test: the two commands of a newcomer. README.md tells more.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

GO ?= go
TOOL = $(GO) tool -modfile=tools/go.mod
BINARY = bin/concord

# The packages with goroutines of their own. Not the command line: its scripts
# run under limits of memory that the race detector's own memory breaks.
RACE ?= ./engine/... ./formats/... ./exchange/... ./jobs ./jobs/dispatch ./jobs/feed ./jobs/graph ./jobs/jobstest ./jobs/reconcile ./jobs/schedule
FUZZTIME ?= 30s
COUNT ?= 6
BENCH ?= .
PKG ?= ./...
SIZES ?= 1m,10m
ROUNDS ?= 5
CYCLES ?= 500
RESULTS = fixtures/bench/results

# $(call programs,PACKAGE:FILE ...) installs the Debian packages whose file is
# missing when it may, else says which they are and fails.
define programs
@missing=$$(for p in $(1); do [ -e $${p#*:} ] || echo $${p%%:*}; done); \
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
else echo "programs are missing: install the packages" $$missing >&2; exit 1; fi
endef

.PHONY: build
build: ## the program, static, as bin/concord
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BINARY) .

.PHONY: demo
demo: build ## the whole story: a service, uploads over SFTP, receipts, reports, a correction
	./$(BINARY) demo

.PHONY: test
test: lint ## what a change must pass: lint, tests
	$(GO) test -timeout 15m ./...

.PHONY: race
race: machine ## the packages with goroutines of their own, with the race detector
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m $(RACE)

.PHONY: lint
lint: machine ## formatting, vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:" $$unformatted >&2; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

.PHONY: audit
audit: ## known vulnerabilities of what is built in; asks a database on the network
	$(TOOL) govulncheck ./...

.PHONY: fuzz
fuzz: ## every fuzz target of PKG for FUZZTIME
	@for pkg in $$($(GO) list $(PKG)); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: bench
bench: ## the parts: BENCH in PKG, COUNT times, benchstat-readable, kept by date
	@mkdir -p $(RESULTS)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG) | tee $(RESULTS)/$$(date -u +%F)-parts.txt

.PHONY: bench-peer
bench-peer: machine build bench-sftp ## the whole program beside DuckDB on the same files: SIZES, ROUNDS
	@mkdir -p $(RESULTS)
	$(GO) build -o bin/gen ./fixtures/gen
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/deliver ./fixtures/deliver
	cd fixtures/bench && CGO_ENABLED=1 $(GO) build -o ../../bin/bench-peer .
	./bin/bench-peer -concord $(BINARY) -sizes $(SIZES) -rounds $(ROUNDS) | tee $(RESULTS)/$$(date -u +%F)-peer.txt

.PHONY: bench-sftp
bench-sftp: ## the SFTP server beside OpenSSH's, on disk and in memory; part of bench-peer
	@mkdir -p $(RESULTS)
	$(call programs,openssh-client:/usr/bin/sftp openssh-server:/usr/sbin/sshd openssh-sftp-server:/usr/lib/openssh/sftp-server)
	CGO_ENABLED=0 $(GO) build -o bin/peerbench ./exchange/exchangetest/peerbench
	{ echo "On disk:"; ./bin/peerbench -rounds $(ROUNDS); \
	if [ -d /dev/shm ]; then echo; echo "In memory, where flushing costs nothing:"; \
		mkdir -p /dev/shm/concord-bench; ./bin/peerbench -rounds $(ROUNDS) -dir /dev/shm/concord-bench; \
		rm -rf /dev/shm/concord-bench; fi; } | tee $(RESULTS)/$$(date -u +%F)-sftp.txt

.PHONY: chaos
chaos: ## the whole service killed CYCLES times while carriers send files; purges and erasures broken off behind every step
	CYCLES=$(CYCLES) $(GO) test -count 1 -timeout 60m -v ./jobs/crash
	SWEEP=all $(GO) test -count 1 -timeout 60m -run IsGoneOnWith -v ./jobs/service

.PHONY: peers
peers: peer-programs bin/rclone-sftp.test ## carriers' programs against the server: OpenSSH, lftp, sshfs, PuTTY, curl, paramiko, rclone
	$(GO) vet -tags peers ./jobs/peers
	$(GO) test -tags peers -count 1 -parallel 4 -timeout 15m ./jobs/peers

# Their Debian packages, each with a file by which it is known to be there.
PEERS = openssh-client:/usr/bin/sftp openssh-sftp-server:/usr/lib/openssh/sftp-server lftp:/usr/bin/lftp sshfs:/usr/bin/sshfs \
	fuse3:/usr/bin/fusermount3 putty-tools:/usr/bin/psftp curl:/usr/bin/curl python3-paramiko:/usr/lib/python3/dist-packages/paramiko \
	rclone:/usr/bin/rclone ssh-audit:/usr/bin/ssh-audit strace:/usr/bin/strace

.PHONY: peer-programs
peer-programs: ## installs what is missing of them when it may, else says what it is
	@[ -e /dev/fuse ] || [ "$$(id -u)" != 0 ] || mknod /dev/fuse c 10 229 || true # the tests say so if sshfs cannot do with it
	$(call programs,$(PEERS))

.PHONY: office
office: office-programs ## reports opened with LibreOffice and Chromium; a million rows in 256 MiB
	$(GO) vet -tags office ./formats/report
	$(GO) test -tags office -count 1 -timeout 15m -run 'LibreOffice|A4|Browser|Million' ./formats/report

BROWSER = chromium:/usr/bin/chromium fonts-liberation:/usr/share/fonts/truetype/liberation
OFFICE = libreoffice-calc-nogui:/usr/bin/soffice $(BROWSER)

.PHONY: office-programs
office-programs: ## installs what is missing of them when it may, else says what it is
	$(call programs,$(OFFICE))

# rclone's own tests of its SFTP backend. jobs/peers names the same version.
RCLONE = github.com/rclone/rclone@v1.76.0
bin/rclone-sftp.test: jobs/peers/suite_test.go
	@mkdir -p bin
	src=$$($(GO) mod download -json $(RCLONE) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'); \
	cd "$$src" && CGO_ENABLED=0 $(GO) test -c -mod=readonly -o "$(CURDIR)/$@" ./backend/sftp

.PHONY: browser
browser: build browser-programs ## Chromium through every page and action of the console; SCREENSHOTS=DIR keeps pictures
	cd jobs/console/browsertest && $(GO) vet . && CONCORD=$(CURDIR)/$(BINARY) CHROMIUM=/usr/bin/chromium $(GO) test -count 1 -timeout 15m .

.PHONY: browser-programs
browser-programs: ## installs what is missing of them when it may, else says what it is
	$(call programs,$(BROWSER))

# Keeps Debian's package from making a database of its own, which would run.
NOCLUSTER = /etc/postgresql-common/createcluster.conf

.PHONY: machine
machine: ## installs what is missing when it may, else says what it is
	@for need in git:git gcc:gcc gcc:libc6-dev gpg:gnupg sftp-server:openssh-sftp-server initdb:postgresql; do \
		case $$need in \
		sftp-server:*) [ ! -e /usr/lib/openssh/sftp-server ] ;; \
		gcc:libc6-dev) [ ! -e /usr/include/stdlib.h ] ;; \
		initdb:postgresql) ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;; \
		*) ! command -v $${need%%:*} >/dev/null ;; \
		esac || continue; \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "$${need%%:*} is missing: install the package $${need##*:}" >&2; exit 1; fi; \
		if [ $$need = initdb:postgresql ] && [ ! -e $(NOCLUSTER) ]; then \
			mkdir -p $(dir $(NOCLUSTER)) && echo 'create_main_cluster = false' >$(NOCLUSTER); fi; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
			apt-get install -y -q --no-install-recommends $${need##*:}; \
	done

.PHONY: clean
clean: ## what the targets above leave behind, results apart
	rm -rf bin out demo

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14
