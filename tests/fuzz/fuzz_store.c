/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target of what a stored repetition is read from. The first byte chooses: 's'
 * series.tsv, 'b' both, separated by a zero byte, else repetition.json. What is read must also be
 * written and read again to the same; of both, a report is made.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "report/document.h"
#include "store/record_json.h"
#include "store/series_text.h"
#include "store/slices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void fuzz_series(const uint8_t *data, size_t size)
{
    char *text = xcalloc(size + 1, 1);
    struct series series = {0}, again = {0};
    struct text first = {0}, second = {0};
    struct bench_error err;

    memcpy(text, data, size);
    if (series_from_text(&series, text, size, &err) == 0) {
        series_to_text(&series, &first);
        text_add_bytes(&second, first.data, first.length);
        check(series_from_text(&again, second.data, second.length, &err) == 0);
        text_release(&second);
        series_to_text(&again, &second);
        check(strcmp(first.data, second.data) == 0);
    }
    series_release(&series);
    series_release(&again);
    text_release(&first);
    text_release(&second);
    free(text);
}

static void fuzz_record(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct repetition_record record = {0}, again = {0};
    struct bench_error err;

    if (json && record_from_json(&record, json, &err) == 0) {
        json_t *first = record_to_json(&record), *second;

        check(record_from_json(&again, first, &err) == 0);
        second = record_to_json(&again);
        check(json_equal(first, second));
        json_decref(first);
        json_decref(second);
    }
    json_decref(json);
    record_release(&record);
    record_release(&again);
}

static void fuzz_report(struct repetition_record *record)
{
    struct stored_run run = {
        .run = json_pack("{s:{s:[]}}", "scenario", "relays"),
        .repetitions = record,
        .n_repetitions = 1,
    };
    struct document *document;

    record_join_slices(record);
    check(document_new(&document, &run, NULL) == 0);
    document_free(document);
    json_decref(run.run);
}

static void fuzz_both(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : 0, rest = end ? size - n - 1 : 0;
    json_t *json = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL);
    char *text = xcalloc(rest + 1, 1);
    struct repetition_record record = {0};

    if (rest)
        memcpy(text, end + 1, rest);
    if (json && record_from_json(&record, json, NULL) == 0 &&
        series_from_text(&record.series, text, rest, NULL) == 0)
        fuzz_report(&record);
    record_release(&record);
    json_decref(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 's')
        fuzz_series(data + 1, size - 1);
    else if (data[0] == 'b')
        fuzz_both(data + 1, size - 1);
    else
        fuzz_record(data + 1, size - 1);
    return 0;
}
