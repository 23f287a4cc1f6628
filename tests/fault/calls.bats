#!/usr/bin/env bats
# One call fails: some of the calls of every class. 'make check-faults' tries all.
load ../system/common

@test "a call that fails is an error, never a wrong result, a crash or something left behind" {
    ! ldd "$BUILT" | grep -qE 'lib(asan|clang_rt)' || skip "the sanitizer has an allocator of its own"
    # Not below the test's directory, of which each process would be a leftover.
    BUILD=$(dirname "$BUILT") run "$BATS_TEST_DIRNAME/calls" --few
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == *" calls failed, 0 faults" ]]
}
