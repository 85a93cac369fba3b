# Everything here runs on a bare machine with Go: each target installs what it needs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Pinned: a linter that moves by itself turns a green tree red.
GOLANGCI_VERSION := v2.15.0
GOFUMPT_VERSION := v0.12.0

TOOLS := $(CURDIR)/.tools
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOFUMPT := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)

# FUZZTIME bounds each fuzz target of `make fuzz`.
FUZZTIME ?= 20s
# SEEDS is how many worlds `make sim` simulates, from START (drawn if empty); SEED replays one with its trace.
SEEDS ?= 2000
START ?= 0
SEED ?= 0
# BENCH selects what `make bench` runs.
BENCH ?= .
# ARGS are appended to `make run`: make run ARGS="--listen 127.0.0.1:9090".
ARGS ?=

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.PHONY: run
run: ## start everything in one process: hub, embedded NATS, simulated ZEGO, page on http://127.0.0.1:8080
	go build -o $(TOOLS)/giftwire ./cmd/giftwire
	$(TOOLS)/giftwire dev $(ARGS)

.PHONY: run-cluster
run-cluster: ## three nodes, three NATS servers and a simulated ZEGO, a process each; pages on http://127.0.0.1:8081 to 8083
	go build -o $(TOOLS)/trio ./cmd/internal/trio
	$(TOOLS)/trio $(ARGS)

.PHONY: test
test: cc ## vet, all tests under the race detector, fuzz seeds included
	go vet ./...
	go test -race -shuffle=on -timeout 10m ./...
	go test ./hub/sim # again without the detector: one thread, ten times as many worlds

.PHONY: lint
lint: $(GOLANGCI) ## golangci-lint, each linter enabled by name in .golangci.yml
	$(GOLANGCI) run ./...

.PHONY: fmt
fmt: $(GOFUMPT) ## gofumpt
	$(GOFUMPT) -w -modpath github.com/giftwire/giftwire $$(git ls-files '*.go')

.PHONY: bench
bench: ## benchmarks with allocations; BENCH=regexp selects
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m ./...

# QUICK=1 makes it a smoke run; ROUNDS, ONLY (scenarios) and PEERS (servers) change it.
ROUNDS ?= 5
PEERS ?= giftwire,centrifuge,melody,gws,tcp

.PHONY: bench-peers
bench-peers: ## the same broadcast through giftwire, centrifuge, melody, gws and bare TCP; wants two quiet cores, Linux
	mkdir -p $(TOOLS)
	go test -c -o $(TOOLS)/hub.test ./hub
	cd cmd/bench-peers && go build -o $(TOOLS)/bench-peers .
	$(TOOLS)/bench-peers -hub $(TOOLS)/hub.test -rounds $(ROUNDS) -only "$(ONLY)" -peers "$(PEERS)" $(if $(QUICK),-quick)

# A look at the page at 1280 and 390 pixels, light and dark.
LOOKS := $(TOOLS)/looks

.PHONY: picture
picture: ## the README's picture of the page (web/picture.png), and more of them in .tools/looks
	mkdir -p $(LOOKS)
	GIFTWIRE_LOOKS=$(LOOKS) go test -count=1 -run TestPage/look ./web
	cp $(LOOKS)/desktop-light-2-play.png web/picture.png

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (default 20s)
	@for dir in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); do \
	  for name in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | awk '{print $$2}'); do \
	    echo "== $$dir $$name"; \
	    go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$dir; \
	  done; \
	done

.PHONY: sim
sim: ## simulate SEEDS worlds of faults in one thread each, and every small one; SEED=n replays one
	@if [ "$(SEED)" != 0 ]; then \
	  go test -count=1 -timeout 0 -v -run '^TestSeeds$$' ./hub/sim -args -seed=$(SEED); \
	else \
	  go test -count=1 -timeout 0 -v -run '^(TestSeeds|TestSmallWorlds)$$' ./hub/sim -args -seeds=$(SEEDS) -start=$(START) -faults=3 | \
	    grep -vE '^(=== |    --- PASS|        --- PASS)'; \
	fi

.PHONY: sim-cluster
sim-cluster: ## simulate SEEDS clusters of three nodes, a minute of faults each; SEED=n plays one with its trace
	@if [ "$(SEED)" != 0 ]; then \
	  go test -count=1 -timeout 0 -v -run '^TestClusterInABubble$$' ./hub/cluster -args -bubbles=1 -bubbles-from=$(SEED); \
	else \
	  go test -count=1 -timeout 0 -v -run '^TestClusterInABubble$$' ./hub/cluster -args -bubbles=$(SEEDS) -bubbles-from=$(START) | \
	    grep -vE '^(=== |    --- PASS|        --- PASS)'; \
	fi

.PHONY: mutants
mutants: ## switch safety rules off, one by one: each has to turn its named test red
	go run ./cmd/internal/mutants

# CHAOS picks scenarios (make chaos CHAOS=kill,power); SECONDS_EACH lengthens those
# without an end of their own. Needs root: it mounts small disks and traces processes.
CHAOS ?=
SECONDS_EACH ?= 0

.PHONY: chaos
chaos: strace ## the real binary through kills, lost power, bad disks, ZEGO's faults; CHAOS=name,name selects
	mkdir -p $(TOOLS)
	go build -o $(TOOLS)/chaos ./cmd/internal/chaos
	$(TOOLS)/chaos -only "$(CHAOS)" -each $(SECONDS_EACH)s

.PHONY: chaos-cluster
chaos-cluster: iproute ## three nodes and three NATS servers through kills, stops, partitions, restarts; CHAOS=name,name selects
	mkdir -p $(TOOLS)
	go build -o $(TOOLS)/chaos ./cmd/internal/chaos
	$(TOOLS)/chaos -cluster -only "$(CHAOS)" -each $(SECONDS_EACH)s

.PHONY: check
check: lint test ## what a change has to pass before it is committed
	go mod tidy -diff
	go mod verify

# The race detector needs a C compiler.
.PHONY: cc
cc:
	@command -v gcc >/dev/null || command -v clang >/dev/null || { \
	  echo "installing gcc for the race detector"; \
	  apt-get update -qq && apt-get install -y -qq gcc libc6-dev; }

.PHONY: strace
strace:
	@command -v strace >/dev/null || { \
	  echo "installing strace for chaos"; \
	  apt-get update -qq && apt-get install -y -qq strace; }

# Networks of its own, with links that can be cut.
.PHONY: iproute
iproute:
	@command -v ip >/dev/null || { \
	  echo "installing iproute2 for chaos-cluster"; \
	  apt-get update -qq && apt-get install -y -qq iproute2; }

$(GOLANGCI):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(GOFUMPT):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
	mv $(TOOLS)/gofumpt $@
