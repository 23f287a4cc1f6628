/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for a libFuzzer target: it takes the files that are named, in place of a fuzzer's, and so
 * shows with any compiler that what was found once stays right. The last line says how many passed.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        cleanup_free uint8_t *bytes = NULL;
        cleanup_file FILE *in = fopen(argv[i], "re");
        size_t size;

        if (!in) {
            perror(argv[i]);
            return 1;
        }
        printf("%s\n", argv[i]); /* the last is the one that failed */
        fflush(stdout);
        bytes = xcalloc(1, 1 << 20);
        size = fread(bytes, 1, 1 << 20, in);
        bytes = xrealloc(bytes, size);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d passed\n", argc - 1);
    return 0;
}
