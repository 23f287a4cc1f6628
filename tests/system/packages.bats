#!/usr/bin/env bats
# tools/install-packages with a fake apt: what it prints, what it calls, and that no service may
# start while it installs.

setup() {
    root="$BATS_TEST_DIRNAME/../.."
    dir=$BATS_TEST_TMPDIR
    mkdir -p "$dir/bin"
    export PATH="$dir/bin:$PATH" BENCH_PACKAGES="$dir/packages" BENCH_POLICY="$dir/policy-rc.d"
    cat >"$dir/packages" <<'TABLE'
# a comment
build  here       here-f       command:sh
build  one        one-f        command:bench-fake-one
demo   two        two-f        file:/nonexistent/a,/nonexistent/b
test?  rare       rare-f       command:bench-fake-rare
TABLE
    fake id 'echo 0'
    fake apt-cache 'case $2 in rare) echo "  Candidate: (none)" ;; *) echo "  Candidate: 1.0" ;; esac'
    fake apt-get 'echo "apt-get $*" >>'"$dir"'/calls
        [ ! -e '"$dir"'/policy-rc.d ] || sh '"$dir"'/policy-rc.d nginx start ||
            echo "policy $?" >>'"$dir"'/calls
        [ ! -e '"$dir"'/broken ] || exit 100
        for p; do case $p in one|rare) printf "#!/bin/sh\n" >'"$dir"'/bin/bench-fake-$p
            chmod +x '"$dir"'/bin/bench-fake-$p ;; esac; done'
}

fake() { # name, script
    printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
    chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

@test "prints what it will install, installs it, and no service may start meanwhile" {
    run "$root/tools/install-packages" build
    [ "$status" -eq 0 ]
    [ "$output" = "packages to install (apt): one" ]
    [ "$(cat "$dir/calls")" = "apt-get install -y --no-install-recommends one
policy 101" ]
    [ ! -e "$dir/policy-rc.d" ]
}

@test "installs nothing that is there already" {
    fake bench-fake-one :
    run "$root/tools/install-packages" build
    [ "$status" -eq 0 ]
    [ "$output" = "packages: everything for 'build' is there" ]
    [ ! -e "$dir/calls" ]
}

@test "--list installs nothing" {
    run "$root/tools/install-packages" --list demo
    [ "$status" -eq 0 ]
    [ "$output" = "packages to install (apt): one two" ]
    [ ! -e "$dir/calls" ]
}

@test "a policy of the machine comes back, also when installing fails" {
    echo 'exit 7' >"$dir/policy-rc.d"
    touch "$dir/broken"
    run "$root/tools/install-packages" build
    [ "$status" -eq 100 ]
    grep -qx 'policy 101' "$dir/calls"
    [ "$(cat "$dir/policy-rc.d")" = "exit 7" ]
    [ ! -e "$dir/policy-rc.d.before-bench" ]
}

@test "an optional package that the system lacks is left out, after looking for it once" {
    printf 'test? rare rare-f command:bench-fake-rare\n' >"$dir/packages"
    run "$root/tools/install-packages" test
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "left out: this system has no package 'rare'" ]
    [ "$(cat "$dir/calls")" = "apt-get update" ]
}

@test "what is still missing afterwards is named" {
    run "$root/tools/install-packages" demo
    [ "$status" -eq 1 ]
    [ "${lines[1]}" = "install-packages: still missing after installing: two" ]
}

@test "an unknown purpose is refused" {
    run "$root/tools/install-packages" nonsense
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "install-packages: unknown purpose 'nonsense'" ]
    [ "${lines[1]}" = "hint: one of build, demo, test, perf, vm" ]
}

@test "every row of the table has four columns, a known purpose and a known probe" {
    run awk '!/^#/ && NF && (NF != 4 || $1 !~ /^(build|demo|test|perf|vm)\??$/ ||
             $4 !~ /^(command|pc|file):/) { print "bad row: " $0 }' "$root/tools/packages"
    [ "$output" = "" ]
}
