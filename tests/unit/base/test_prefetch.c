/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/prefetch.h"

enum { ITEMS = 500 };

/* How often each item was made, and how many are alive. */
struct seen {
    pthread_mutex_t lock;
    int made[ITEMS], alive, most_ahead;
    size_t taken;
};

static struct seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *make(void *context, size_t i)
{
    size_t *item = xcalloc(1, sizeof(*item));

    assert_true(context == &seen);
    *item = i;
    pthread_mutex_lock(&seen.lock);
    seen.made[i]++;
    seen.alive++;
    if ((int)(i - seen.taken) > seen.most_ahead)
        seen.most_ahead = (int)(i - seen.taken);
    pthread_mutex_unlock(&seen.lock);
    if (i % 7 == 0)
        sched_yield();
    return item;
}

static void drop(void *item)
{
    pthread_mutex_lock(&seen.lock);
    seen.alive--;
    pthread_mutex_unlock(&seen.lock);
    free(item);
}

static struct prefetch *begin(size_t n)
{
    seen = (struct seen){.lock = PTHREAD_MUTEX_INITIALIZER};
    return prefetch_new(
        &(struct prefetch_spec){.n = n, .make = make, .drop = drop, .context = &seen});
}

static void take(struct prefetch *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t *item = prefetch_take(p);

        assert_non_null(item);
        assert_int_equal(*item, i);
        pthread_mutex_lock(&seen.lock);
        seen.taken = i + 1;
        pthread_mutex_unlock(&seen.lock);
        drop(item);
    }
}

static void each_item_once_and_in_order(void **state)
{
    static const size_t counts[] = {0, 1, 15, 16, 17, ITEMS};

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
        struct prefetch *p = begin(counts[c]);

        take(p, counts[c]);
        assert_null(prefetch_take(p));
        assert_null(prefetch_take(p));
        prefetch_free(p);
        for (size_t i = 0; i < counts[c]; i++)
            assert_int_equal(seen.made[i], 1);
        assert_int_equal(seen.alive, 0);
        assert_true(seen.most_ahead <= 33);
    }
}

static void what_was_not_taken_is_dropped(void **state)
{
    static const size_t counts[] = {0, 1, 3, 100};

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
        struct prefetch *p = begin(ITEMS);

        take(p, counts[c]);
        prefetch_free(p);
        assert_int_equal(seen.alive, 0);
    }
    prefetch_free(NULL);
}

/* On one CPU they would only take turns. */
static void without_threads_it_is_the_same(void **state)
{
    cpu_set_t old, one;
    struct prefetch *p;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &old))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    p = begin(ITEMS);
    take(p, 10);
    assert_int_equal(seen.made[10], 0);
    take(p, 0);
    prefetch_free(p);
    assert_int_equal(seen.alive, 0);
    assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_once_and_in_order),
        cmocka_unit_test(what_was_not_taken_is_dropped),
        cmocka_unit_test(without_threads_it_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
