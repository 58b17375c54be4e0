/* A simulated venue with made market data, its requests and what it answered as text, for the
 * tests of src/venue/sim/. Prices and quantities are in tenths: bid(1000, 20) is 100.0 x 2.0.
 * Times are milliseconds. */
#ifndef CAPSTAN_TESTS_UNIT_SIM_BENCH_H
#define CAPSTAN_TESTS_UNIT_SIM_BENCH_H

#include "venue/sim/sim.h"

enum { MESSAGES_MAX = 2048, ROWS_MAX = 8192, LOG_MAX = 1 << 18, FLOOR_MS = 1, FILLS_MAX = 4096 };
enum { ETH, USDT, BTC };        /* assets, in the order of their names below */
enum { SPOT, LINEAR, INVERSE }; /* instruments */

/* One venue, its market data and what it answered, as text. */
struct bench {
    struct message messages[MESSAGES_MAX];
    struct row rows[ROWS_MAX];
    union event_record records[MESSAGES_MAX];
    size_t message_count, row_count;
    struct event_definition definitions[3];
    struct event_names names;
    struct settings_global global;
    struct settings_venue venue_settings;
    struct settings_instrument instrument_settings[3];
    struct feed *feed;
    struct venue *venue;
    int64_t now; /* ns */
    char log[LOG_MAX];
    size_t log_length;
    struct event_order_filled fills[FILLS_MAX];
    size_t fill_count;
};

extern struct bench bench;

static inline int64_t ms(double milliseconds)
{
    return (int64_t)(milliseconds * 1e6);
}

/* Settings and definitions that hold unless a test changes them before the venue is opened. */
void setup(void);
void teardown(void);

/* Market data. tell() begins a message of LINEAR that the venue stamps at `venue_ms`; bid() and so
 * on add its rows. With snapshot(), depth() and trade() the local time follows by the floor. */
struct row level(int64_t price, int64_t quantity);
struct message *tell(enum event_kind kind, enum channel channel, double local_ms, double venue_ms);
void add_row(struct row row, uint8_t flags);
void bid(int64_t price, int64_t quantity);
void ask(int64_t price, int64_t quantity);
void snapshot(double at);
void depth(double at);
void trade(double at, uint8_t flags, int64_t price, int64_t quantity);
void buy_trade(double at, int64_t price, int64_t quantity);
void sell_trade(double at, int64_t price, int64_t quantity);
/* Whole books: bid 100.0 x 10.0 and ask 101.0 x 10.0; bid 99.0 x 1.0, asks 100.0 x 1.0, 101.0 x
 * 2.0. */
void level_of_ten(void);
void two_asks(void);

/* Running. The venue is opened by the first run_to(), which does as the loop: advance, take one
 * answer, advance again. submit() and those after it run to their time first. */
void open_venue(void);
void run_to(double at);
/* The same, where the venue ends the run by then: bad input, in a line that has `text`. */
void run_to_error(double at, const char *text);
void submit(double at, enum event_kind kind, union event_record *record, unsigned instrument);
struct event_place place_of(unsigned instrument, int order, enum side side, int64_t price,
                            int64_t quantity);
void send_place(double at, struct event_place place);
void place(double at, int order, enum side side, int64_t price, int64_t quantity);
void place_as(double at, int order, enum side side, int64_t price, int64_t quantity,
              enum time_in_force time_in_force, bool post_only);
void cancel(double at, int order);
void replace(double at, int old, int order, enum side side, int64_t price, int64_t quantity);
void modify(double at, int order, enum side side, int64_t price, int64_t leaves);

/* What was answered, one line each, its time in ms first: "10 fill #1 1.0@100.0 queue left 0.5". */
void expect(const char *log);
void expect_money(money amount, const char *text);
const struct sim_stats *stats(void);

#endif
