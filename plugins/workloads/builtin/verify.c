/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <endian.h>
#include <string.h>

/* The 8 bytes at offset 8 × index. */
static uint64_t word(const struct verify_stream *s, uint64_t index)
{
    uint64_t z = index + ((uint64_t)s->connection << 33) + ((uint64_t)s->from_server << 32);

    if (index == 0)
        return htole64((uint64_t)~s->connection << 32 | s->connection);
    z *= UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return htole64(z ^ (z >> 31));
}

void verify_fill(const struct verify_stream *s, uint64_t offset, char *data, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        uint64_t at = offset + done, w = word(s, at / 8);

        part = 8 - at % 8;
        if (part > n - done)
            part = n - done;
        memcpy(data + done, (const char *)&w + at % 8, part);
    }
}

unsigned char verify_byte(const struct verify_stream *s, uint64_t offset)
{
    char byte;

    verify_fill(s, offset, &byte, 1);
    return (unsigned char)byte;
}

size_t verify_compare(const struct verify_stream *s, uint64_t offset, const char *data, size_t n)
{
    char expected[512];

    for (size_t done = 0, part; done < n; done += part) {
        part = n - done < sizeof(expected) ? n - done : sizeof(expected);
        verify_fill(s, offset + done, expected, part);
        if (memcmp(expected, data + done, part) == 0)
            continue;
        while (verify_byte(s, offset + done) == (unsigned char)data[done])
            done++;
        return done;
    }
    return n;
}

bool verify_header(const char *header, uint32_t *ret_connection)
{
    uint64_t w;

    memcpy(&w, header, sizeof(w));
    w = le64toh(w);
    if ((uint32_t)(w >> 32) != ~(uint32_t)w)
        return false;
    *ret_connection = (uint32_t)w;
    return true;
}
