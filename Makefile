# The two commands of the README, and what developers add to them. All share one debug build in .build.

.PHONY: demo test build set-up lint format bench clean
.DEFAULT_GOAL := build

demo: build
	.build/debug/writ demo

# Line by line, so that a run that is cut off has told all that it did; a few tests at once, so that none waits for
# what two hundred others leave of the CPU.
TEST = stdbuf -oL swift test --skip-build --disable-xctest --experimental-maximum-parallelization-width 6

# Workers, and then whole processes, come by themselves, so that what they wait for is not what other tests leave of the CPU.
test: set-up lint
	swift build --build-tests
	timeout 900 $(TEST) --skip PromiseTests --skip JobRunnerTests
	timeout 900 $(TEST) --filter JobRunnerTests
	timeout 1800 $(TEST) --filter PromiseTests

build: set-up
	swift build --product writ

set-up:
	@scripts/set-up

lint: set-up
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Plugins Benchmarks

format:
	swift format --in-place --parallel --recursive Package.swift Sources Tests Plugins Benchmarks

# Benchmarks are meaningful only when optimised: a second, release build (some ten minutes the first time).
bench: set-up
	swift build -c release --product writ-bench
	.build/release/writ-bench

clean:
	rm -rf .build
