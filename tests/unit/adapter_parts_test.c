/* Parts that every adapter is made of: frames of what is told, back-off, requests, names, decimals. */
#include "venue/live/adapter_parts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

/* --- what the engine is told ---------------------------------------------------------------------------- */

static struct message told[16];
static uint64_t told_orders[16];
static size_t told_count;
static char logged[1024];

static void take_message(void *context, const struct message *message)
{
    (void)context;
    cr_assert_lt(told_count, 16);
    told[told_count] = *message;
    told_orders[told_count++] = message->record ? message->record->order_accepted.order : 0;
}

static void take_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    snprintf(logged, sizeof logged, "%s", text);
}

static const struct adapter_port port = {.emit = take_message, .log = take_log};

static void tell_accepted(struct adapter_out *out, order_id order)
{
    adapter_tell(out, EVENT_order_accepted, 5, (struct adapter_when){7, MESSAGE_VENUE_TIME})
        ->order_accepted.order = order;
}

Test(adapter_parts, all_but_the_last_of_a_frame_bear_more)
{
    struct adapter_out out;
    adapter_out_init(&out, &port, NULL);
    adapter_out_end(&out);
    cr_expect_eq(told_count, 0);
    for (order_id order = 1; order <= 3; order++)
        tell_accepted(&out, order);
    adapter_out_end(&out);
    adapter_out_end(&out);
    cr_assert_eq(told_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(told_orders[i], i + 1);
        cr_expect_eq(told[i].flags, MESSAGE_VENUE_TIME | (i < 2 ? MESSAGE_MORE : 0));
        cr_expect(told[i].ts_venue == 7 && told[i].stream == 5);
    }
}

/* A host may drop market data and never an answer: the two are not of one frame. */
Test(adapter_parts, market_and_session_messages_are_frames_of_their_own)
{
    static const struct row rows[1];
    struct adapter_out out;
    adapter_out_init(&out, &port, NULL);
    adapter_tell_rows(&out, EVENT_depth, 0, 12, (struct adapter_when){0, 0}, rows, 1);
    adapter_tell_rows(&out, EVENT_top, 2, 13, (struct adapter_when){0, 0}, rows, 1);
    tell_accepted(&out, 1);
    tell_accepted(&out, 2);
    adapter_out_end(&out);
    cr_assert_eq(told_count, 4);
    cr_expect_eq(told[0].flags & MESSAGE_MORE, MESSAGE_MORE);
    cr_expect_eq(told[1].flags & MESSAGE_MORE, 0);
    cr_expect_eq(told[2].flags & MESSAGE_MORE, MESSAGE_MORE);
    cr_expect_eq(told[3].flags & MESSAGE_MORE, 0);
    cr_expect(told[0].rows == rows && told[0].row_count == 1 && told[0].sequence == 12);
}

Test(adapter_parts, a_long_log_line_is_cut)
{
    struct adapter_out out;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    adapter_out_init(&out, &port, NULL);
    adapter_log(&out, LOG_WARN, "%s", text);
    cr_expect_eq(strlen(logged), 511);
}

Test(adapter_parts, what_is_hidden_is_in_no_log_line)
{
    struct adapter_out out;
    char text[2000], key[16] = "";
    adapter_out_init(&out, &port, NULL);
    adapter_hide(&out, "SECRETSECRET");
    adapter_hide(&out, key);
    adapter_log(&out, LOG_WARN, "aSECRETSECRETbSECRETSECRET c%s", "SECRETSECRET");
    cr_expect_str_eq(logged, "a************b************ c************");
    adapter_log(&out, LOG_WARN, "listen-key-9");
    cr_expect_str_eq(logged, "listen-key-9");
    strcpy(key, "listen-key-9");
    adapter_log(&out, LOG_WARN, "listen-key-9");
    cr_expect_str_eq(logged, "************");
    /* Also where the line is cut in its middle. */
    for (size_t at = 495; at < 515; at++) {
        memset(text, 'x', at);
        memcpy(text + at, "SECRETSECRET", sizeof "SECRETSECRET");
        adapter_log(&out, LOG_WARN, "%s", text);
        cr_expect_null(strstr(logged, "SE"), "%s", logged);
    }
}

/* --- back-off -------------------------------------------------------------------------------------------- */

Test(adapter_parts, a_wait_doubles_up_to_its_most_with_jitter)
{
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct random random;
        struct adapter_backoff backoff = {.least_ns = 100, .most_ns = 1500};
        static const int64_t wholes[] = {100, 200, 400, 800, 1500, 1500};
        random_init(&random, seed, 0);
        for (size_t i = 0; i < 6; i++) {
            int64_t wait = adapter_backoff_wait(&backoff, &random);
            cr_expect(wait >= wholes[i] / 2 && wait <= wholes[i], "%zu: %lld", i, (long long)wait);
        }
        backoff.failures = 4000000000U;
        cr_expect_leq(adapter_backoff_wait(&backoff, &random), 1500);
    }
}

Test(adapter_parts, jitter_is_of_the_seed)
{
    struct random one, same, other;
    struct adapter_backoff a = {.least_ns = NS_PER_SECOND, .most_ns = NS_PER_SECOND}, b = a, c = a;
    random_init(&one, 1, 0);
    random_init(&same, 1, 0);
    random_init(&other, 2, 0);
    unsigned differing = 0;
    for (int i = 0; i < 20; i++) {
        int64_t wait = adapter_backoff_wait(&a, &one);
        cr_expect_eq(adapter_backoff_wait(&b, &same), wait);
        differing += adapter_backoff_wait(&c, &other) != wait;
    }
    cr_expect_gt(differing, 15);
}

/* --- requests --------------------------------------------------------------------------------------------- */

Test(adapter_parts, a_request_is_found_by_its_tag_once)
{
    static struct adapter_requests requests;
    struct adapter_asked asked;
    uint64_t first =
        adapter_requests_add(&requests, &(struct adapter_asked){.kind = 3, .order = 8});
    uint64_t second = adapter_requests_add(
        &requests, &(struct adapter_asked){.kind = 4, .order = 9, .replaces = 8});
    cr_expect(first != 0 && second != 0 && first != second);
    cr_expect_eq(adapter_requests_of(&requests, 3), 1);
    cr_expect_eq(adapter_requests_about(&requests, 4, 8)->order, 9);
    cr_expect_eq(adapter_requests_about(&requests, 4, 9)->order, 9);
    cr_expect_null(adapter_requests_about(&requests, 3, 9));
    cr_assert(adapter_requests_take(&requests, first, &asked));
    cr_expect_eq(asked.order, 8);
    cr_expect_not(adapter_requests_take(&requests, first, &asked));
    cr_expect_not(adapter_requests_take(&requests, 77, &asked));
    cr_assert(adapter_requests_take(&requests, second, &asked));
    cr_expect_eq(requests.count, 0);
}

Test(adapter_parts, tags_never_return_and_a_full_table_says_so)
{
    static struct adapter_requests requests;
    struct adapter_asked asked;
    uint64_t last = 0;
    for (size_t i = 0; i < ADAPTER_REQUESTS_MAX; i++) {
        uint64_t tag = adapter_requests_add(&requests, &(struct adapter_asked){0});
        cr_expect_gt(tag, last);
        last = tag;
    }
    cr_expect_eq(adapter_requests_add(&requests, &(struct adapter_asked){0}), 0);
    cr_expect(adapter_requests_take(&requests, last - 5, &asked));
    cr_expect_eq(adapter_requests_add(&requests, &(struct adapter_asked){0}), last + 1);
}

/* --- names and numbers ------------------------------------------------------------------------------------- */

Test(adapter_parts, instruments_by_symbol_and_by_number)
{
    static const char *const symbols[] = {"ZED", "ABC", "MID", "ABCD"};
    static const char *const assets[] = {"A", "BTC", "Z"};
    static const uint16_t numbers[] = {7, 0, 3, 5};
    static const struct event_definition definitions[9] = {[3] = {.tick = 33}};
    const struct event_names tape = {
        .asset_count = 3, .instrument_count = 9, .assets = assets, .definitions = definitions};
    const struct adapter_numbers given = {.names = &tape, .instruments = numbers};
    const struct adapter_settings settings = {.symbols = symbols, .symbol_count = 4};
    struct adapter_names names;
    struct error error;
    cr_assert_eq(adapter_names_init(&names, &settings, &error), 0);
    cr_expect_eq(adapter_place_of_number(&names, 7), ADAPTER_NO_PLACE, "before begin()");
    cr_assert_eq(adapter_names_begin(&names, &given, &error), 0);
    for (uint16_t place = 0; place < 4; place++) {
        cr_expect_eq(adapter_place_of_symbol(&names, symbols[place]), place);
        cr_expect_eq(adapter_place_of_number(&names, numbers[place]), place);
        cr_expect_eq(adapter_number(&names, place), numbers[place]);
    }
    static const char *const none[] = {"", "A", "AB", "ABCE", "ZE", "ZEDD", "zed"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect_eq(adapter_place_of_symbol(&names, none[i]), ADAPTER_NO_PLACE, "%s", none[i]);
    cr_expect_eq(adapter_place_of_number(&names, 1), ADAPTER_NO_PLACE);
    cr_expect_eq(adapter_place_of_number(&names, 9), ADAPTER_NO_PLACE);
    cr_expect_eq(adapter_place_of_number(&names, EVENT_NONE_16), ADAPTER_NO_PLACE);
    cr_expect_eq(adapter_definition(&names, 2)->tick, 33);
    cr_expect_eq(adapter_asset(&names, "BTC"), 1);
    cr_expect_eq(adapter_asset(&names, "BNB"), EVENT_NONE_16);
    adapter_names_free(&names);
}

Test(adapter_parts, decimals_as_they_are_sent)
{
    static const struct {
        int64_t units;
        int exponent;
        const char *text;
    } cases[] = {
        {50000000, -8, "0.5"}, {100, -2, "1"},        {120, 0, "120"},
        {12, 1, "120"},        {1, -8, "0.00000001"}, {0, -4, "0"},
        {-150, -2, "-1.5"},    {1000000, -3, "1000"}, {INT64_MAX, -18, "9.223372036854775807"},
    };
    char text[DECIMAL_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = adapter_decimal(cases[i].units, cases[i].exponent, text);
        cr_expect_str_eq(text, cases[i].text);
        cr_expect_eq(length, strlen(cases[i].text));
    }
    struct venue_id id = adapter_venue_id(UINT64_C(9007199254740991));
    cr_expect(id.length == 16 && memcmp(id.bytes, "9007199254740991\0", 17) == 0);
}
