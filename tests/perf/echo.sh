#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# builtin echo without a relay against the plainest way to write one (echo_plain.c), 2 connections.
. tests/perf/lib/pairs.bash
each_network "$0"

echo_plain() {
    "$BUILD/tests/perf/echo_plain" "$SECONDS_EACH"
}

pair echo 2.5 builtin 'drive mode=echo' 'plain 16K' echo_plain
pair 'echo, copying' '' builtin 'drive mode=echo receive=copy' 'plain 16K' echo_plain
