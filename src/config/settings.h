/* Every setting, in one table a scope: name, type, range, default, one line. YAML, --set, the
 * environment, `config show`, the man page and the engine's structs are all made from it. */
#ifndef CAPSTAN_CONFIG_SETTINGS_H
#define CAPSTAN_CONFIG_SETTINGS_H

#include "base/money.h"

/* Types:
 *   INTEGER   int64, range as written
 *   DURATION  int64 ns, "250ms"
 *   RATIO     int64 in 1e-9, "0.5%" or "0.005"
 *   FLAG      yes or no
 *   PRICES    struct setting_amount: price difference, "0.5" or "2tick"
 *   SIZES     struct setting_amount: quantity, "0.010" or "10lot"
 *   BALANCES  struct setting_text: "100000 USDT, 1.5 BTC"
 *   CHOICE    struct setting_text: one of the words in the range column, separated by |
 *   AMOUNT    money, not negative: "5000"
 *   TEXT      struct setting_text: words, checked by whoever reads them
 *
 * S(field, name, type, least, most, default, line). Ranges are text of the same type; "" is none.
 */
#define SETTINGS_GLOBAL(S)                                                                         \
    S(seed, "seed", INTEGER, "0", "9223372036854775807", "1",                                      \
      "seed of everything random; stands on the tape")                                             \
    S(audit_every, "audit.every", INTEGER, "1", "1000000000", "100000",                            \
      "messages between two full audits of the invariants")                                        \
    S(orders_capacity, "orders.capacity", INTEGER, "64", "1048576", "4096",                        \
      "orders that may be live or unresolved at one time, over all instruments")                   \
    S(feed_threads, "feed.threads", INTEGER, "1", "2", "1",                                        \
      "1: decode the tape on the engine's thread; 2: on one beside it")                            \
    S(sim_reorder, "sim.reorder", DURATION, "0", "10s", "250ms",                                   \
      "how far the simulated venue reads ahead of the engine to order messages by venue time")     \
    S(shutdown_step_timeout, "shutdown.step_timeout", DURATION, "1ms", "30s", "5s",                \
      "how long a shutdown waits for each of its last steps: flush, close, disconnect")            \
    S(shutdown_force_after, "shutdown.force_after", DURATION, "1ms", "1h", "25s",                  \
      "how long a shutdown may take in all before the engine ends it by force; a live process "    \
      "whose threads don't answer ends 4 s later, 28.5 s after the wish at most")                  \
    S(safety_orphans, "safety.orphans", INTEGER, "1", "1024", "64",                                \
      "orders that only the venue knows, remembered at one time over all venues")                  \
    S(safety_own_book, "safety.own_book", DURATION, "0", "24h", "60s",                             \
      "time between two checks of our own orders' sums, lists and states; 0: none")                \
    S(store_sample, "store.sample", DURATION, "1ms", "24h", "1s",                                  \
      "time between two samples of each position in the run database")                             \
    S(live_instruments, "live.instruments", TEXT, "", "", "",                                      \
      "instruments of a live session, as \"binance_us:BTCUSD coinbase:BTC-USD\"")                  \
    S(live_session, "live.session", TEXT, "", "", "capstan",                                       \
      "first part of our client order ids, 1 to 8 of a-z and 0-9: what tells our orders from "     \
      "another session's on one account")                                                          \
    S(tape_sync_every, "tape.sync_every", DURATION, "0", "1h", "1s",                               \
      "time between two fdatasync of a session's tape: what a power cut may lose, beside the "     \
      "second that the open block covers; 0: after each block")                                    \
    S(tape_rotate_every, "tape.rotate_every", DURATION, "0", "8784h", "24h",                       \
      "a live session's tape ends at whole multiples of this since 1970 UTC, and the session "     \
      "goes "                                                                                      \
      "on with a new one (1s at least); 0: never")                                                 \
    S(database_failures, "database.failures", INTEGER, "0", "1000000", "5",                        \
      "calls of a live session's database that fail in a row, after which none is made; 0: any")   \
    S(database_timeout, "database.timeout", DURATION, "1ms", "1h", "30s",                          \
      "time from then until one call is the trial that may end it")                                \
    S(database_required, "database.required", FLAG, "", "", "no",                                  \
      "no new order leaves while the database's breaker is not closed; a live session without a "  \
      "database is refused")                                                                       \
    S(database_call_timeout, "database.call_timeout", DURATION, "10ms", "4s", "1s",                \
      "how long one call may take, its attempts included, before it has failed")                   \
    S(database_every, "database.every", DURATION, "10ms", "1m", "200ms",                           \
      "time between two calls while there is something to write")                                  \
    S(ops_enabled, "ops.enabled", FLAG, "", "", "yes",                                             \
      "serve health, metrics, control and the dashboard of a live session")                        \
    S(ops_port, "ops.port", INTEGER, "0", "65535", "8787",                                         \
      "their port; 0: any that is free, as the log says")                                          \
    S(ops_address, "ops.address", TEXT, "", "", "127.0.0.1",                                       \
      "address, in numbers, that they are served at; 0.0.0.0: every one of this machine, as a "    \
      "container needs it")                                                                        \
    S(ops_allow_origin, "ops.allow_origin", TEXT, "", "", "",                                      \
      "whose pages may read health, metrics and dashboard, as \"https://example.org\"; *: any; "   \
      "empty: none but the engine's own")                                                          \
    S(ops_token_file, "ops.token_file", TEXT, "", "", "",                                          \
      "file with the token for commands, 0600; empty: the service's credential ops-token, else "   \
      "nothing can be commanded")                                                                  \
    S(account_currency, "account.currency", TEXT, "", "", "",                                      \
      "asset that profit of the whole account is counted in, for risk.drawdown_limit and "         \
      "risk.daily_loss_limit; empty: that of every quoted instrument's profit (with none, of "     \
      "every instrument's) where it is one and the same, else a limit that was set is refused")    \
    S(account_rates, "account.rates", TEXT, "", "", "",                                            \
      "instruments whose mid converts an asset toward account.currency, with commas between "      \
      "them, as \"BTC=binance_spot:BTCUSDT, ETH=binance_spot:ETHUSDT\"; other assets by the "      \
      "tape's reference rates")                                                                    \
    S(account_rate_age, "account.rate_age", DURATION, "1ms", "24h", "60s",                         \
      "a rate older than this blocks new orders whose profit it converts")                         \
    S(account_day_zone, "account.day_zone", CHOICE, "UTC|FX", "", "UTC",                           \
      "where a day begins for risk.daily_loss_limit: midnight UTC, or 17:00 in New York")          \
    S(risk_drawdown_limit, "risk.drawdown_limit", AMOUNT, "", "", "0",                             \
      "fall of the account's profit from its peak that pauses all quoting until the operator "     \
      "resumes, in account.currency; 0: none")                                                     \
    S(risk_daily_loss_limit, "risk.daily_loss_limit", AMOUNT, "", "", "5000",                      \
      "loss of a day that cancels everything, after which only what reduces a position is sent "   \
      "until the next day, in account.currency; 0: none")

#define SETTINGS_VENUE(S)                                                                          \
    S(sim_entry_latency, "sim.entry_latency", DURATION, "0", "10s", "5ms",                         \
      "time from the engine to the simulated venue")                                               \
    S(sim_answer_latency, "sim.answer_latency", DURATION, "0", "10s", "5ms",                       \
      "time from the simulated venue back to the engine")                                          \
    S(sim_fill_on_cross, "sim.fill_on_cross", FLAG, "", "", "yes",                                 \
      "fill a resting order when the opposite side's depth reaches its price")                     \
    S(sim_balances, "sim.balances", BALANCES, "", "", "",                                          \
      "what the simulated account holds at the start, as \"100000 USDT, 1.5 BTC\"; empty: funds "  \
      "limit no order, and balances begin at 0; a value that is not a venue's own is credited at " \
      "each venue")                                                                                \
    S(live_rest_url, "live.rest_url", TEXT, "", "", "",                                            \
      "where requests go, as \"https://127.0.0.1:8443\"; empty: the venue's own address")          \
    S(live_stream_url, "live.stream_url", TEXT, "", "", "",                                        \
      "where market data streams come from; empty: the venue's own address")                       \
    S(live_private_url, "live.private_url", TEXT, "", "", "",                                      \
      "where the stream of our own orders comes from; empty: the venue's own address")             \
    S(live_ca_file, "live.ca_file", TEXT, "", "", "",                                              \
      "PEM file of the authorities that vouch for the venue; empty: the system's")                 \
    S(live_credentials, "live.credentials", TEXT, "", "", "",                                      \
      "file with the key and the secret, 0600; empty: the system's credentials, else the "         \
      "environment")                                                                               \
    S(live_request_timeout, "live.request_timeout", DURATION, "100ms", "1m", "5s",                 \
      "how long one request may take before its end is unknown")                                   \
    S(live_order_expiry, "live.order_expiry", DURATION, "0", "1h", "0",                            \
      "dead man: orders end by themselves after this long unless renewed, where the venue can; "   \
      "0: never")                                                                                  \
    S(rate_orders, "rate.orders_per_second", INTEGER, "1", "1000000", "1000",                      \
      "messages (places, modifies, cancels) that may be sent in one second")                       \
    S(rate_cancel_reserve, "rate.cancel_reserve", RATIO, "0", "1", "20%",                          \
      "part of each rate budget that only cancels may use")                                        \
    S(rate_orders_day, "rate.orders_per_day", INTEGER, "0", "1000000000", "0",                     \
      "messages (places, modifies, cancels) that may be sent in one UTC day; 0: no such limit")    \
    S(venue_modify, "venue.modify", CHOICE, "none|shrink|edit|replace|cancel_replace", "",         \
      "shrink",                                                                                    \
      "what a changed level becomes; none: cancel and place; shrink: a smaller size in place, "    \
      "else cancel and place; edit: a smaller size in place, any other change too while nothing "  \
      "has filled; replace: one request for any change; cancel_replace: one request, but for a "   \
      "smaller size cancel and place")                                                             \
    S(order_renew_after, "order.renew_after", DURATION, "0", "24h", "0",                           \
      "an order that was placed so long ago is placed anew where it is still wanted; 0: never; "   \
      "where live.order_expiry is "                                                                \
      "set it must be less, half of it is well")                                                   \
    S(account_exclusive, "account.exclusive", FLAG, "", "", "yes",                                 \
      "the account is ours alone: an order without our id is cancelled, not only told of")         \
    S(safety_sync_interval, "safety.sync_interval", DURATION, "0", "24h", "60s",                   \
      "time between two requests for the account's snapshot; 0: none is asked for")                \
    S(safety_snapshot_age, "safety.snapshot_age", DURATION, "0", "1h", "10s",                      \
      "oldest account snapshot that is trusted, from when its request was sent; 0: any")           \
    S(safety_snapshot_limit, "safety.snapshot_limit", DURATION, "0", "24h", "180s",                \
      "time without a trusted account snapshot after which no new order leaves; 0: any")           \
    S(safety_orders_stream_grace, "safety.orders_stream_grace", DURATION, "0", "1h", "1s",         \
      "time without the venue's stream of our orders after which no new order leaves")             \
    S(safety_orders_stream_limit, "safety.orders_stream_limit", DURATION, "0", "1h", "5s",         \
      "time without it after which what rests is cancelled; 0: it stays")                          \
    S(infrastructure_failures, "infrastructure.failures", INTEGER, "0", "1000000", "5",            \
      "requests to the venue that fail in a row, after which no place or modify leaves; 0: any")   \
    S(infrastructure_timeout, "infrastructure.timeout", DURATION, "1ms", "1h", "30s",              \
      "time from then until one cancel or query is the trial that may end it")                     \
    S(infrastructure_pace, "infrastructure.pace", DURATION, "0", "1m", "1s",                       \
      "time between two cancels or queries until then")

#define SETTINGS_INSTRUMENT(S)                                                                     \
    S(quote_enabled, "quote.enabled", FLAG, "", "", "yes", "whether this instrument is quoted")    \
    S(quote_strategy, "quote.strategy", CHOICE, "ladder|rough", "", "ladder",                      \
      "what decides the wanted ladder; rough is for tests: the ladder with numbers that are none") \
    S(quote_levels, "quote.levels", INTEGER, "1", "32", "3", "levels a side")                      \
    S(quote_size, "quote.size", SIZES, "0", "", "10lot", "quantity of each level")                 \
    S(quote_half_spread, "quote.half_spread", PRICES, "0", "", "2tick",                            \
      "distance of the first level from the fair value")                                           \
    S(quote_step, "quote.step", PRICES, "0", "", "1tick", "distance between two levels")           \
    S(quote_skew, "quote.skew", PRICES, "0", "", "2tick",                                          \
      "shift of the whole ladder against a position as large as risk.position_limit")              \
    S(quote_interval, "quote.interval", DURATION, "1ms", "1h", "100ms",                            \
      "longest time between two cycles")                                                           \
    S(reconcile_price, "reconcile.price_tolerance", PRICES, "0", "", "1tick",                      \
      "a resting order this near to its level stays")                                              \
    S(reconcile_size, "reconcile.size_tolerance", RATIO, "0", "1", "25%",                          \
      "a resting order whose leaves differ by no more than this part stays")                       \
    S(risk_position_limit, "risk.position_limit", SIZES, "0", "", "100lot",                        \
      "largest position either way, counting every order that may still fill")                     \
    S(risk_size_band, "risk.size_band", SIZES, "0", "", "0lot",                                    \
      "from this far before the limit the adding side's size shrinks; 0lot: it does not")          \
    S(risk_orders_per_side, "risk.orders_per_side", INTEGER, "1", "1024", "64",                    \
      "live and pending orders on one side")                                                       \
    S(risk_collar, "risk.collar", RATIO, "0", "1", "0.5%",                                         \
      "farthest an order may cross the reference price")                                           \
    S(risk_far_collar, "risk.far_collar", RATIO, "0", "1", "10%",                                  \
      "farthest an order may rest from the reference price")                                       \
    S(risk_open_interest, "risk.open_interest", FLAG, "", "", "no",                                \
      "the venue tells open interest: without a reading nothing that adds may leave")              \
    S(risk_open_interest_share, "risk.open_interest_share", RATIO, "0", "1", "5%",                 \
      "largest part of the open interest that our position may be")                                \
    S(risk_open_interest_age, "risk.open_interest_age", DURATION, "1ms", "24h", "60s",             \
      "age of the last reading of open interest at which its cap counts as reached")               \
    S(safety_stale_after, "safety.stale_after", DURATION, "1ms", "24h", "5s",                      \
      "age of the newest market message at which quotes are pulled")                               \
    S(warm_up_trades, "warm_up.trades", INTEGER, "0", "1000000000", "20",                          \
      "trades seen before the first quote; 0 for a venue that tells none")                         \
    S(warm_up_book_messages, "warm_up.book_messages", INTEGER, "0", "1000000000", "100",           \
      "book messages seen before the first quote")                                                 \
    S(warm_up_samples, "warm_up.samples", INTEGER, "0", "86400", "60",                             \
      "samples of volatility, one a second, before the first quote")                               \
    S(warm_up_time_limit, "warm_up.time_limit", DURATION, "0", "24h", "10m",                       \
      "after this long without being complete an alarm tells; it lets nothing through; 0: none")   \
    S(volatility_half_life, "volatility.half_life", DURATION, "1ms", "24h", "60s",                 \
      "age at which a squared return counts half")                                                 \
    S(volatility_restart_after, "volatility.restart_after", DURATION, "0", "24h", "60s",           \
      "after a book was lost for longer than this the estimate begins anew")                       \
    S(breaker_volatility, "breaker.volatility", RATIO, "0", "1000", "3",                           \
      "widen while volatility is above this many times its long mean; 0: never")                   \
    S(breaker_volatility_clear, "breaker.volatility_clear", RATIO, "0", "1000", "2",               \
      "volatility below this many times its mean is calm")                                         \
    S(breaker_volatility_calm, "breaker.volatility_calm", DURATION, "0", "24h", "60s",             \
      "calm for this long clears the volatility breaker")                                          \
    S(breaker_volatility_window, "breaker.volatility_window", DURATION, "30s", "24h", "30m",       \
      "length of the long mean of volatility")                                                     \
    S(breaker_volatility_samples, "breaker.volatility_samples", INTEGER, "1", "86400", "120",      \
      "fewer samples than this are no mean to compare with")                                       \
    S(breaker_volatility_factor, "breaker.volatility_factor", RATIO, "1", "100", "2",              \
      "half spreads are multiplied by this while volatility is high")                              \
    S(breaker_move, "breaker.move", RATIO, "0", "1", "1%",                                         \
      "cancel all when the mid moves this far within the window; 0: never")                        \
    S(breaker_move_window, "breaker.move_window", DURATION, "32ns", "1h", "5s",                    \
      "window of a move; up to 1/32 of it more may count")                                         \
    S(breaker_spread, "breaker.spread", RATIO, "0", "1000", "5",                                   \
      "pause when the spread is above this many times its median; 0: never")                       \
    S(breaker_spread_least, "breaker.spread_least", RATIO, "0", "1", "0.05%",                      \
      "a spread up to this part of the mid never pauses")                                          \
    S(breaker_spread_time, "breaker.spread_time", DURATION, "0", "1h", "1s",                       \
      "how long the spread must be too wide")                                                      \
    S(breaker_spread_window, "breaker.spread_window", DURATION, "1s", "5m", "5m",                  \
      "window of the spread's median, one sample a second")                                        \
    S(breaker_spread_samples, "breaker.spread_samples", INTEGER, "1", "300", "60",                 \
      "fewer samples than this are no median to compare with")                                     \
    S(breaker_spread_clear, "breaker.spread_clear", RATIO, "0", "1000", "3",                       \
      "a spread below this many times its median is close again")                                  \
    S(breaker_spread_calm, "breaker.spread_calm", DURATION, "0", "24h", "10s",                     \
      "close again for this long clears the spread breaker")                                       \
    S(breaker_in_sync, "breaker.in_sync", DURATION, "0", "1h", "2s",                               \
      "fresh and synchronised for this long clears the stale and the gap breaker")                 \
    S(breaker_reference, "breaker.reference", RATIO, "0", "1", "1%",                               \
      "cancel all when the mid is this far from the mark or the peer; 0: never")                   \
    S(breaker_reference_time, "breaker.reference_time", DURATION, "0", "1h", "1s",                 \
      "how long the mid must be off")                                                              \
    S(breaker_reference_clear, "breaker.reference_clear", RATIO, "0", "1", "0.5%",                 \
      "nearer than this is well again")                                                            \
    S(breaker_reference_calm, "breaker.reference_calm", DURATION, "0", "24h", "30s",               \
      "well for this long clears the reference breaker")                                           \
    S(breaker_reference_peer, "breaker.reference_peer", FLAG, "", "", "yes",                       \
      "compare with the next instrument of the same base and quote asset too")                     \
    S(breaker_rejects, "breaker.rejects", INTEGER, "0", "64", "5",                                 \
      "pause when this many new orders were refused within the window, post-only refusals apart; " \
      "0: never")                                                                                  \
    S(breaker_rejects_of, "breaker.rejects_of", INTEGER, "1", "64", "10",                          \
      "and at least this many were answered")                                                      \
    S(breaker_rejects_window, "breaker.rejects_window", DURATION, "1ms", "24h", "60s",             \
      "window in which refused orders are counted")                                                \
    S(breaker_rejects_pause, "breaker.rejects_pause", DURATION, "0", "24h", "60s",                 \
      "length of the pause after refused orders")                                                  \
    S(breaker_edge, "breaker.edge", RATIO, "0", "100", "2",                                        \
      "widen when the mean markout after fees is below zero by this many standard errors; 0: "     \
      "never")                                                                                     \
    S(breaker_edge_fills, "breaker.edge_fills", INTEGER, "2", "128", "30",                         \
      "fewer fills than this are no mean; as many again that are still so pause")                  \
    S(breaker_edge_horizon, "breaker.edge_horizon", DURATION, "1ms", "1h", "5s",                   \
      "how long after a fill its markout is taken")                                                \
    S(breaker_edge_factor, "breaker.edge_factor", RATIO, "1", "100", "2",                          \
      "half spreads are multiplied by this while fills lose")                                      \
    S(breaker_open_interest, "breaker.open_interest", RATIO, "0", "1", "10%",                      \
      "pause when open interest falls by this part within the window; 0: never")                   \
    S(breaker_open_interest_window, "breaker.open_interest_window", DURATION, "32ns", "24h", "5m", \
      "window of a fall of open interest; up to 1/32 of it more may count")                        \
    S(breaker_open_interest_readings, "breaker.open_interest_readings", INTEGER, "2", "1000", "3", \
      "fewer readings than this within the window are no fall")                                    \
    S(breaker_open_interest_pause, "breaker.open_interest_pause", DURATION, "0", "24h", "15m",     \
      "length of the pause after a fall of open interest")                                         \
    S(order_pending_timeout, "order.pending_timeout", DURATION, "1ms", "1h", "5s",                 \
      "time without an answer after which an order is asked for")                                  \
    S(order_cancel_retries, "order.cancel_retries", INTEGER, "0", "16", "3",                       \
      "how often a failed cancel is sent again before an alarm asks for the operator")             \
    S(order_cancel_backoff, "order.cancel_backoff", DURATION, "1ms", "1m", "250ms",                \
      "time from a failed cancel to the next one; it doubles with each")                           \
    S(learning_horizon, "learning.horizon", DURATION, "0", "1h", "10s",                            \
      "time within which each level's chance to fill is learned; 0: nothing is learned")           \
    S(learning_decay, "learning.decay", RATIO, "0", "1", "0.99",                                   \
      "what is left of older spells when another is learned from")                                 \
    S(learning_sizing, "learning.sizing", FLAG, "", "", "yes",                                     \
      "whether sizes move to the levels that earn more by what was learned")                       \
    S(learning_evidence, "learning.evidence", INTEGER, "0", "1000000", "10",                       \
      "whole spells that each level must have taught before sizes move")                           \
    S(order_unknown_alarm, "order.unknown_alarm", DURATION, "0", "24h", "60s",                     \
      "time that an order may be unknown before no new order leaves; 0: any")                      \
    S(shutdown_timeout, "shutdown.timeout", DURATION, "1ms", "30s", "10s",                         \
      "how long a shutdown waits for cancels to be confirmed")                                     \
    S(book_far_levels, "book.far_levels", INTEGER, "64", "1048576", "16384",                       \
      "price levels a side that a book can hold outside its window")

enum setting_unit { SETTING_PLAIN, SETTING_TICK, SETTING_LOT };

/* A price difference or a quantity: plain, or in ticks or lots of its instrument. */
struct setting_amount {
    struct decimal value;
    uint8_t unit; /* enum setting_unit */
};

enum { SETTING_TEXT_MAX = 256 };
struct setting_text {
    char text[SETTING_TEXT_MAX];
};

typedef int64_t setting_INTEGER;
typedef int64_t setting_DURATION;
typedef int64_t setting_RATIO;
typedef bool setting_FLAG;
typedef struct setting_amount setting_PRICES;
typedef struct setting_amount setting_SIZES;
typedef struct setting_text setting_BALANCES;
typedef struct setting_text setting_CHOICE;
typedef money setting_AMOUNT;
typedef struct setting_text setting_TEXT;

#define S(field, name, type, least, most, initial, line) setting_##type field;
struct settings_global {
    SETTINGS_GLOBAL(S)
};
struct settings_venue {
    SETTINGS_VENUE(S)
};
struct settings_instrument {
    SETTINGS_INSTRUMENT(S)
};
#undef S

#endif
