/* The script of faults: what it chooses, and how it refuses what is wrong. */
#include "exchange/faults.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

TestSuite(exchange_faults);

static struct faults *read_script(const char *text)
{
    struct faults *faults = NULL;
    struct error error = {0};
    cr_assert_eq(faults_read(&faults, "f", text, 1, &protocol_binance_us, &error), 0, "%s",
                 error.text);
    return faults;
}

static const struct fault *ask(struct faults *faults, enum exchange_request kind,
                               const char *client, int64_t elapsed)
{
    struct exchange_call call = {.kind = kind};
    snprintf(call.client, sizeof call.client, "%s", client);
    return faults_on_request(faults, &call, elapsed);
}

Test(exchange_faults, one_occurrence_of_one_kind)
{
    struct faults *faults = read_script("# a comment\n\n"
                                        "drop_answer venue=binance_us request=place nth=2\n");
    cr_assert_eq(faults_count(faults), 1);
    cr_assert_null(ask(faults, EXCHANGE_place, "", 0));
    cr_assert_null(ask(faults, EXCHANGE_cancel, "", 0));
    const struct fault *fault = ask(faults, EXCHANGE_place, "", 0);
    cr_assert(fault);
    cr_assert_eq(fault->kind, FAULT_drop_answer);
    cr_assert_eq(fault->line, 3);
    cr_assert_null(ask(faults, EXCHANGE_place, "", 0));
    cr_assert_eq(faults_at(faults, 0)->hits, 1);
    faults_free(&faults);
}

Test(exchange_faults, storms_runs_and_windows)
{
    struct faults *faults =
        read_script("status venue=any request=any code=429 retry_after=2 at=10s until=20s\n"
                    "status venue=binance_us request=cancel code=503 nth=2 count=3 done=yes\n"
                    "reset venue=binance_us request=query every=3\n"
                    "answer_late venue=binance_us request=place client=x-1 by=7s\n");
    cr_assert_null(ask(faults, EXCHANGE_time, "", 10 * NS_PER_SECOND - 1));
    cr_assert_eq(ask(faults, EXCHANGE_time, "", 10 * NS_PER_SECOND)->code, 429);
    cr_assert_eq(ask(faults, EXCHANGE_time, "", 15 * NS_PER_SECOND)->retry_after_s, 2);
    cr_assert_null(ask(faults, EXCHANGE_time, "", 20 * NS_PER_SECOND));
    for (int i = 1; i <= 6; i++) {
        const struct fault *fault = ask(faults, EXCHANGE_cancel, "", 0);
        cr_assert_eq(fault != NULL, i >= 2 && i <= 4, "cancel %d", i);
        if (fault)
            cr_assert(fault->done);
        cr_assert_eq(ask(faults, EXCHANGE_query, "", 0) != NULL, i % 3 == 0);
    }
    cr_assert_null(ask(faults, EXCHANGE_place, "x-2", 0));
    cr_assert_eq(ask(faults, EXCHANGE_place, "x-1", 0)->by, 7 * NS_PER_SECOND);
    faults_free(&faults);
}

/* The same seed chooses the same; of 10,000 at 5 % about 500. */
Test(exchange_faults, chance_comes_from_the_seed)
{
    struct faults *faults = read_script("gap venue=binance_us message=depthUpdate chance=5%\n");
    struct faults *again = read_script("gap venue=binance_us message=depthUpdate chance=5%\n");
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        bool hit = faults_on_message(faults, "depthUpdate", 0);
        hits += hit;
        cr_assert_eq(hit, faults_on_message(again, "depthUpdate", 0) != NULL);
        cr_assert_null(faults_on_message(faults, "trade", 0));
    }
    cr_assert(hits > 400 && hits < 600, "%d", hits);
    faults_free(&faults);
    faults_free(&again);
}

Test(exchange_faults, moments)
{
    struct faults *faults = read_script("disconnect venue=binance_us at=24h\n"
                                        "clock_skew venue=binance_us at=30s by=-5s for=20s\n"
                                        "reset venue=coinbase at=1s\n");
    cr_assert_eq(faults_count(faults), 2, "another venue's is not ours");
    cr_assert_eq(faults_skew(faults, 29 * NS_PER_SECOND), 0);
    cr_assert_eq(faults_deadline(faults, 0), 30 * NS_PER_SECOND);
    cr_assert_eq(faults_skew(faults, 30 * NS_PER_SECOND), -5 * NS_PER_SECOND);
    cr_assert_eq(faults_deadline(faults, 30 * NS_PER_SECOND), 50 * NS_PER_SECOND);
    cr_assert_eq(faults_skew(faults, 50 * NS_PER_SECOND), 0);
    cr_assert_null(faults_due(faults, 86399 * NS_PER_SECOND));
    cr_assert_eq(faults_due(faults, 86400 * NS_PER_SECOND)->kind, FAULT_disconnect);
    cr_assert_null(faults_due(faults, 86401 * NS_PER_SECOND));
    faults_free(&faults);
}

Test(exchange_faults, what_is_wrong_is_named_with_its_line)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"\nexplode venue=binance_us request=place", "f:2: there is no fault 'explode'"},
        {"reset request=place", "f:1: expected venue=NAME"},
        {"reset venue=kraken request=place", "f:1: venue: expected binance_us, coinbase, oanda"},
        {"reset venue=binance_us", "f:1: expected request=, message= or at="},
        {"reset venue=binance_us request=dance", "f:1: request: there is none of the name 'dance'"},
        {"gap venue=binance_us request=place", "f:1: gap does not go with a request"},
        {"drop_answer venue=any message=any", "f:1: drop_answer does not go with a message"},
        {"gap venue=binance_us message=l2_data", "f:1: message: binance_us sends no 'l2_data'"},
        {"gap venue=coinbase message=nothing", "f:1: message: no venue sends 'nothing'"},
        {"status venue=binance_us request=place", "f:1: status: expected code=STATUS"},
        {"status venue=binance_us request=place code=200", "f:1: code: expected a whole number"},
        {"stall venue=binance_us request=place", "f:1: stall: expected for=TIME"},
        {"reset venue=binance_us request=place by=1s", "f:1: reset takes no by"},
        {"outage venue=binance_us at=1s", "f:1: outage: expected for=TIME"},
        {"private_outage venue=binance_us at=1s", "f:1: private_outage: expected for=TIME"},
        {"reset venue=binance_us request=place nth=0", "f:1: nth: expected a whole number from 1"},
        {"reset venue=binance_us request=place nth=1 every=2", "f:1: expected one of nth, every"},
        {"reset venue=binance_us request=place nth=1 nth=2", "f:1: nth stands there twice"},
        {"reset venue=binance_us request=place chance=half", "f:1: chance: expected a part like"},
        {"reset venue=binance_us request=place at=soon", "f:1: at: expected a time with its unit"},
        {"reset venue=binance_us at=1s nth=2", "f:1: nth, count, every, chance and until go with"},
        {"accept_late venue=binance_us request=place by=-1s",
         "f:1: by: expected a time that is not"},
        {"reset venue=binance_us request=place what", "f:1: expected NAME=VALUE, found 'what'"},
        {"reset venue=binance_us request=place why=so", "f:1: there is no 'why'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct faults *faults = NULL;
        struct error error = {0};
        cr_assert_eq(faults_read(&faults, "f", rows[i].text, 1, &protocol_binance_us, &error),
                     ERROR_INPUT, "%s", rows[i].text);
        cr_assert_eq(strncmp(error.text, rows[i].error, strlen(rows[i].error)), 0, "%s",
                     error.text);
        cr_assert_null(faults);
    }
}
