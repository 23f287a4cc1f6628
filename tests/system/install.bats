#!/usr/bin/env bats
# make install, and a plugin that is compiled out of the tree with nothing but what it installed.

setup_file() {
    export DESTDIR="$BATS_FILE_TMPDIR/dest"
    # What is built is installed as it is: the build belongs to whoever runs the tests.
    make -s -C "$BATS_TEST_DIRNAME/../.." -o all BUILD="${BUILD:-build}" DESTDIR="$DESTDIR" \
        PREFIX=/usr/local install
    export PKG_CONFIG_PATH="$DESTDIR/usr/local/lib/pkgconfig"
}

setup() {
    root="$BATS_TEST_DIRNAME/../.."
    bench="$DESTDIR/usr/local/bin/bench"
}

# The first C block of the plugin documentation.
extract_example() { # to
    awk '/^```c$/ { inside = 1; next } /^```$/ && inside { exit } inside' \
        "$root/docs/plugin-api.md" >"$1"
}

compile() { # from, to
    # shellcheck disable=SC2046 # flags
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -shared -fPIC \
        $(pkg-config --define-prefix --cflags bench) -o "$2" "$1"
}

@test "installs the program, headers, plugins, scenarios and the pkg-config file" {
    cd "$DESTDIR/usr/local"
    [ -x bin/bench ]
    for header in types plugin workload relay reporter; do [ -f include/bench/$header.h ]; done
    [ -f lib/bench/relays/nginx.so ]
    for scenario in "$root"/scenarios/*.yaml; do
        cmp "$scenario" "share/bench/scenarios/$(basename "$scenario")"
    done
    [ "$(pkg-config --define-prefix --variable=plugindir bench)" = "$DESTDIR/usr/local/lib/bench" ]
}

each_header() { # command that reads one from standard input…
    local header
    for header in "$DESTDIR"/usr/local/include/bench/*.h; do
        # shellcheck disable=SC2046 # flags
        echo "#include <bench/$(basename "$header")>" |
            "$@" -Wall -Wextra -Werror -fsyntax-only $(pkg-config --define-prefix --cflags bench) -
    done
}

@test "every installed header compiles alone as C" {
    each_header "${CC:-cc}" -std=c11 -xc
}

@test "every installed header compiles alone as C++" {
    command -v c++ >/dev/null || skip "no C++ compiler"
    each_header c++ -std=c++17 -xc++
}

@test "the installed program finds the plugins beside it through BENCH_PLUGIN_PATH" {
    BENCH_PLUGIN_PATH="$DESTDIR/usr/local/lib/bench" run "$bench" list relays
    [ "$status" -eq 0 ]
    [[ $output == *none* ]]
    [[ $output == *nginx* ]]
}

# With what was installed in place of /usr/local, for this command only.
in_place() { # command…
    unshare -m sh -c 'mount --bind "$0" /usr/local && cd / && exec "$@"' "$DESTDIR/usr/local" "$@"
}

@test "in its place the installed program finds plugins and scenarios by itself" {
    grep -qaF /usr/local/lib/bench "$bench" || skip "built for another PREFIX"
    in_place true || skip "cannot mount here"
    run in_place /usr/local/bin/bench list relays
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *nginx*none* ]]
    run in_place /usr/local/bin/bench list scenarios
    [[ $output == *smoke* ]]
    run in_place /usr/local/bin/bench run smoke --dry-run
    [ "$status" -eq 0 ]
    # Beside it the one in the tree, which has the same scenarios.
    run in_place "$(realpath "$root/${BUILD:-build}/bench")" list scenarios
    [ "$status" -eq 0 ]
    [ -z "$(awk '{ print $1 }' <<<"$output" | sort | uniq -d)" ]
}

@test "the example of docs/plugin-api.md compiles against the installed headers and is listed" {
    extract_example "$BATS_TEST_TMPDIR/haproxy.c"
    mkdir "$BATS_TEST_TMPDIR/relays"
    compile "$BATS_TEST_TMPDIR/haproxy.c" "$BATS_TEST_TMPDIR/relays/haproxy.so"
    run "$bench" plugin check "$BATS_TEST_TMPDIR/relays/haproxy.so"
    [ "$status" -eq 0 ]
    BENCH_PLUGIN_PATH=$BATS_TEST_TMPDIR run "$bench" list relays
    [ "$status" -eq 0 ]
    [[ $output == *haproxy* ]]
}

@test "uninstall removes what install put there and nothing else" {
    copy="$BATS_TEST_TMPDIR/copy"
    cp -a "$DESTDIR" "$copy"
    touch "$copy/usr/local/lib/bench/relays/of-somebody-else.so"
    make -s -C "$root" BUILD="${BUILD:-build}" DESTDIR="$copy" PREFIX=/usr/local uninstall
    [ "$(cd "$copy" && find . -type f)" = "./usr/local/lib/bench/relays/of-somebody-else.so" ]
}
