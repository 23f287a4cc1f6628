/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "profile/address_space.h"
#include "profile/demangle.h"
#include "profile/kernel_symbols.h"
#include "profile/symbols.h"

static void assert_found(struct symbol_table *t, uint64_t address, const char *expected)
{
    const char *found = symbol_table_find(t, address);

    if (!expected)
        assert_null(found);
    else if (!found || strcmp(found, expected) != 0)
        fail_msg("0x%llx is '%s', not '%s'", (unsigned long long)address, found, expected);
}

static void symbols_end_where_they_say_or_the_next_begins(void **state)
{
    struct symbol_table t = {0};

    (void)state;
    symbol_table_add(&t, 0x3000, 0, SYMBOL_GLOBAL, "last");
    symbol_table_add(&t, 0x1000, 0x10, SYMBOL_GLOBAL, "first");
    symbol_table_add(&t, 0x2000, 0, SYMBOL_GLOBAL, "open");
    symbol_table_add(&t, 0x4000, 0, SYMBOL_GLOBAL, "open_and_global");
    symbol_table_add(&t, 0x4000, 4, SYMBOL_WEAK, "sized");
    symbol_table_add(&t, 0x5000, 0x1000, SYMBOL_GLOBAL, "outer");
    symbol_table_add(&t, 0x5100, 0x100, SYMBOL_GLOBAL, "inner");
    symbol_table_finish(&t);
    assert_found(&t, 0xfff, NULL);
    assert_found(&t, 0x1000, "first");
    assert_found(&t, 0x100f, "first");
    assert_found(&t, 0x1010, NULL);
    assert_found(&t, 0x2fff, "open");
    assert_found(&t, 0x3000, "last");
    assert_found(&t, 0x4000, "sized");
    assert_found(&t, 0x4004, NULL);
    assert_found(&t, 0x50ff, "outer");
    assert_found(&t, 0x51ff, "inner");
    assert_found(&t, 0x5200, "outer");
    assert_found(&t, UINT64_MAX, NULL);
    symbol_table_release(&t);
}

/* The rules of choose_best_symbol() in tools/perf/util/symbol.c, each on its own. */
static void one_alias_is_chosen_as_perf_does(void **state)
{
    static const struct {
        struct {
            const char *name;
            uint64_t size;
            enum symbol_binding binding;
        } a, b;
    } cases[] = {
        /* a is the better one */
        {{"local", 8, SYMBOL_LOCAL}, {"weak_but_long", 8, SYMBOL_WEAK}},
        {{"global", 8, SYMBOL_GLOBAL}, {"local_but_long", 8, SYMBOL_LOCAL}},
        {{"few", 8, SYMBOL_GLOBAL}, {"__many_underscores", 8, SYMBOL_GLOBAL}},
        {{"long_name", 8, SYMBOL_GLOBAL}, {"short", 8, SYMBOL_GLOBAL}},
        /* mangled, it has more underscores and is longer; demangled it is "f" */
        {{"ff", 8, SYMBOL_GLOBAL}, {"_Z1fv", 8, SYMBOL_GLOBAL}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            struct symbol_table t = {.mangled = true};

            for (int j = 0; j < 2; j++) {
                bool is_a = j == swapped;

                symbol_table_add(&t, 0x100, is_a ? cases[i].a.size : cases[i].b.size,
                                 is_a ? cases[i].a.binding : cases[i].b.binding,
                                 is_a ? cases[i].a.name : cases[i].b.name);
            }
            symbol_table_add(&t, 0x200, 8, SYMBOL_GLOBAL, "next");
            symbol_table_finish(&t);
            assert_int_equal(t.n, 2);
            assert_found(&t, 0x104, cases[i].a.name);
            symbol_table_release(&t);
        }
}

static void names_are_demangled_without_parameters(void **state)
{
    static const struct {
        const char *mangled, *plain;
    } cases[] = {
        {"_ZN2ns1AIiE4workEi", "ns::A<int>::work"},
        {"_ZN2ns1AIiE4workEi@plt", "ns::A<int>::work@plt"},
        {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
        {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
        {"main", NULL},
        {"write@plt", NULL},
        {"_Zebra", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_free char *plain = demangle(cases[i].mangled);

        if (cases[i].plain)
            assert_non_null(plain);
        else
            assert_null(plain);
        if (plain)
            assert_string_equal(plain, cases[i].plain);
    }
}

static void kernel_symbols_move_with_the_kernel(void **state)
{
    static const char lines[] = "0000000000000000 A fixed\n"
                                "ffffffff81000000 T _text\n"
                                "ffffffff81000100 t one\n"
                                "ffffffff81000200 r constant\n"
                                "ffffffff81000300 W two\n"
                                "ffffffffc0000000 t of_module\t[module]\n"
                                "nonsense\n";
    cleanup_free char *again = xstrdup(lines), *first = xstrdup(lines);
    char hidden[] = "0000000000000000 T _text\n0000000000000000 t one\n";
    struct symbol_table t = {0};

    (void)state;
    assert_null(kernel_symbols_parse(&t, first, 0xffffffff81000000));
    assert_found(&t, 0xffffffff81000100, "one");
    assert_found(&t, 0xffffffff81000200, "one"); /* data that cannot be written to is none */
    assert_found(&t, 0xffffffff81000300, "two");
    assert_found(&t, 0xffffffff81001fff, "two");
    assert_found(&t, 0xffffffff81002000, NULL); /* the modules are far away */
    assert_found(&t, 0xffffffffc0000000, "of_module");
    symbol_table_release(&t);
    assert_null(kernel_symbols_parse(&t, again, 0xffffffff92000000));
    assert_found(&t, 0xffffffff92000100, "one");
    assert_found(&t, 0xffffffffc0000000, NULL); /* no one knows where it was */
    symbol_table_release(&t);
    assert_string_equal(
        kernel_symbols_parse(&t, hidden, 0),
        "this user may not see kernel addresses: 'sysctl kernel.kptr_restrict=0', or be root");
    assert_int_equal(t.n, 0);
    assert_string_equal(kernel_symbols_read(&t, "0123", 0),
                        "recorded on another kernel than the one that runs");
}

static void jit_files_are_read_as_they_are(void **state)
{
    struct symbol_table t = {0};

    (void)state;
    module_parse_jit(&t, "1000 20 first one\nnonsense\n\n2000 zz\n3000\n4000 10 \n5000 10 last");
    assert_int_equal(t.n, 2);
    assert_found(&t, 0x101f, "first one");
    assert_found(&t, 0x500f, "last");
    symbol_table_release(&t);
}

static void mappings_cut_what_was_there(void **state)
{
    struct module *m = module_new("/a", 1, ""), *other = module_new("/b", 1, "");
    struct address_space s = {0}, copy = {0};
    const struct area *found;

    (void)state;
    address_space_map(&s, &(struct area){0x1000, 0x5000, 0x100, m});
    address_space_map(&s, &(struct area){0x2000, 0x3000, 0, other});
    address_space_map(&s, &(struct area){0x8000, 0x9000, 0, m});
    address_space_copy(&copy, &s);
    address_space_map(&s, &(struct area){0x0, 0x1800, 0, other});
    address_space_map(&s, &(struct area){0x4800, 0x8800, 0, other});
    assert_int_equal(copy.n, 4);
    assert_null(address_space_find(&copy, 0xfff));
    assert_null(address_space_find(&copy, 0x5000));
    found = address_space_find(&copy, 0x3000); /* what is left behind the new one */
    assert_true(found->module == m && found->offset == 0x2100 && found->end == 0x5000);
    assert_true(address_space_find(&copy, 0x2fff)->module == other);
    assert_true(address_space_find(&s, 0x1000)->module == other);
    assert_true(address_space_find(&s, 0x1800)->module == m);
    assert_true(address_space_find(&s, 0x4800)->module == other);
    found = address_space_find(&s, 0x8800);
    assert_true(found->module == m && found->offset == 0x800);
    address_space_map(&s, &(struct area){0x0, 0x10000, 0, m});
    assert_int_equal(s.n, 1);
    address_space_release(&s);
    address_space_release(&copy);
    module_free(m);
    module_free(other);
}

static void tell_map(struct symbols *s, uint32_t pid, uint64_t start, const char *path)
{
    struct perf_record r = {.type = PERF_RECORD_MMAP,
                            .misc = PERF_RECORD_MISC_USER,
                            .pid = pid,
                            .map = {.start = start, .length = 0x1000, .path = path}};

    symbols_record(s, &r);
}

static void tell_comm(struct symbols *s, uint32_t pid, uint32_t tid, bool exec, const char *comm)
{
    struct perf_record r = {.type = PERF_RECORD_COMM,
                            .misc = exec ? PERF_RECORD_MISC_COMM_EXEC : 0,
                            .pid = pid,
                            .tid = tid,
                            .comm = comm};

    symbols_record(s, &r);
}

static void tell_fork(struct symbols *s, uint32_t pid, uint32_t parent, uint32_t tid,
                      uint32_t parent_tid)
{
    struct perf_record r = {.type = PERF_RECORD_FORK,
                            .pid = pid,
                            .parent_pid = parent,
                            .tid = tid,
                            .parent_tid = parent_tid};

    symbols_record(s, &r);
}

static void assert_frame(struct symbols *s, uint32_t pid, uint64_t address, const char *name)
{
    assert_string_equal(symbols_frame(s, pid, address, false).name, name);
}

static void forks_copy_and_exec_starts_anew(void **state)
{
    struct perf_header header = {0};
    cleanup_symbols struct symbols *s = symbols_new(&header);
    cleanup_strings struct strings problems = {0};

    (void)state;
    tell_comm(s, 1, 1, false, "parent");
    tell_map(s, 1, 0x1000, "/nowhere/parent");
    tell_fork(s, 2, 1, 2, 1);
    tell_map(s, 1, 0x5000, "//anon");
    tell_fork(s, 2, 2, 3, 2); /* a thread */
    assert_string_equal(symbols_comm(s, 3), "parent");
    assert_frame(s, 2, 0x1800, "[parent]");
    assert_frame(s, 2, 0x5000, STACKS_UNKNOWN);
    assert_frame(s, 1, 0x5000, "[anonymous]");
    tell_comm(s, 2, 2, true, "child");
    tell_map(s, 2, 0x1000, "/nowhere/child");
    assert_string_equal(symbols_comm(s, 2), "child");
    assert_string_equal(symbols_comm(s, 3), "parent");
    assert_string_equal(symbols_comm(s, 4), "");
    assert_string_equal(symbols_comm(s, 0), "swapper");
    assert_frame(s, 2, 0x1800, "[child]");
    assert_frame(s, 1, 0x1800, "[parent]");
    assert_frame(s, 9, 0x1800, STACKS_UNKNOWN);
    assert_null(symbols_frame(s, 9, 0x1800, false).module);
    symbols_problems(s, &problems);
    assert_int_equal(problems.count, 3);
    assert_string_equal(problems.items[0], "/nowhere/parent: it is gone");
    assert_string_equal(problems.items[1],
                        "/tmp/perf-1.map: no description of code that was compiled while it ran");
}

/* A program may be linked so that addresses and offsets differ; this one finds its own function. */
static void symbols_of_the_file_that_was_recorded(void **state)
{
    struct perf_build_id ids[] = {{.path = (char *)"/proc/self/exe", .id = "00"}};
    struct perf_header header = {0}, wrong = {.build_ids = ids, .n_build_ids = 1};
    cleanup_symbols struct symbols *s = symbols_new(&header), *other = symbols_new(&wrong);
    cleanup_strings struct strings problems = {0};
    Dl_info here;
    struct perf_record r = {.type = PERF_RECORD_MMAP, .misc = PERF_RECORD_MISC_USER, .pid = 1};

    (void)state;
    assert_true(dladdr(&demangle, &here));
    r.map = (struct perf_mmap){.start = (uintptr_t)here.dli_fbase & ~0xfffULL,
                               .length = 64 << 20,
                               .path = "/proc/self/exe"};
    symbols_record(s, &r);
    symbols_record(other, &r);
    if (((uintptr_t)&symbols_of_the_file_that_was_recorded >> 32) != 0) /* position-independent */
        assert_string_equal(symbols_frame(s, 1, (uintptr_t)&demangle + 1, false).name, "demangle");
    assert_frame(other, 1, (uintptr_t)&demangle, "[exe]");
    symbols_problems(other, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0],
                        "/proc/self/exe: it is not the file that was recorded: another build-id");
}

static void the_vdso_has_names(void **state)
{
    struct module *m = module_new("[vdso]", 1, "");
    size_t names = 0;

    (void)state;
    for (uint64_t at = 0; at < 8192; at += 16) {
        const char *name = module_symbol(m, at, 0);

        names += name && strstr(name, "clock_gettime");
    }
    if (m->problem) {
        print_message("# SKIP no vdso here\n");
        module_free(m);
        skip();
    }
    module_free(m);
    assert_true(names > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_end_where_they_say_or_the_next_begins),
        cmocka_unit_test(one_alias_is_chosen_as_perf_does),
        cmocka_unit_test(names_are_demangled_without_parameters),
        cmocka_unit_test(kernel_symbols_move_with_the_kernel),
        cmocka_unit_test(jit_files_are_read_as_they_are),
        cmocka_unit_test(mappings_cut_what_was_there),
        cmocka_unit_test(forks_copy_and_exec_starts_anew),
        cmocka_unit_test(symbols_of_the_file_that_was_recorded),
        cmocka_unit_test(the_vdso_has_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
