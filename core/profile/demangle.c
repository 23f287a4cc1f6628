/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

/* Not cplus_demangle(), which also tries these two: it comes with an xcalloc() of its own. Rust
 * first, since its older names look like those of C++. */
static char *plain_name(const char *name)
{
    char *plain = name[0] == '_' ? rust_demangle(name, DMGL_NO_OPTS) : NULL;

    if (!plain && name[0] == '_')
        plain = cplus_demangle_v3(name, DMGL_NO_OPTS);
    return plain;
}

/* For what ends in "@plt"; neither of the two knows that. */
static char *plain_stub_name(const char *name, size_t length)
{
    char *function = strndup(name, length), *plain = function ? plain_name(function) : NULL;
    char *stub = NULL;

    if (plain && asprintf(&stub, "%s" DEMANGLE_STUB, plain) < 0)
        stub = NULL;
    free(function);
    free(plain);
    return stub;
}

char *demangle(const char *name)
{
    size_t length = strlen(name), suffix = strlen(DEMANGLE_STUB);

    if (length > suffix && strcmp(name + length - suffix, DEMANGLE_STUB) == 0)
        return plain_stub_name(name, length - suffix);
    return plain_name(name);
}
