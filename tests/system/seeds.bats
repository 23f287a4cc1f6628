#!/usr/bin/env bats
# Every input that a fuzzer starts from, or that was found by one, is taken without a fault. With
# SANITIZE=address,undefined also without a read beyond its end or undefined arithmetic.

@test "every seed of every fuzzer passes" {
    cd "$BATS_TEST_DIRNAME/../.."
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        seeds=(tests/fuzz/seeds/"$name"/*)
        [ -e "${seeds[0]}" ]
        run timeout 60 "${BUILD:-build}/tests/fuzz/$name" "${seeds[@]}"
        echo "$name: $output"
        [ "$status" -eq 0 ]
        [ "${lines[-1]}" = "${#seeds[@]} passed" ]
    done
}
