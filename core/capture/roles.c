/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/roles.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static bool is_hop(const char *word)
{
    return strncmp(word, "relay_", 6) == 0 && word[6] >= '1' && word[6] <= '9' &&
           strspn(word + 6, "0123456789") == strlen(word + 6);
}

static int check_role(const char *word, struct bench_error *err)
{
    static const char *const words[] = {"relay", "client", "server", "all", NULL};
    const char *near;

    for (size_t i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return 0;
    if (is_hop(word))
        return 0;
    near = nearest(word, words);
    error_set(err, BENCH_ERROR_USAGE, "option 'roles': unknown role '%s'", word);
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    else
        error_hint(err, "roles are 'relay' (all hops), 'relay_1', …, 'client', 'server' and 'all'");
    return -1;
}

int roles_check(const char *list, struct bench_error *err)
{
    cleanup_strings struct strings roles = {0};

    strings_split(&roles, list, ", ");
    if (roles.count == 0) {
        error_set(err, BENCH_ERROR_USAGE, "option 'roles' is empty");
        error_hint(err, "leave it out for the default");
        return -1;
    }
    for (size_t i = 0; i < roles.count; i++)
        if (check_role(roles.items[i], err) < 0)
            return -1;
    return 0;
}

bool roles_name(const char *list, const char *name)
{
    cleanup_strings struct strings roles = {0};

    strings_split(&roles, list, ", ");
    return strings_has(&roles, "all") || strings_has(&roles, name) ||
           (is_hop(name) && strings_has(&roles, "relay"));
}
