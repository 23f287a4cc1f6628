#!/usr/bin/env bats
# tests/layers finds what it says that it finds: on a small tree with one fault at a time.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mkdir -p tests core/base core/store core/cli plugins/relays plugins/shared
    cp "$BATS_TEST_DIRNAME/../layers" tests/
    echo '#include "base/file.h"' >core/store/run.c
    : >core/base/file.h
    : >core/main.c
    echo 'int main(void) { printf("x"); }' >core/cli/say.c
    : >plugins/relays/none.c
}

finds() { # file, line number, text of the line, expected message
    cp "$1" kept
    printf '%s\n' "$3" >>"$1"
    run tests/layers
    cp kept "$1"
    [ "$status" -eq 1 ] && [ "$output" = "$1:$2: $4" ] && return 0
    echo "wanted: $1:$2: $4"
    echo "got: $output"
    return 1
}

@test "what is as it should be is passed over" {
    run tests/layers
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "an include of a layer above is found" {
    finds core/base/file.h 1 '#include "store/run.h"' "'base' includes 'store', which lies above it"
    finds core/store/run.c 2 '#include "nowhere/run.h"' "'store' includes 'nowhere', which lies above it"
    finds plugins/relays/none.c 1 '#include "base/file.h"' \
        'plugins include only <bench/…>, system headers, their own folder and "shared/…"'
}

@test "printing is found, in whatever way, in core and in plugins" {
    local line
    for line in 'printf("x");' 'puts(x);' 'perror("x");' 'putchar(10);' 'fprintf(stderr, "x");' \
        'fputs("x", stdout);' 'fwrite(x, 1, 2, stderr);' 'fflush(stdout);' 'dprintf(2, "x");' \
        'write(1, x, 2);' 'write(STDERR_FILENO, x, 2);' 'writev(2, x, 1);' 'FILE *out = stdout;' \
        'fd = open("/dev/tty", O_WRONLY);' 'f("http://x"), puts(x);'; do
        finds core/store/run.c 2 "    $line" "only core/cli prints: $( # strings are emptied, unless it is a path
            [[ $line == *dev/tty* ]] && echo "$line" || sed 's/"[^"]*"/""/g' <<<"$line")"
        finds plugins/relays/none.c 1 "$(sed 's/"[^"]*"/x/' <<<"$line")" \
            "only core/cli prints: $(sed 's/"[^"]*"/x/' <<<"$line")" || [[ $line == *dev/tty* ]]
    done
    # A multiple of lines keeps its numbers.
    finds core/store/run.c 4 "/* puts(x);
 * printf(x) */
puts(y);" 'only core/cli prints: puts(y);'
}

@test "names, comments, strings and files are not printing" {
    cat >>core/store/run.c <<'SOURCE'
/* printf("x") to stdout */
// puts(x)
int x = m->stdout_path || m.stderr_fd; /* stderr */
char *s = "stdout"; text_printf(t, "stderr"); fprintf(file, "x"); write(12, x, 2); write(fd, x, 1);
host->printf(x); my_puts(x); dprintf(fd, "x");
SOURCE
    run tests/layers
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "an exception is one line of one file" {
    echo '    dup2(output, STDOUT_FILENO);' >core/store/query.c
    mkdir core/process
    echo '    dup2(output, STDOUT_FILENO);' >core/process/query.c
    echo '    dup2(other, STDOUT_FILENO);' >>core/process/query.c
    run tests/layers
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$output" = "core/process/query.c:2: only core/cli prints: dup2(other, STDOUT_FILENO);
core/store/query.c:1: only core/cli prints: dup2(output, STDOUT_FILENO);" ]
}
