#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What short slices and priority give a client that shares a CPU with a relay, and take from the relay
# (docs/measurement.md): in a session each, as the bench has them, priority is worth nothing.
[ "$(id -u)" = 0 ] || { echo 'priority: skipped: needs root' && exit 0; }
"$BUILD/tests/perf/priority" "$SECONDS_EACH" | sed 's/^/priority: /'
exit "${PIPESTATUS[0]}"
