#!/usr/bin/env bats
# bench flamegraph with files that other programs wrote, or failed to write.
bats_require_minimum_version 1.5.0
load common

draw() { run --separate-stderr "$BENCH" flamegraph "$@"; }

@test "a byte order mark is no part of the first frame" {
    printf '\xEF\xBB\xBFmain;read 7\nmain;write 3\n' >bom.folded
    draw bom.folded --format folded
    [ "$status" -eq 0 ]
    [ "$output" = "main;read 7
main;write 3" ]
}

@test "folded text with two weights is drawn as the difference that it is" {
    printf 'a;b 1 2\na;c 5 0\n' >two.folded
    draw two.folded
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output == *"Flame graph of a difference"* ]]
    [[ $output == *"before: the first weights in two.folded: 6 samples, 2 distinct stacks"* ]]
    [[ $output == *"after: the second weights in two.folded: 2 samples, 1 distinct stacks"* ]]
    for format in folded speedscope; do
        draw two.folded --format $format
        [ "$status" -eq 2 ]
        [ "$stderr" = "bench: a difference is drawn as svg only, not as '$format'" ]
    done
    echo 'a;b 1' >one.folded
    draw one.folded --diff two.folded
    [ "$status" -eq 2 ]
    [[ $stderr == "bench: two.folded: every line ends in two weights: it is a difference already
hint: draw it alone, as svg, without '--diff'; "* ]]
    draw two.folded one.folded
    [ "$status" -eq 2 ]
    [ "$stderr" = "bench: 'one.folded' and the file before it: one is a difference, the other is not" ]
}

@test "nothing to draw is an error, and no file" {
    printf '\n \nmain;read 0\n' >zero.folded
    : >empty
    for file in zero.folded empty; do
        draw "$file" -o e.svg
        [ "$status" -eq 2 ]
        [ "$stderr" = "bench: '$file' has no stacks
hint: did the program before it fail, or was nothing sampled?" ]
    done
    for input in '</dev/null' '<&-'; do
        for format in svg folded speedscope; do
            run --separate-stderr sh -c "exec '$BENCH' flamegraph - --format $format -o e.svg $input"
            [ "$status" -eq 2 ]
            [[ $stderr == "bench: standard input has no stacks"* ]]
        done
    done
    [ ! -e e.svg ]
}

@test "perf.data that cannot be read is called what it is" {
    { printf '2ELIFREP'; head -c 200 /dev/zero; } >swapped.data
    draw swapped.data
    [ "$status" -eq 1 ]
    [ "$stderr" = "bench: 'swapped.data' comes from a machine of the other byte order, which is not supported
hint: make folded text of it: 'perf script -i FILE | stackcollapse-perf.pl'" ]
    printf 'PERFILE2\20\0\0\0\0\0\0\0' >pipe.data
    draw pipe.data
    [ "$status" -eq 1 ]
    [[ $stderr == "bench: 'pipe.data' was written to a pipe, which is not supported"* ]]
    draw - <pipe.data
    [ "$status" -eq 2 ]
    [[ $stderr == "bench: standard input:1: this is perf.data, no folded text"* ]]
    draw swapped.data --event cycles -r none
    [ "$status" -eq 2 ]
}

@test "perf.data with several events: the others are named, and one is chosen" {
    command -v perf >/dev/null || skip "perf is not installed"
    perf record -q -e cpu-clock:u -e task-clock:u -g -o several.data -- \
        sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' >said 2>&1 || skip "perf cannot record here: $(head -n 1 said)"
    draw several.data --format folded -o first
    [ "$status" -eq 0 ]
    [[ $stderr == "bench: warning: 'several.data': only 'cpu-clock:u' is drawn; left out are "*" samples of 'task-clock:u'
hint: '--event NAME' chooses another" ]]
    draw several.data --event task-clock
    [ "$status" -eq 0 ]
    [[ $stderr == "bench: warning: 'several.data': only 'task-clock:u' is drawn; left out are "*" samples of 'cpu-clock:u'" ]]
    draw several.data --event cycles
    [ "$status" -eq 2 ]
    [ "$stderr" = "bench: 'several.data': unknown event 'cycles'
hint: known: cpu-clock:u, task-clock:u" ]
    draw first --event cpu-clock
    [ "$status" -eq 2 ]
    [ "$stderr" = "bench: 'first' is folded text, which names no event" ]
}

@test "perf.data of perf stat record is called that" {
    command -v perf >/dev/null || skip "perf is not installed"
    perf stat record -e task-clock:u -o counts.data true >said 2>&1 || skip "perf cannot count here: $(head -n 1 said)"
    draw counts.data
    [ "$status" -eq 1 ]
    [ "$stderr" = "bench: 'counts.data' was written by 'perf stat record': it has no samples
hint: record with 'perf record -g -o FILE'" ]
}
