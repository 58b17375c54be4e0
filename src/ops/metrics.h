/* The metrics, as one table, and the Prometheus text made of it. No C library for that is in Debian 12. */
#ifndef CAPSTAN_OPS_METRICS_H
#define CAPSTAN_OPS_METRICS_H

#include "base/json.h"
#include "base/log.h"
#include "ops/requests.h"
#include "ops/view.h"

/* M(id, type, name without capstan_, labels, help). Meanings: trading-semantics 33. docs/operate.md is made
 * from it by scripts/metrics-page. */
#define OPS_METRICS(M)                                                                             \
    M(placed, counter, "orders_placed_total", "exchange, side, type",                              \
      "Orders that the exchange took. side: buy or sell; type: limit or market.")                  \
    M(filled, counter, "orders_filled_total", "exchange, side",                                    \
      "Orders that were filled whole; single fills are fills_total.")                              \
    M(cancelled, counter, "orders_cancelled_total", "exchange, reason",                            \
      "Orders that ended by a cancel, with something left. reason: why we asked for it, or the "   \
      "exchange's.")                                                                               \
    M(expired, counter, "orders_expired_total", "exchange",                                        \
      "Orders whose time ran out at the exchange, with something left.")                           \
    M(not_found, counter, "orders_not_found_total", "exchange",                                    \
      "Orders that the exchange had and then knew no more.")                                       \
    M(failed, counter, "orders_failed_total", "exchange, reason",                                  \
      "New orders that the exchange refused, other than post_only and not_tried. reason: its; "    \
      "never_arrived: no answer, and the exchange knows no such order.")                           \
    M(post_only, counter, "orders_post_only_rejected_total", "exchange",                           \
      "New orders refused because they would have taken; no failure.")                             \
    M(not_tried, counter, "orders_not_tried_total", "exchange",                                    \
      "New orders of a replace that were not tried, because the order to be replaced could not "   \
      "be "                                                                                        \
      "taken away: a fill was faster, as a rule; no failure.")                                     \
    M(sent, counter, "requests_sent_total", "exchange, request",                                   \
      "Orders that a request was decided for, whatever became of it: cancels of several orders "   \
      "may leave in one, and some wait. request: place (a replace too), cancel or modify.")        \
    M(fills, counter, "fills_total", "exchange, side, liquidity",                                  \
      "Single fills of our orders, each counted once. liquidity: maker or taker.")                 \
    M(beyond_limit, counter, "fills_beyond_limit_total", "exchange",                               \
      "Fills at a worse price than their order's limit, part of fills_total: booked as the "       \
      "exchange says, and a question to it.")                                                      \
    M(arbitrage_seen, counter, "arbitrage_opportunities_detected_total", "",                       \
      "Arbitrage opportunities that rose above the minimum profit. 0 while no strategy looks for " \
      "any.")                                                                                      \
    M(arbitrage_done, counter, "arbitrage_opportunities_executed_total", "",                       \
      "Arbitrages whose every leg was filled; part of those detected.")                            \
    M(execution, histogram, "order_execution_duration_seconds", "exchange",                        \
      "Seconds from sending a new order to the exchange's first answer about it.")                 \
    M(opportunity, histogram, "opportunity_detection_duration_seconds", "",                        \
      "Seconds that one look for arbitrage over the books takes. Empty while no strategy looks "   \
      "for any.")                                                                                  \
    M(requests, histogram, "api_request_duration_seconds", "endpoint, method",                     \
      "Seconds from a whole request to this server to its answer. endpoint: the path, or other.")  \
    M(positions, gauge, "active_positions", "", "Instruments whose position is not 0.")            \
    M(balance, gauge, "account_balance_usd", "",                                                   \
      "Worth of all balances and open contracts at their exchanges' marks, in US dollars; NaN "    \
      "where one of them can't be valued.")                                                        \
    M(balance_stale, gauge, "account_balance_stale", "",                                           \
      "1: account_balance_usd has a mark in it that is only the last known one; 0: all are "       \
      "fresh, "                                                                                    \
      "or the balance is not known.")                                                              \
    M(daily_pnl, gauge, "daily_pnl_usd", "",                                                       \
      "Profit since the day began (account.day_zone), in US dollars; NaN where it is not known "   \
      "or no rate leads there (account_converted).")                                               \
    M(converted, gauge, "account_converted", "currency",                                           \
      "1: figures of the account's currency are converted to US dollars; 0: no rate leads there. " \
      "None without such a currency.")                                                             \
    M(connected, gauge, "exchange_connected", "exchange",                                          \
      "1: market data is whole and the stream of our orders stands; 0: one of them is not.")       \
    M(orders_stream, gauge, "exchange_orders_stream_up", "exchange",                               \
      "1: the stream of our orders stands; 0: it does not, and fills are asked for instead.")      \
    M(ready, gauge, "ready", "", "1: /readyz says yes; 0: it says no.")                            \
    M(quote_age, gauge, "last_quote_age_seconds", "",                                              \
      "Seconds since the last quote went out or was kept; NaN before the first.")                  \
    M(heartbeat_age, gauge, "loop_heartbeat_age_seconds", "",                                      \
      "Seconds since the loop last gave a sign of life; it does once a second.")                   \
    M(messages, counter, "messages_total", "class",                                                \
      "Messages the loop was given. class: market or session (answers, ticks, commands).")         \
    M(decisions, counter, "decisions_total", "", "Decisions of the engine, of every kind.")        \
    M(loop_lag, histogram, "loop_lag_seconds", "",                                                 \
      "Seconds a message waited until the loop took it; of a timer, how late it ran.")             \
    M(step, histogram, "loop_step_seconds", "",                                                    \
      "Seconds from a message's stamp until the engine had taken it, writing the tape included.")  \
    M(event_age, histogram, "event_age_seconds", "exchange",                                       \
      "Seconds from the exchange's own time of market data to its stamp here: way, waiting and "   \
      "the difference of both clocks.")                                                            \
    M(tick_to_order, histogram, "tick_to_order_seconds", "",                                       \
      "Seconds from a message's arrival until an order that it caused is written and handed "      \
      "over.")                                                                                     \
    M(answers, histogram, "order_acknowledgement_seconds", "exchange, request",                    \
      "Seconds from a request's sending to its answer. request: place, cancel or modify.")         \
    M(tape_write, histogram, "tape_write_seconds", "",                                             \
      "Seconds that the loop spends writing one message to the tape.")                             \
    M(ring_depth, gauge, "ring_depth_bytes", "exchange",                                           \
      "Bytes that an exchange's thread has for the loop and that it has not taken yet.")           \
    M(open_orders, gauge, "orders_open", "instrument",                                             \
      "Our orders that are not known to have ended.")                                              \
    M(unknown_orders, gauge, "orders_unknown", "instrument",                                       \
      "Of these, orders whose state is not known.")                                                \
    M(unanswered, counter, "requests_unanswered_total", "exchange",                                \
      "Requests that got no answer, or none that could be read.")                                  \
    M(position, gauge, "position", "instrument",                                                   \
      "Position in base or contracts, negative is short.")                                         \
    M(position_limit, gauge, "position_limit", "instrument",                                       \
      "Largest exposure a side may reach (risk.position_limit), in base or contracts.")            \
    M(exposure, gauge, "exposure_worst_case", "instrument, side",                                  \
      "Position toward that side with every order of it that may still fill, in base or "          \
      "contracts.")                                                                                \
    M(profit, gauge, "instrument_profit", "instrument, asset",                                     \
      "Profit of an instrument since the first tape of its chain began, fees taken off, in that "  \
      "asset.")                                                                                    \
    M(account_profit, gauge, "account_profit", "currency",                                         \
      "Profit of the account since the first tape of its chain began, in the account's currency; " \
      "NaN where it is not known. None without such a currency.")                                  \
    M(drawdown, gauge, "account_drawdown", "currency",                                             \
      "What the profit has fallen from its peak, in the account's currency; NaN where it is not "  \
      "known. None without such a currency.")                                                      \
    M(breakers, gauge, "breaker_state", "instrument, breaker",                                     \
      "0: clear, 1: widens, 2: paused, 3: everything cancelled.")                                  \
    M(infrastructure, gauge, "infrastructure_breaker_state", "exchange",                           \
      "Breaker around an exchange's requests. 0: closed, 1: open, 2: half-open.")                  \
    M(database_state, gauge, "database_breaker_state", "",                                         \
      "Breaker around the run database's calls. 0: closed, 1: open, 2: half-open. None without a " \
      "database.")                                                                                 \
    M(database_failures, gauge, "database_failures", "",                                           \
      "Calls of the run database that failed in a row. None without a database.")                  \
    M(database_failed, gauge, "database_last_failure_timestamp_seconds", "",                       \
      "When a call of the run database last failed, seconds since 1970 UTC. None before the "      \
      "session's first failure.")                                                                  \
    M(alarms, gauge, "alarm_raised", "instrument, reason",                                         \
      "1: that alarm of an instrument is raised and an operator may have to act.")                 \
    M(venue_alarms, gauge, "exchange_alarm_raised", "exchange, reason",                            \
      "1: that alarm of an exchange as a whole is raised.")                                        \
    M(paused, gauge, "paused", "instrument", "1: paused by command; 0: not.")                      \
    M(gates, counter, "gate_blocks_total", "gate",                                                 \
      "How often a gate blocked an order or a whole cycle. gate: docs/gates.md.")                  \
    M(gaps, counter, "market_gaps_total", "exchange, cause",                                       \
      "Gaps in market data, each of one stream. cause: docs/event-kinds.md.")                      \
    M(removed, counter, "removed_numbers_total", "",                                               \
      "Prices, quantities and amounts that were no usable numbers and were removed.")              \
    M(violations, counter, "invariant_violations_total", "",                                       \
      "Invariants found violated: a fault of the engine, always worth a report.")                  \
    M(rate_left, gauge, "rate_budget_left", "exchange, use",                                       \
      "Requests that may leave now. use: order, or cancel, which may use the reserve.")            \
    M(shutdown, gauge, "shutdown_step", "",                                                        \
      "Where a shutdown stands, as its number in docs/event-kinds.md; 0: none has begun.")         \
    M(log_dropped, counter, "log_lines_dropped_total", "",                                         \
      "Lines of the log that were dropped, for its ring was full.")                                \
    M(build, gauge, "build_info", "version, build", "1, with the version and build that run.")

/* Of the process, under the names that are usual. P(id, type, name, help) */
#define OPS_PROCESS_METRICS(P)                                                                     \
    P(cpu, counter, "process_cpu_seconds_total", "CPU time that all threads have used, seconds.")  \
    P(resident, gauge, "process_resident_memory_bytes", "Memory that is resident, bytes.")         \
    P(virtual, gauge, "process_virtual_memory_bytes", "Memory that is mapped, bytes.")             \
    P(start, gauge, "process_start_time_seconds",                                                  \
      "When the process began, seconds since 1970 UTC.")                                           \
    P(open_files, gauge, "process_open_fds", "File descriptors that are open.")                    \
    P(most_files, gauge, "process_max_fds", "File descriptors that may be open.")                  \
    P(received, counter, "process_network_receive_bytes_total",                                    \
      "IPv4 and IPv6 bytes that came in, of everything in the process's network namespace.")       \
    P(sent, counter, "process_network_transmit_bytes_total",                                       \
      "IPv4 and IPv6 bytes that went out, of everything in the process's network namespace.")

/* Write all families, each with HELP and TYPE whether it has samples or not. `text` is cleared first. `log` is what
 * the process logs to; NULL: nothing. */
void ops_metrics_write(struct json *text, const struct ops_view *view,
                       const struct ops_requests *requests, const struct log *log);
/* process.c: those of the process. */
void ops_process_write(struct json *text);
/* Text of printf's behind what stands there. */
void ops_text_put(struct json *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
