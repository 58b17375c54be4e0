/* Errors, asserts, hashes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"

Test(error, one_line_with_prefix)
{
    struct error error;

    cr_assert_eq(error_set(&error, ERROR_INPUT, "line %d: expected a\nnumber", 3), ERROR_INPUT);
    cr_assert_str_eq(error.text, "line 3: expected a number");
    cr_assert_eq(error_prefix(&error, "%s", "a.yaml"), ERROR_INPUT);
    cr_assert_str_eq(error.text, "a.yaml: line 3: expected a number");
    cr_assert_eq(error_set(NULL, ERROR_SYSTEM, "disk full"), ERROR_SYSTEM);
}

Test(error, long_text_is_cut)
{
    static char many[3 * ERROR_TEXT_MAX];
    struct error error;

    memset(many, 'x', sizeof many - 1);
    error_set(&error, ERROR_INPUT, "%s", many);
    cr_assert_eq(strlen(error.text), ERROR_TEXT_MAX - 1);
    error_prefix(&error, "file");
    cr_assert_eq(strlen(error.text), ERROR_TEXT_MAX - 1);
    cr_assert_eq(memcmp(error.text, "file: xxx", 9), 0);
    error_prefix(&error, "%s", many);
    cr_assert_lt(strlen(error.text), ERROR_TEXT_MAX);
}

Test(assert, broken_promise_ends_the_process, .signal = SIGABRT)
{
    ASSERT(1 + 1 == 2);
    ASSERT(1 + 1 == 3);
}

Test(bytes, little_endian)
{
    unsigned char bytes[16];

    bytes_put_i128(bytes, -2);
    cr_assert_eq(bytes[0], 0xfe);
    cr_assert_eq(bytes[15], 0xff);
    cr_assert(bytes_get_i128(bytes) == -2);
    bytes_put_u32(bytes, UINT32_C(0x01020304));
    cr_assert_eq(bytes[0], 4);
    cr_assert_eq(bytes_get_u16(bytes), 0x0304);
}

Test(hash, known_values)
{
    char text[HASH_128_TEXT_BYTES];
    struct hash_128 hash = hash_128("", 0), again;

    hash_64_to_text(hash_64("", 0), text);
    cr_assert_str_eq(text, "2d06800538d394c2");
    hash_128_to_text(hash, text);
    cr_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
    cr_assert(hash_128_from_text(text, 32, &again));
    cr_assert(hash_128_equal(hash, again));
    cr_assert_not(hash_128_from_text(text, 31, &again));
    text[5] = 'A';
    cr_assert_not(hash_128_from_text(text, 32, &again));
}

Test(hash, stream_at_any_alignment_equals_one_shot)
{
    static unsigned char bytes[5000];
    static unsigned char memory[HASH_STREAM_BYTES + 64];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t shift = 0; shift < 64; shift++) {
        struct hash_stream *stream = (struct hash_stream *)(void *)(memory + shift);
        hash_stream_init(stream);
        for (size_t at = 0; at < sizeof bytes; at += 1 + shift * 11) {
            size_t left = sizeof bytes - at, step = 1 + shift * 11;
            hash_stream_update(stream, bytes + at, left < step ? left : step);
            if (at == 0)
                hash_stream_64(stream);
        }
        cr_assert_eq(hash_stream_64(stream), hash_64(bytes, sizeof bytes));
        cr_assert(hash_128_equal(hash_stream_128(stream), hash_128(bytes, sizeof bytes)));
    }
}

Test(utf8, strict)
{
    uint32_t character = 0;

    cr_assert_eq(utf8_read("\xe2\x82\xac", 3, &character), 3);
    cr_assert_eq(character, 0x20ac);
    cr_assert_eq(utf8_read("\xf4\x8f\xbf\xbf", 4, NULL), 4);
    cr_assert_eq(utf8_read("", 0, NULL), 0);
    cr_assert_eq(utf8_read("\0", 1, NULL), 1);
    cr_assert_eq(utf8_read("\xe2\x82", 2, NULL), 0, "cut");
    cr_assert_eq(utf8_read("\xc0\x80", 2, NULL), 0, "longer than needed");
    cr_assert_eq(utf8_read("\xe0\x80\x80", 3, NULL), 0, "longer than needed");
    cr_assert_eq(utf8_read("\xed\xa0\x80", 3, NULL), 0, "surrogate");
    cr_assert_eq(utf8_read("\xf4\x90\x80\x80", 4, NULL), 0, "past U+10FFFF");
    cr_assert_eq(utf8_read("\x80", 1, NULL), 0);
    cr_assert(utf8_is_word("BTC-\xe2\x82\xac", 7));
    cr_assert_not(utf8_is_word("a b", 3));
    cr_assert_not(utf8_is_word("a\xc2\xa0", 3));
    cr_assert_not(utf8_is_word("", 0));
}
