/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payload that can be checked byte by byte: each byte follows from the connection, the direction
 * and its offset, so one that was changed, lost, doubled, moved or crossed over from another
 * connection does not fit. The first 8 bytes are the connection's number and its complement, by
 * which a server behind a relay knows whose bytes it sees. Pure.
 */
#ifndef BUILTIN_VERIFY_H
#define BUILTIN_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERIFY_HEADER 8

/* A server confirms so many bytes of a stream with a byte of its own, so what is lost with nothing
 * after it shows as well. */
#define VERIFY_PIECE 65536

struct verify_stream {
    uint32_t connection;
    bool from_server;
};

void verify_fill(const struct verify_stream *s, uint64_t offset, char *data, size_t n);
/* The index of the first byte that does not fit, or n. */
size_t verify_compare(const struct verify_stream *s, uint64_t offset, const char *data, size_t n);
unsigned char verify_byte(const struct verify_stream *s, uint64_t offset);
/* Whether a header is one; then whose. */
bool verify_header(const char *header, uint32_t *ret_connection);

#endif
