# Two commands: `make demo` opens the explorer on the embedded sample, `make test` runs the whole suite.
# Both call scripts/set-up first, which installs what the build needs and says what and why.

SAMPLE_SEED := 1
SECONDS_EACH := 60
SLIM_CRATES := blas core evaluation annotation models retrieval readers training

.PHONY: demo test test-small-disks test-engines test-exports fuzz hostile set-up lint dependencies bench sample help

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 14

demo: set-up ## open the explorer on the embedded sample
	cargo run --locked -- demo

test: set-up ## run the whole test suite
	cargo test --locked

test-engines: set-up ## test served readers against llama.cpp and vLLM on the CPU (installs 6 GB into target/engines)
	sh scripts/test-engines

test-small-disks: set-up ## test what happens on a full disk (takes root on Linux: mounts some memory)
	cargo test --locked --test suite -- --ignored disk what_cannot_be_saved read_only --skip twenty

test-exports: set-up ## have Label Studio's and Argilla's own packages read exported annotations (installs them into target/exports)
	sh scripts/exports-packages
	cargo test --locked --test suite the_tools_own_packages_take_the_files -- --nocapture

fuzz: set-up ## fuzz what reads other people's files, each target for SECONDS_EACH (11 minutes by two; docs/fuzzing.md)
	bash scripts/fuzz $(SECONDS_EACH)

hostile: set-up ## run the program on 3,000 hostile inputs (ten minutes; docs/fuzzing.md)
	cargo test --locked --test hostile -- --ignored --nocapture three_thousand

set-up: ## install C++ compiler and cmake where they are missing
	@sh scripts/set-up

lint: set-up ## format, clippy and docs, warnings denied
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	for crate in $(SLIM_CRATES); do cargo clippy --locked -p dissent-$$crate --no-default-features -- -D warnings || exit 1; done
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

dependencies: ## check licences, sources and advisories of the dependencies (deny.toml)
	sh scripts/dependencies

bench: set-up ## time the explorer on the sample and on 20,000 cases, and the annotations (five minutes)
	cargo bench --locked --profile dev --bench explorer
	cargo bench --locked --profile dev --bench large
	cargo bench --locked --profile dev --bench agreement --bench annotation

sample: set-up ## redraw the sample from its seed and retrain its models (about an hour on two cores)
	sh scripts/make-sample $(SAMPLE_SEED)
