/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Each list goes from small to large; format_* takes the last one that divides the value. */
static const struct unit durations[] = {
    {"ns", 1},
    {"us", NS_PER_US},
    {"ms", NS_PER_MS},
    {"s", NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S},
    {"\u00b5s", NS_PER_US}, /* read, never written */
    {"min", 60 * NS_PER_S},
    {"d", 24 * 3600 * NS_PER_S},
    {"", NS_PER_S},
};
enum { WRITTEN_DURATIONS = 6 };

#define KIBI INT64_C(1024)
#define KILO INT64_C(1000)
static const struct unit sizes[] = {
    {"", 1},
    {"K", KIBI},
    {"M", KIBI *KIBI},
    {"G", KIBI *KIBI *KIBI},
    {"T", KIBI *KIBI *KIBI *KIBI},
    {"B", 1},
    {"k", KIBI},
    {"KiB", KIBI},
    {"MiB", KIBI *KIBI},
    {"GiB", KIBI *KIBI *KIBI},
    {"TiB", KIBI *KIBI *KIBI *KIBI},
    {"kB", KILO},
    {"KB", KILO},
    {"MB", KILO *KILO},
    {"GB", KILO *KILO *KILO},
    {"TB", KILO *KILO *KILO *KILO},
};
enum { WRITTEN_SIZES = 5 };

static const struct unit rates[] = {
    {"", 1},
    {"k", KILO},
    {"M", KILO *KILO},
    {"G", KILO *KILO *KILO},
    {"T", KILO *KILO *KILO *KILO},
    {"K", KILO},
};
enum { WRITTEN_RATES = 5 };

static const struct unit *find_unit(const struct unit *units, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

static int refuse(struct bench_error *err, const char *text, const char *what, const char *how)
{
    errno = 0;
    return error_set(err, BENCH_ERROR_USAGE, "'%s' is not %s: write %s", text, what, how);
}

/* It is one, of a value that cannot be: a caller that knows narrower bounds names those instead. */
static int refuse_range(struct bench_error *err, const char *text, const char *why)
{
    error_set(err, BENCH_ERROR_USAGE, "'%s' is out of range: %s", text, why);
    errno = ERANGE;
    return -1;
}

static const char *skip_digits(const char *p)
{
    while (isdigit((unsigned char)*p))
        p++;
    return p;
}

enum exactness { EXACT, NOT_A_NUMBER, TOO_LARGE, TOO_FINE, NEGATIVE };

/*
 * The value of "DIGITS[.DIGITS]UNIT" as a whole number of the smallest unit, without ever passing
 * through floating point: "0.1s" is exactly 100,000,000 ns, and "0.1ns" is refused.
 */
static enum exactness parse_exact(const char *text, const struct unit *units, size_t n,
                                  int64_t *ret)
{
    const char *digits = text + (*text == '-');
    const char *point = skip_digits(digits), *rest = *point == '.' ? skip_digits(point + 1) : point,
               *end = rest;
    const struct unit *unit = find_unit(units, n, rest);
    unsigned __int128 value = 0, scale = 1;
    const unsigned __int128 most = (unsigned __int128)INT64_MAX * INT64_MAX;

    if (!unit || point == digits || (*point == '.' && rest == point + 1))
        return NOT_A_NUMBER;
    while (end > point && end[-1] == '0') /* zeros at the end of a fraction mean nothing */
        end--;
    for (const char *p = digits; p < end; p++) {
        if (*p == '.')
            continue;
        if (value > INT64_MAX)
            return p > point ? TOO_FINE : TOO_LARGE;
        value = value * 10 + (unsigned)(*p - '0');
        scale *= p > point ? 10 : 1;
        if (scale > most / 10)
            return TOO_FINE;
    }
    if (value > most / (unsigned __int128)unit->factor)
        return TOO_LARGE;
    value *= (unsigned __int128)unit->factor;
    if (value / scale > INT64_MAX)
        return TOO_LARGE;
    if (value % scale)
        return TOO_FINE;
    if (digits > text && value)
        return NEGATIVE;
    *ret = (int64_t)(value / scale);
    return EXACT;
}

int parse_integer(const char *text, int64_t *ret, struct bench_error *err)
{
    const char *digits = text + (*text == '-');
    long long value;

    if (!*digits || *skip_digits(digits))
        return refuse(err, text, "an integer", "digits only, like 10 or -1");
    errno = 0;
    value = strtoll(text, NULL, 10);
    if (errno)
        return refuse_range(err, text,
                            "an integer lies between -9223372036854775808 and "
                            "9223372036854775807");
    *ret = value;
    return 0;
}

enum decimal { DECIMAL, NO_DECIMAL, DECIMAL_OUT_OF_RANGE };

/* A finite decimal number at the start of `text`; no hexadecimal, no "inf", no leading blanks. */
static enum decimal parse_double(const char *text, double *ret, const char **ret_end)
{
    size_t length = strspn(text, "+-.0123456789eE");
    char *end;

    if (!isdigit((unsigned char)text[strspn(text, "-.")]))
        return NO_DECIMAL;
    /* "0x10": strtod would go on where a decimal number ends. */
    if (text[length] == 'x' || text[length] == 'X')
        return NO_DECIMAL;
    errno = 0;
    *ret = strtod(text, &end);
    *ret_end = end;
    return !isfinite(*ret) || (errno == ERANGE && *ret == 0) ? DECIMAL_OUT_OF_RANGE : DECIMAL;
}

#define DECIMAL_RANGE "a number other than 0 lies between 1e-308 and 1e308, either side of 0"

int parse_number(const char *text, double *ret, struct bench_error *err)
{
    const char *end = "";
    double value;
    enum decimal d = parse_double(text, &value, &end);

    if (d == NO_DECIMAL || *end)
        return refuse(err, text, "a number", "a decimal number like 0.5, 2 or 1e6");
    if (d == DECIMAL_OUT_OF_RANGE)
        return refuse_range(err, text, DECIMAL_RANGE);
    *ret = value;
    return 0;
}

int parse_duration(const char *text, int64_t *ret_ns, struct bench_error *err)
{
    switch (parse_exact(text, durations, ARRAY_SIZE(durations), ret_ns)) {
    case EXACT:
        return 0;
    case TOO_LARGE:
        return refuse_range(err, text, "a duration is at most 292 years");
    case TOO_FINE:
        return refuse_range(err, text, "a duration is a whole number of ns");
    case NEGATIVE:
        return refuse_range(err, text, "a duration is not negative");
    default:
        return refuse(err, text, "a duration", "a number with ns, us, ms, s, m or h, like 500ms");
    }
}

/* The beginning of a time as clock_rfc3339() writes it, at the end of a field. */
static int parse_date(const char *text, int64_t *ret_wall_ns)
{
    size_t length = strlen(text);
    struct tm tm = {0};
    char whole[32];
    time_t seconds;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);

    if (rest && *rest)
        rest = strptime(rest, strlen(rest) == strlen("T06:49") ? "T%H:%M" : "T%H:%M:%S", &tm);
    if (!rest)
        return -1;
    seconds = timegm(&tm);
    if (llabs(seconds) > INT64_MAX / NS_PER_S)
        return -1;
    *ret_wall_ns = seconds * NS_PER_S;
    clock_rfc3339(*ret_wall_ns, whole);
    return length <= strlen(whole) && strncmp(text, whole, length) == 0 ? 0 : -1;
}

int parse_time(const char *text, int64_t now_wall_ns, int64_t *ret_wall_ns, struct bench_error *err)
{
    int64_t ago, date;

    if (parse_exact(text, durations, ARRAY_SIZE(durations), &ago) == EXACT)
        *ret_wall_ns = now_wall_ns - ago;
    else if (parse_date(text, &date) == 0)
        *ret_wall_ns = date;
    else
        return refuse(err, text, "a time",
                      "2026-11-20 or 2026-11-20T06:49 (UTC), or how long ago: 90m, 12h, 30d");
    return 0;
}

int parse_size(const char *text, int64_t *ret_bytes, struct bench_error *err)
{
    switch (parse_exact(text, sizes, ARRAY_SIZE(sizes), ret_bytes)) {
    case EXACT:
        return 0;
    case TOO_LARGE:
        return refuse_range(err, text, "a size is at most 8191 PiB");
    case TOO_FINE:
        return refuse_range(err, text, "a size is a whole number of bytes");
    case NEGATIVE:
        return refuse_range(err, text, "a size is not negative");
    default:
        return refuse(err, text, "a size", "bytes, or 64K, 1M, 2G (of 1024), or 64kB (of 1000)");
    }
}

int parse_rate(const char *text, double *ret_per_second, struct bench_error *err)
{
    const char *end = "";
    double value = 0;
    enum decimal d = parse_double(text, &value, &end);
    const struct unit *unit = d == NO_DECIMAL ? NULL : find_unit(rates, ARRAY_SIZE(rates), end);

    if (!unit)
        return refuse(err, text, "a rate", "a number per second, like 500, 10k, 2.5M or 1G");
    value *= (double)unit->factor;
    if (value < 0)
        return refuse_range(err, text, "a rate is not negative");
    if (d == DECIMAL_OUT_OF_RANGE || !isfinite(value))
        return refuse_range(err, text, DECIMAL_RANGE);
    *ret_per_second = value;
    return 0;
}

/* From 1 on only with its sign: 3 is written where 3% is meant, and a margin or a gate of 300% would
 * hardly ever be reached. */
int parse_share(const char *text, double *ret, struct bench_error *err)
{
    const char *end = "";
    double value;
    char percent[32];
    enum decimal d = parse_double(text, &value, &end);

    if (d == NO_DECIMAL || (*end && strcmp(end, "%") != 0))
        return refuse(err, text, "a share", "a percentage or a fraction, like 3% or 0.03");
    if (d == DECIMAL_OUT_OF_RANGE)
        return refuse_range(err, text, DECIMAL_RANGE);
    if (!*end && value >= 1) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' would be %s%%", text,
                  format_number(value * 100, percent, sizeof(percent)));
        error_hint(err, "write '%s%%', or '%s%%' if that is meant", text, percent);
        errno = 0;
        return -1;
    }
    *ret = *end ? value / 100 : value;
    return 0;
}

int parse_bool(const char *text, int *ret, struct bench_error *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i % 2;
            return 0;
        }
    return refuse(err, text, "a truth value", "true or false");
}

static int parse_cpu(const char **text, long *ret)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return -1;
    *ret = strtol(*text, &end, 10); /* as good as any other when it is out of range */
    *text = end;
    return 0;
}

int parse_cpus(const char *text, uint64_t ret[UNITS_CPU_WORDS], struct bench_error *err)
{
    uint64_t bits[UNITS_CPU_WORDS] = {0};
    const char *p = text;
    bool beyond = false;

    for (;;) {
        long first, last;

        if (parse_cpu(&p, &first) < 0)
            break;
        last = first;
        if (*p == '-') {
            p++;
            if (parse_cpu(&p, &last) < 0 || last < first)
                break;
        }
        beyond |= last >= 64 * UNITS_CPU_WORDS;
        for (long cpu = first; cpu <= last && cpu < 64 * UNITS_CPU_WORDS; cpu++)
            bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
        if (!*p && beyond)
            return refuse_range(err, text, "CPUs are numbered from 0 to 1023");
        if (!*p) {
            memcpy(ret, bits, sizeof(bits));
            return 0;
        }
        if (*p++ != ',')
            break;
    }
    return refuse(err, text, "a list of CPUs", "numbers and ranges, like 0-2,5");
}

static int decimals(double v)
{
    v = fabs(v);
    return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

/* Scales by powers of 1000; `prefixes` has one string per power from 10^-12 on. */
static const char *format_scaled(double v, const char *const *prefixes, int largest,
                                 const char *unit, char *out, size_t size)
{
    char digits[32];
    int power;

    if (v == 0 || !isfinite(v)) {
        snprintf(out, size, "%g %s", v, unit);
        return out;
    }
    /* Rounded first: 999.6 is "1.00 k", not "1000". */
    snprintf(digits, sizeof(digits), "%.2e", v);
    power = (int)floor(atoi(strchr(digits, 'e') + 1) / 3.0);
    power = power < -4 ? -4 : power > largest ? largest : power;
    v = strtod(digits, NULL) / pow(1000, power);
    snprintf(out, size, "%.*f %s%s", decimals(v), v, prefixes[power + 4], unit);
    return out;
}

const char *format_si(double v, char *out, size_t size)
{
    static const char *const prefixes[] = {"p", "n", "u", "m", "", "k", "M", "G", "T", "P"};

    return format_scaled(v, prefixes, 5, "", out, size);
}

const char *format_seconds(double s, char *out, size_t size)
{
    static const char *const prefixes[] = {"p", "n", "u", "m", ""};

    return format_scaled(s, prefixes, 0, "s", out, size);
}

const char *format_binary(double v, char *out, size_t size)
{
    static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    size_t power = 0;

    if (v == 0 || !isfinite(v)) {
        snprintf(out, size, "%g ", v);
        return out;
    }
    while (fabs(v) >= 1023.5 && power + 1 < ARRAY_SIZE(prefixes)) {
        v /= 1024;
        power++;
    }
    /* Bytes are whole as long as they have no prefix. */
    snprintf(out, size, "%.*f %s", power || v != floor(v) ? decimals(v) : 0, v, prefixes[power]);
    return out;
}

static const struct unit *largest_divisor(const struct unit *units, size_t n, int64_t value)
{
    while (n > 1 && (value == 0 || value % units[n - 1].factor))
        n--;
    return &units[n - 1];
}

const char *format_duration(int64_t ns, char *out, size_t size)
{
    const struct unit *unit = largest_divisor(durations, WRITTEN_DURATIONS, ns);

    if (ns == 0)
        snprintf(out, size, "0s");
    else
        snprintf(out, size, "%lld%s", (long long)(ns / unit->factor), unit->name);
    return out;
}

const char *format_size(int64_t bytes, char *out, size_t size)
{
    const struct unit *unit = largest_divisor(sizes, WRITTEN_SIZES, bytes);

    snprintf(out, size, "%lld%s", (long long)(bytes / unit->factor), unit->name);
    return out;
}

const char *format_number(double v, char *out, size_t size)
{
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(out, size, "%.*g", precision, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return out;
}

/* A percentage where that reads back to the same value. */
const char *format_share(double v, char *out, size_t size)
{
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(out, size, "%.*g%%", precision, v * 100);
        if (strtod(out, NULL) / 100 == v)
            return out;
    }
    return fabs(v) < 1 ? format_number(v, out, size) : out;
}

const char *format_rate(double per_second, char *out, size_t size)
{
    char digits[32];

    for (size_t i = WRITTEN_RATES - 1; i > 0; i--) {
        double scaled = per_second / (double)rates[i].factor;

        if (scaled >= 1 && scaled == floor(scaled) && scaled < 1e6 &&
            scaled * (double)rates[i].factor == per_second) {
            snprintf(out, size, "%.0f%s", scaled, rates[i].name);
            return out;
        }
    }
    snprintf(out, size, "%s", format_number(per_second, digits, sizeof(digits)));
    return out;
}
