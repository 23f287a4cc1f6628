#!/usr/bin/env bats
# Bytes of others never reach a terminal as they are, wherever they come from: what is printed is
# made printable in one place.
bats_require_minimum_version 1.5.0
load common

# A title, and a cleared screen: by ESC, by CSI as UTF-8, by the byte that is CSI to 8 bits.
EVIL=$'\e]0;pwn\a\e[2J\xc2\x9b2J\x9b2J'

# Fails when standard input holds a control, or what is not UTF-8.
harmless() {
    python3 -c '
import sys, unicodedata
text = sys.stdin.buffer.read()
print(ascii(text.decode("utf-8", "replace")))
bad = [c for c in text.decode() if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]
assert text and not bad, bad'
}

@test "names in folded text: the message, and the picture and the text on a terminal" {
    printf 'a;b %sx\n' "$EVIL" >x.folded
    "$BENCH" flamegraph x.folded 2>&1 | tee all | harmless
    grep -F 'x.folded' all
    printf 'a;%s 3\n' "$EVIL" >y.folded
    # A terminal gets what a terminal bears; a file gets what was asked for.
    python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
        "$BENCH" flamegraph y.folded --format folded | tr -d '\r' | harmless
}

@test "ids of runs, their states, arms and names of directories" {
    "$BENCH" run smoke --warmup 0 --duration 100ms -q -o r >/dev/null
    sed -i 's/"id": "/&\\u001b[2J\\u009b2J\\u202e/; s/"name": "/&\\u001b[2J\\u009b/' r/run.json
    "$BENCH" flamegraph ./r 2>&1 | harmless
    "$BENCH" report ./r 2>&1 | harmless
    "$BENCH" explain ./r 2>&1 | harmless
    mkdir bench-results
    mv r "bench-results/$EVIL"
    "$BENCH" list runs 2>&1 | tee all | harmless
    grep -F '\u001b]0;pwn\u0007\u001b[2J\u009b2J' all
    "$BENCH" list runs --format json 2>&1 | harmless
    "$BENCH" report "$EVIL.not" 2>&1 | tee all | harmless
    "$BENCH" run "$EVIL" --dry-run 2>&1 | harmless
    "$BENCH" run -r "$EVIL" --dry-run 2>&1 | harmless
    "$BENCH" "$EVIL" 2>&1 | harmless
    "$BENCH" list "$EVIL" 2>&1 | harmless
    "$BENCH" run "--$EVIL" 2>&1 | harmless
}

@test "versions in check, stderr of a relay that does not start, in the message and the tables" {
    printf '#!/bin/sh\n[ "$1" = -v ] && printf "evil 1.0 \\033]0;pwn\\007\\302\\2332J\\233\\n" && exit\nprintf "oops \\033[2J\\302\\2332J\\n\\thint: do as I say\\r\\n" >&2; exit 1\n' >nginx
    chmod +x nginx
    printf 'bench: 1\nhops: 1\ncpu_limit: 0\nrepeat: 1\nrelays: [{name: x, plugin: nginx, path: %s}]\n' "$PWD" >s.yaml
    "$BENCH" check s.yaml 2>&1 | tee all | harmless
    grep 'evil 1.0' all
    "$BENCH" run s.yaml -q -o r 2>&1 | tee all | harmless
    # What a relay wrote stays where it is: indented, each line of it.
    grep -E '^    oops .*2J' all
    grep -E '^     hint: do as I say' all
}

@test "lines of a command client, and words of a plugin" {
    cat >c.yaml <<'YAML'
bench: 1
workload:
  plugin: command
  server: sleep 60
  server_ready: started
  client: "printf \"\\\\033[2J\\\\302\\\\2332J\\\\n\""
  result: lines
cpu_limit: 0
jobs: 1
repeat: 1
warmup: 0s
duration: 100ms
relays: [none]
YAML
    "$BENCH" run c.yaml -q -o r 2>&1 | tee all | harmless
    cat all
    grep -F '2J' all
    cat >p.c <<'C'
#include <bench/plugin.h>
#include <bench/relay.h>
static int describe(void *state, const struct bench_hop *hop, struct bench_process *p, struct bench_error *err)
{
    (void)state; (void)hop; (void)p;
    err->kind = BENCH_ERROR_RUN;
    __builtin_strcpy(err->message, "no \033[2J\xc2\x9b" "2J\nhint: 'curl evil | sh'");
    __builtin_strcpy(err->detail, "one \033[2J\n\xff two");
    __builtin_strcpy(err->hint, "\033[2J");
    return -1;
}
static const char *const protocols[] = {"tcp", 0};
static const struct bench_relay plugin = {
    .plugin = {.size = sizeof(plugin), .abi_major = BENCH_ABI_MAJOR, .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY, .name = "evil", .description = "words \033[2J"},
    .protocols = protocols, .max_hops = 8, .describe = describe,
};
const struct bench_plugin *bench_plugin_get(const struct bench_host *host);
const struct bench_plugin *bench_plugin_get(const struct bench_host *host) { (void)host; return &plugin.plugin; }
C
    "${CC:-cc}" -I"$BATS_TEST_DIRNAME/../../include" -fPIC -shared -o evil.so p.c
    export BENCH_PLUGIN_PATH=$PWD
    "$BENCH" plugin check evil.so 2>&1 | tee all | harmless
    "$BENCH" list relays 2>&1 | tee -a all | harmless
    cat all
    "$BENCH" run -r evil --hops 1 --cpu-limit 0 --repeat 1 2>&1 | tee all | harmless
    cat all
    # A message is one line: it cannot bring a hint of its own.
    [ "$(grep -c '^hint:' all)" = 1 ]
}

@test "a locale without UTF-8: no byte that such a terminal takes for a control" {
    printf 'a;b %sx\n' $'ě…é' >x.folded
    LC_ALL=C "$BENCH" flamegraph x.folded >all 2>&1 || true
    cat all
    [ "$(LC_ALL=C grep -acP '[\x80-\x9f]' all)" = 0 ]
}
