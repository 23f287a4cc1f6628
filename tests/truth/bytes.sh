#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The workload's bytes against the kernel's TCP_INFO: a test of `make check`, and so of no luck.
cd "$(dirname "$0")/../.." || exit 2
BENCH=$PWD/$BUILD/bench bats --filter "own bytes equal the kernel's" tests/system/run.bats
