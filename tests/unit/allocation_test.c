/* Counts every allocation of the process while a backtest's loop runs: there must be none, however
 * long the tape. Speaks TAP itself, since the counting needs a process without a test framework. */
#include "config.h" /* POSIX names */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/backtest.h"
#include "tests/unit/counting_allocator.h"
#include "tests/unit/small_tape.h"

static struct error error;

/* Replay a tape of so many messages; -1 where it failed. */
static long allocations_of(const char *path, unsigned messages, const char *threads)
{
    const struct small_tape_options tape = {
        .path = path, .messages = messages, .block_events = 1024};
    struct config *config = NULL;
    struct backtest backtest = {0};
    struct backtest_options options = {.tape = path, .from = INT64_MIN, .to = INT64_MAX};
    long result = -1;
    if (small_tape_write(&tape, &error) || config_create(&config, &error) ||
        config_set(config, threads, &error) || config_set(config, "warm_up.trades=0", &error) ||
        config_set(config, "warm_up.book_messages=0", &error) ||
        config_set(config, "warm_up.samples=0", &error) ||
        config_set(config, "sim.balances=1000000000 USD, 100000 BTC, 100000 ETH", &error))
        goto done;
    options.config = config;
    if (backtest_open(&backtest, &options, &error))
        goto done;
    unsigned long before = counting_allocator_count();
    int code = backtest_run(&backtest, &error);
    unsigned long after = counting_allocator_count();
    if (!code && engine_counters(backtest.engine.engine)->fills > 0)
        result = (long)(after - before);
done:
    backtest_close(&backtest);
    config_free(&config);
    unlink(path);
    return result;
}

static int check(int number, const char *path, unsigned messages, const char *threads)
{
    long made = allocations_of(path, messages, threads);
    printf("%s %d - no allocation in the loop: %u messages, %s\n", made == 0 ? "ok" : "not ok",
           number, messages, threads);
    if (made != 0)
        printf("# %ld allocations %s\n", made, error.text);
    return made != 0;
}

int main(void)
{
    char path[64];
    if (!counting_allocator_works()) {
        printf("1..0 # SKIP the allocator can't be counted here\n");
        return 0;
    }
    snprintf(path, sizeof path, "allocation_test.%ld.tape", (long)getpid());
    printf("1..4\n");
    int failed = check(1, path, 5000, "feed.threads=1");
    failed |= check(2, path, 100000, "feed.threads=1");
    failed |= check(3, path, 5000, "feed.threads=2");
    failed |= check(4, path, 100000, "feed.threads=2");
    return failed;
}
