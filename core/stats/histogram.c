/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/histogram.h"

#include <endian.h>
#include <math.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"

struct histogram *histogram_new(void)
{
    return xcalloc(1, sizeof(struct histogram));
}

void histogram_record(struct histogram *h, int64_t ns, uint64_t times)
{
    h->counts[bench_histogram_index(ns)] += times;
    h->total += times;
}

void histogram_add_shared(struct histogram *h, const struct bench_histogram *shared)
{
    for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTS; i++) {
        uint64_t n = __atomic_load_n(&shared->counts[i], __ATOMIC_RELAXED);

        h->counts[i] += n;
        h->total += n;
    }
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
}

void histogram_subtract(struct histogram *from, const struct histogram *what)
{
    for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTS; i++)
        from->counts[i] -= what->counts[i];
    from->total -= what->total;
}

/* --- reading ------------------------------------------------------------------------------- */

/* The bucket's lowest value and width: the inverse of bench_histogram_index(). */
static int64_t lowest(size_t index, int64_t *ret_width)
{
    size_t octave = index < 2 * BENCH_HISTOGRAM_HALF ? 0 : index / BENCH_HISTOGRAM_HALF - 1;

    *ret_width = INT64_C(1) << octave;
    return (int64_t)(index - octave * BENCH_HISTOGRAM_HALF) << octave;
}

static double highest(size_t index)
{
    int64_t width, low = lowest(index, &width);

    return (double)(low + width - 1);
}

double histogram_percentile(const struct histogram *h, double q)
{
    uint64_t want = (uint64_t)ceil(q * (double)h->total), seen = 0;

    for (size_t i = 0; h->total && i < BENCH_HISTOGRAM_COUNTS; i++) {
        seen += h->counts[i];
        if (seen >= want && seen > 0)
            return highest(i);
    }
    return NAN;
}

double histogram_mean(const struct histogram *h)
{
    double sum = 0;

    for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTS; i++) {
        int64_t width, low = lowest(i, &width);

        if (h->counts[i])
            sum += (double)h->counts[i] * ((double)low + (double)(width - 1) / 2);
    }
    return h->total ? sum / (double)h->total : NAN;
}

double histogram_maximum(const struct histogram *h)
{
    for (size_t i = BENCH_HISTOGRAM_COUNTS; h->total && i-- > 0;)
        if (h->counts[i])
            return highest(i);
    return NAN;
}

bool histogram_supports(const struct histogram *h, double q)
{
    return h->total > 0 && (double)h->total * (1 - q) >= 10 - 1e-6;
}

/* --- HdrHistogram V2 ----------------------------------------------------------------------- */

#define COOKIE_V2 (0x1c849303 | 0x10)
#define COOKIE_V2_COMPRESSED (0x1c849304 | 0x10)
#define HEADER 40 /* cookie, length, offset, digits: 4 bytes each; lowest, highest, ratio: 8 */

static void put32(struct text *t, uint32_t v)
{
    v = htobe32(v);
    text_add_bytes(t, &v, sizeof(v));
}

static void put64(struct text *t, uint64_t v)
{
    v = htobe64(v);
    text_add_bytes(t, &v, sizeof(v));
}

/* ZigZag, then LEB128 whose ninth byte carries 8 bits (ZigZagEncoding.putLong of HdrHistogram). */
static void put_count(struct text *t, int64_t count)
{
    uint64_t v = ((uint64_t)count << 1) ^ (uint64_t)(count >> 63);
    unsigned char byte;

    for (int i = 0; i < 8 && v >> 7; i++, v >>= 7) {
        byte = (unsigned char)(v | 0x80);
        text_add_bytes(t, &byte, 1);
    }
    byte = (unsigned char)v;
    text_add_bytes(t, &byte, 1);
}

/* Counts up to the last that is not zero; a run of zeros is one negative number. */
static void put_counts(struct text *t, const struct histogram *h)
{
    size_t end = BENCH_HISTOGRAM_COUNTS;

    while (end > 0 && h->counts[end - 1] == 0)
        end--;
    for (size_t i = 0; i < end;) {
        size_t zeros = 0;

        while (h->counts[i + zeros] == 0)
            zeros++;
        put_count(t, zeros ? -(int64_t)zeros : (int64_t)h->counts[i]);
        i += zeros ? zeros : 1;
    }
}

static char *to_base64(const struct text *bytes)
{
    char *out = xcalloc(BASE64_ENCODE_RAW_LENGTH(bytes->length) + 1, 1);

    base64_encode_raw(out, bytes->length, (const uint8_t *)bytes->data);
    return out;
}

char *histogram_encode(const struct histogram *h)
{
    cleanup_text struct text counts = {0}, plain = {0}, packed = {0};
    cleanup_free Bytef *deflated = NULL;
    double ratio = 1;
    uint64_t bits;
    uLongf length;

    put_counts(&counts, h);
    put32(&plain, COOKIE_V2);
    put32(&plain, (uint32_t)counts.length);
    put32(&plain, 0);
    put32(&plain, 3);
    put64(&plain, 1);
    put64(&plain, BENCH_HISTOGRAM_MAXIMUM);
    memcpy(&bits, &ratio, sizeof(bits));
    put64(&plain, bits);
    text_add_bytes(&plain, counts.data ? counts.data : "", counts.length);
    length = compressBound(plain.length);
    deflated = xcalloc(length, 1);
    if (compress(deflated, &length, (const Bytef *)plain.data, plain.length) != Z_OK)
        abort(); /* the buffer has the bound that zlib asks for */
    put32(&packed, COOKIE_V2_COMPRESSED);
    put32(&packed, (uint32_t)length);
    text_add_bytes(&packed, deflated, length);
    return to_base64(&packed);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return be64toh(v);
}

static int refuse(struct bench_error *err, const char *why)
{
    return error_set(err, BENCH_ERROR_RUN, "not a histogram that bench wrote: %s", why);
}

/* Reads one number; returns its length, 0 at the end of the input. */
static size_t get_count(const uint8_t *p, size_t left, int64_t *ret)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 9 && i < left; i++) {
        v |= (uint64_t)(i == 8 ? p[i] : p[i] & 0x7f) << (7 * i);
        if (i == 8 || !(p[i] & 0x80)) {
            *ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return i + 1;
        }
    }
    return 0;
}

/* Below what a share of it, rounded as a double, is still a uint64_t. */
#define MOST_RECORDS (UINT64_C(1) << 62)

static int get_counts(struct histogram *h, const uint8_t *p, size_t left, struct bench_error *err)
{
    size_t index = 0;

    while (left > 0) {
        int64_t n;
        size_t used = get_count(p, left, &n);

        if (used == 0)
            return refuse(err, "a count is cut off");
        if (n < 0 ? -(uint64_t)n > BENCH_HISTOGRAM_COUNTS - index
                  : index >= BENCH_HISTOGRAM_COUNTS || (uint64_t)n > MOST_RECORDS - h->total)
            return refuse(err, "more counts than buckets");
        if (n < 0) {
            index += (size_t)-n;
        } else {
            h->counts[index++] = (uint64_t)n;
            h->total += (uint64_t)n;
        }
        p += used;
        left -= used;
    }
    return 0;
}

static int decode_plain(struct histogram *h, const uint8_t *p, size_t length,
                        struct bench_error *err)
{
    if (length < HEADER || get32(p) != COOKIE_V2)
        return refuse(err, "not the V2 encoding");
    if (get32(p + 4) != length - HEADER)
        return refuse(err, "the length is wrong");
    if (get32(p + 8) != 0 || get32(p + 12) != 3 || get64(p + 16) != 1 ||
        get64(p + 24) > BENCH_HISTOGRAM_MAXIMUM)
        return refuse(err, "other buckets");
    return get_counts(h, p + HEADER, length - HEADER, err);
}

int histogram_decode(struct histogram *h, const char *text, struct bench_error *err)
{
    /* Nine bytes a count at most: whatever is larger when inflated is none of ours. */
    enum { MOST = HEADER + 9 * BENCH_HISTOGRAM_COUNTS };
    size_t n = strlen(text), length = BASE64_DECODE_LENGTH(n);
    cleanup_free uint8_t *packed = xcalloc(length + 1, 1), *plain = xcalloc(MOST, 1);
    cleanup_free struct histogram *result = histogram_new();
    struct base64_decode_ctx base64;
    uLongf plain_length = MOST;

    base64_decode_init(&base64);
    if (!base64_decode_update(&base64, &length, packed, n, text) || !base64_decode_final(&base64))
        return refuse(err, "not base64");
    if (length < 8 || get32(packed) != COOKIE_V2_COMPRESSED)
        return refuse(err, "not the compressed V2 encoding");
    if (get32(packed + 4) != length - 8 ||
        uncompress(plain, &plain_length, packed + 8, length - 8) != Z_OK)
        return refuse(err, "does not inflate");
    if (decode_plain(result, plain, plain_length, err) < 0)
        return -1;
    *h = *result;
    return 0;
}
