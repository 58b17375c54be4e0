/* Everything the engine can learn and want, as tables: one list for what comes in, one for what goes
 * out, and one list of fields for each kind that is a record. Enum, name, struct, canonical bytes,
 * canonical text and documentation are all made from these lists.
 *
 * A kind's number is part of the tape format and never changes. Shapes: ROWS are price-quantity rows
 * (struct row), RECORD is a list of fields. Classes: MARKET, SESSION, DECISION (ARCHITECTURE.md). */
#ifndef CAPSTAN_EVENT_KINDS_H
#define CAPSTAN_EVENT_KINDS_H

/* X(name, number, class, shape, meaning) */
#define EVENT_KINDS_IN(X)                                                                          \
    X(depth, 1, MARKET, ROWS, "absolute quantities of changed price levels")                       \
    X(snapshot, 2, MARKET, ROWS,                                                                   \
      "the whole shown book; levels after it in the same message follow")                          \
    X(trade, 3, MARKET, ROWS, "trades; a row's side is the aggressor's")                           \
    X(top, 4, MARKET, ROWS, "best bid and best ask, apart from the book")                          \
    X(order_level, 5, MARKET, ROWS,                                                                \
      "order-level (L3) events; numbers only until their book comes")                              \
    X(definition, 16, MARKET, RECORD, "what an instrument is: units, tick, lot, fees")             \
    X(instrument_status, 17, MARKET, RECORD, "trading state of an instrument")                     \
    X(mark, 18, MARKET, RECORD, "the venue's mark price")                                          \
    X(index_price, 19, MARKET, RECORD, "the venue's index price")                                  \
    X(funding, 20, MARKET, RECORD, "funding rate of a perpetual")                                  \
    X(reference_rate, 21, MARKET, RECORD, "rate between two assets")                               \
    X(open_interest, 22, MARKET, RECORD, "open interest and its cap")                              \
    X(gap, 23, MARKET, RECORD, "part of a stream is missing; its book needs a snapshot")           \
    X(feed_connection, 24, MARKET, RECORD, "a data feed went up or down")                          \
    X(source_text, 25, MARKET, RECORD, "text of a number without value in the message before")     \
    X(start, 64, SESSION, RECORD, "an engine starts here, from the carry")                         \
    X(tick, 65, SESSION, RECORD, "time passed: an engine deadline came")                           \
    X(order_accepted, 66, SESSION, RECORD, "the venue took a new order")                           \
    X(order_rejected, 67, SESSION, RECORD, "the venue refused a new order")                        \
    X(order_filled, 68, SESSION, RECORD, "one fill of one of our orders")                          \
    X(order_cancelled, 69, SESSION, RECORD, "an order ended without being filled whole")           \
    X(cancel_rejected, 70, SESSION, RECORD, "the venue refused a cancel")                          \
    X(order_modified, 71, SESSION, RECORD, "the venue changed an order")                           \
    X(modify_rejected, 72, SESSION, RECORD, "the venue refused a modify")                          \
    X(order_expired, 73, SESSION, RECORD, "an order's time ran out at the venue")                  \
    X(order_unknown, 74, SESSION, RECORD, "no answer, or none that can be read: state unknown")    \
    X(order_not_found, 75, SESSION, RECORD, "the venue knows no such order")                       \
    X(order_status, 76, SESSION, RECORD,                                                           \
      "closes a query's answer, after each fill again: leaves that rest, 0 where it has ended")    \
    X(balance, 80, SESSION, RECORD, "account snapshot: one asset")                                 \
    X(venue_position, 81, SESSION, RECORD, "account snapshot: one position")                       \
    X(open_order, 82, SESSION, RECORD, "account snapshot: one order that rests at the venue")      \
    X(snapshot_end, 83, SESSION, RECORD,                                                           \
      "an account snapshot is complete; taken: when its request was sent, ts_local")               \
    X(command, 84, SESSION, RECORD, "an operator's command")                                       \
    X(breaker_input, 85, SESSION, RECORD,                                                          \
      "how a request about no order went, or a call of the database (venue -)")                    \
    X(rate_budget, 86, SESSION, RECORD, "what is left of a rate limit")                            \
    X(clock_jump, 87, SESSION, RECORD, "the wall clock jumped; time here did not")                 \
    X(shutdown, 88, SESSION, RECORD, "stop: cancel all, then end")                                 \
    X(step_done, 89, SESSION, RECORD, "a step of the shutdown outside the engine has ended")       \
    X(predecessor, 90, SESSION, RECORD,                                                            \
      "the tape goes on where another ended, which had so many messages, the last at that time")   \
    X(carry, 91, SESSION, RECORD, "a part of what the sessions on the predecessors left, from 0")  \
    X(adopt, 92, SESSION, RECORD,                                                                  \
      "an operator takes a position as ours; absent: the venue's position, its price or the mark") \
    X(venue_entry, 93, SESSION, RECORD,                                                            \
      "account snapshot: the average price at which a position was entered")                       \
    X(orders_stream, 94, SESSION, RECORD,                                                          \
      "a venue's stream of our orders broke, or stands; since: by the session's clock")

#define EVENT_KINDS_OUT(X)                                                                         \
    X(place, 128, DECISION, RECORD, "send a new order")                                            \
    X(cancel, 129, DECISION, RECORD, "cancel an order")                                            \
    X(modify, 130, DECISION, RECORD, "change an order's price or quantity")                        \
    X(query, 131, DECISION, RECORD, "ask the venue for an order's state")                          \
    X(gate, 132, DECISION, RECORD, "a gate began or ceased to block")                              \
    X(removed, 133, DECISION, RECORD, "a number without a usable value was removed")               \
    X(breaker, 134, DECISION, RECORD, "a breaker changed state")                                   \
    X(pause, 135, DECISION, RECORD, "quoting was paused or resumed")                               \
    X(learning, 136, DECISION, RECORD,                                                             \
      "a learning spell ended; no engine writes it, `learned` tells more")                         \
    X(risk_mark, 137, DECISION, RECORD, "peak, day's start and day of the profit")                 \
    X(final_position, 138, DECISION, RECORD, "end of run: position and profit of an instrument")   \
    X(final_balance, 139, DECISION, RECORD, "end of run: balance of an asset at a venue")          \
    X(shutdown_state, 140, DECISION, RECORD, "a step of the shutdown")                             \
    X(request_snapshot, 141, DECISION, RECORD, "ask the venue for its account snapshot")           \
    X(replace, 142, DECISION, RECORD,                                                              \
      "cancel an order and send another in one request; not sent where the cancel fails")          \
    X(infrastructure, 143, DECISION, RECORD,                                                       \
      "the breaker around a venue's requests, or the database (venue -), changed state")           \
    X(alarm, 144, DECISION, RECORD, "something is not safe, or is again; who must act and how")    \
    X(cancel_orphan, 145, DECISION, RECORD, "cancel an order that only the venue knows")           \
    X(step_failed, 146, DECISION, RECORD, "a step of the shutdown failed or did not end in time")  \
    X(unconfirmed, 147, DECISION, RECORD, "end of a shutdown: an order not known to have ended")   \
    X(final_counters, 148, DECISION, RECORD, "end of a shutdown: what was sent and filled")        \
    X(funding_booked, 149, DECISION, RECORD, "funding moved money: at which rate and mark")        \
    X(learned, 150, DECISION, RECORD,                                                              \
      "a spell at a level of the ladder ended; what is now known of it")                           \
    X(adopted, 151, DECISION, RECORD,                                                              \
      "adopt was taken or refused; apart: the venue does not count it; as_of: its figure's time")

/* Fields. F(type, name), in canonical order. Types are those of EVENT_FIELD_TYPES in event.h. */
#define FIELDS_definition(F)                                                                       \
    F(INSTRUMENT, instrument)                                                                      \
    F(VENUE, venue)                                                                                \
    F(CONTRACT, contract)                                                                          \
    F(EXPONENT, price_exponent)                                                                    \
    F(EXPONENT, quantity_exponent)                                                                 \
    F(UNITS, tick)                                                                                 \
    F(UNITS, lot)                                                                                  \
    F(INTEGER, multiplier)                                                                         \
    F(EXPONENT, multiplier_exponent)                                                               \
    F(MONEY, minimum_notional)                                                                     \
    F(RATE, maker_fee)                                                                             \
    F(RATE, taker_fee)                                                                             \
    F(FEE_ASSET, fee_asset)                                                                        \
    F(EXPONENT, base_commission_exponent)                                                          \
    F(EXPONENT, quote_commission_exponent)                                                         \
    F(ASSET, base)                                                                                 \
    F(ASSET, quote)                                                                                \
    F(ASSET, settle)                                                                               \
    F(BASIS, grid_basis)
#define FIELDS_instrument_status(F) F(INSTRUMENT, instrument) F(TRADING, trading)
#define FIELDS_mark(F)              F(INSTRUMENT, instrument) F(PRICE, price)
#define FIELDS_index_price(F)       F(INSTRUMENT, instrument) F(PRICE, price)
#define FIELDS_funding(F)           F(INSTRUMENT, instrument) F(RATE, rate) F(TIME, due)
#define FIELDS_reference_rate(F)    F(ASSET, from) F(ASSET, to) F(MONEY, bid) F(MONEY, ask)
#define FIELDS_open_interest(F)                                                                    \
    F(INSTRUMENT, instrument) F(QUANTITY, open_interest) F(QUANTITY, cap)
#define FIELDS_gap(F)                                                                              \
    F(INSTRUMENT, instrument) F(GAP_CAUSE, cause) F(COUNT, expected) F(COUNT, found)
#define FIELDS_feed_connection(F) F(VENUE, venue) F(FLAG, connected)
#define FIELDS_source_text(F)                                                                      \
    F(INSTRUMENT, instrument) F(COUNT, row) F(FLAG, quantity) F(TEXT, text)

#define FIELDS_start(F)          F(COUNT, epoch) F(COUNT, seed) F(COUNT, config_hash)
#define FIELDS_tick(F)           F(TIME, deadline)
#define FIELDS_order_accepted(F) F(INSTRUMENT, instrument) F(ORDER, order) F(VENUE_ID, venue_order)
#define FIELDS_order_rejected(F) F(INSTRUMENT, instrument) F(ORDER, order) F(REJECT, reason)
#define FIELDS_order_filled(F)                                                                     \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(VENUE_ID, trade)                                                                             \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, quantity)                                                                          \
    F(QUANTITY, leaves)                                                                            \
    F(FILL_CAUSE, cause)                                                                           \
    F(LIQUIDITY, liquidity)                                                                        \
    F(MONEY, fee)                                                                                  \
    F(ASSET, fee_asset)
#define FIELDS_order_cancelled(F)                                                                  \
    F(INSTRUMENT, instrument) F(ORDER, order) F(QUANTITY, leaves) F(CANCEL_CAUSE, cause)
#define FIELDS_cancel_rejected(F) F(INSTRUMENT, instrument) F(ORDER, order) F(REJECT, reason)
#define FIELDS_order_modified(F)                                                                   \
    F(INSTRUMENT, instrument) F(ORDER, order) F(PRICE, price) F(QUANTITY, leaves)
#define FIELDS_modify_rejected(F) F(INSTRUMENT, instrument) F(ORDER, order) F(REJECT, reason)
#define FIELDS_order_expired(F)   F(INSTRUMENT, instrument) F(ORDER, order) F(QUANTITY, leaves)
#define FIELDS_order_unknown(F)   F(INSTRUMENT, instrument) F(ORDER, order) F(REQUEST, request)
#define FIELDS_order_not_found(F) F(INSTRUMENT, instrument) F(ORDER, order)
#define FIELDS_order_status(F)                                                                     \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(VENUE_ID, venue_order)                                                                       \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, leaves)
#define FIELDS_balance(F)        F(VENUE, venue) F(ASSET, asset) F(MONEY, total) F(MONEY, available)
#define FIELDS_venue_position(F) F(INSTRUMENT, instrument) F(QUANTITY, position)
#define FIELDS_open_order(F)                                                                       \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(VENUE_ID, venue_order)                                                                       \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, leaves)
#define FIELDS_snapshot_end(F)  F(VENUE, venue) F(TIME, taken)
#define FIELDS_command(F)       F(COMMAND, command) F(INSTRUMENT, instrument)
#define FIELDS_breaker_input(F) F(VENUE, venue) F(FLAG, healthy)
#define FIELDS_rate_budget(F)   F(VENUE, venue) F(COUNT, left) F(TIME, resets)
#define FIELDS_clock_jump(F)    F(DURATION, jump)
#define FIELDS_shutdown(F)      F(COUNT, signal)
#define FIELDS_step_done(F)     F(SHUTDOWN_STEP, step) F(FLAG, failed)
#define FIELDS_predecessor(F)                                                                      \
    F(TEXT, name)                                                                                  \
    F(COUNT, identity_high)                                                                        \
    F(COUNT, identity_low)                                                                         \
    F(COUNT, messages)                                                                             \
    F(TIME, last)                                                                                  \
    F(COUNT, epoch)                                                                                \
    F(COUNT, number)
#define FIELDS_carry(F)         F(COUNT, part) F(COUNT, parts) F(TEXT, bytes) F(TEXT, more)
#define FIELDS_orders_stream(F) F(VENUE, venue) F(FLAG, connected) F(TIME, since)
#define FIELDS_adopt(F)         F(INSTRUMENT, instrument) F(QUANTITY, position) F(PRICE, price)
#define FIELDS_venue_entry(F)   F(INSTRUMENT, instrument) F(PRICE, price)

#define FIELDS_place(F)                                                                            \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, quantity)                                                                          \
    F(TIME_IN_FORCE, time_in_force)                                                                \
    F(FLAG, post_only)                                                                             \
    F(COUNT, level)                                                                                \
    F(COUNT, cause)                                                                                \
    F(MILLITICK, fair)                                                                             \
    F(MILLITICK, skew)                                                                             \
    F(MILLITICK, distance)                                                                         \
    F(GATES, gates)
#define FIELDS_cancel(F)                                                                           \
    F(INSTRUMENT, instrument) F(ORDER, order) F(CANCEL_CAUSE, why) F(COUNT, cause)
#define FIELDS_modify(F)                                                                           \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, leaves)                                                                            \
    F(COUNT, level)                                                                                \
    F(COUNT, cause)                                                                                \
    F(MILLITICK, fair)                                                                             \
    F(MILLITICK, skew)                                                                             \
    F(MILLITICK, distance)                                                                         \
    F(GATES, gates)
#define FIELDS_query(F) F(INSTRUMENT, instrument) F(ORDER, order) F(COUNT, cause)
#define FIELDS_gate(F)  F(INSTRUMENT, instrument) F(GATE, gate) F(FLAG, blocking) F(COUNT, blocked)
#define FIELDS_removed(F)                                                                          \
    F(INSTRUMENT, instrument)                                                                      \
    F(REMOVED_WHERE, where)                                                                        \
    F(ORDER, order)                                                                                \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, quantity)                                                                          \
    F(REJECT, reason)
#define FIELDS_breaker(F) F(INSTRUMENT, instrument) F(BREAKER, breaker) F(BREAKER_STATE, state)
#define FIELDS_pause(F)   F(INSTRUMENT, instrument) F(FLAG, paused) F(GATE, why)
#define FIELDS_learning(F)                                                                         \
    F(INSTRUMENT, instrument) F(SIDE, side) F(COUNT, level) F(RATE, filled) F(RATE, weight)
#define FIELDS_risk_mark(F) F(MONEY, profit) F(MONEY, peak) F(MONEY, day_start) F(TIME, day)
#define FIELDS_final_position(F)                                                                   \
    F(INSTRUMENT, instrument)                                                                      \
    F(MONEY, position)                                                                             \
    F(MONEY, realised)                                                                             \
    F(MONEY, unrealised)                                                                           \
    F(MONEY, fees)                                                                                 \
    F(MONEY, funding)                                                                              \
    F(PRICE, mark)                                                                                 \
    F(FLAG, mark_stale)
#define FIELDS_final_balance(F)    F(VENUE, venue) F(ASSET, asset) F(MONEY, total)
#define FIELDS_shutdown_state(F)   F(SHUTDOWN_STEP, step) F(COUNT, open_orders) F(COUNT, unconfirmed)
#define FIELDS_request_snapshot(F) F(VENUE, venue) F(COUNT, cause)
#define FIELDS_replace(F)                                                                          \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(ORDER, replaces)                                                                             \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, quantity)                                                                          \
    F(TIME_IN_FORCE, time_in_force)                                                                \
    F(FLAG, post_only)                                                                             \
    F(COUNT, level)                                                                                \
    F(COUNT, cause)                                                                                \
    F(MILLITICK, fair)                                                                             \
    F(MILLITICK, skew)                                                                             \
    F(MILLITICK, distance)                                                                         \
    F(GATES, gates)
#define FIELDS_infrastructure(F) F(VENUE, venue) F(INFRASTRUCTURE_STATE, state) F(COUNT, failures)
#define FIELDS_alarm(F)                                                                            \
    F(INSTRUMENT, instrument)                                                                      \
    F(VENUE, venue)                                                                                \
    F(ALARM, reason)                                                                               \
    F(ORDER, order)                                                                                \
    F(FLAG, raised)                                                                                \
    F(COMMAND, clears)
#define FIELDS_cancel_orphan(F)                                                                    \
    F(INSTRUMENT, instrument) F(ORDER, order) F(VENUE_ID, venue_order) F(COUNT, cause)
#define FIELDS_step_failed(F) F(SHUTDOWN_STEP, step) F(FLAG, in_time)
#define FIELDS_unconfirmed(F)                                                                      \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(VENUE_ID, venue_order)                                                                       \
    F(SIDE, side)                                                                                  \
    F(PRICE, price)                                                                                \
    F(QUANTITY, leaves)
#define FIELDS_final_counters(F)                                                                   \
    F(COUNT, placed) F(COUNT, modified) F(COUNT, replaced) F(COUNT, cancels) F(COUNT, fills)
#define FIELDS_funding_booked(F)                                                                   \
    F(INSTRUMENT, instrument) F(TIME, due) F(RATE, rate) F(COUNT, mark2)
#define FIELDS_learned(F)                                                                          \
    F(INSTRUMENT, instrument)                                                                      \
    F(ORDER, order)                                                                                \
    F(SIDE, side)                                                                                  \
    F(COUNT, level)                                                                                \
    F(RATE, filled)                                                                                \
    F(RATE, weight)                                                                                \
    F(RATE, alpha)                                                                                 \
    F(RATE, beta)                                                                                  \
    F(COUNT, next)
#define FIELDS_adopted(F)                                                                          \
    F(INSTRUMENT, instrument)                                                                      \
    F(ADOPTION, result)                                                                            \
    F(MONEY, change)                                                                               \
    F(MONEY, position)                                                                             \
    F(PRICE, price)                                                                                \
    F(FLAG, apart)                                                                                 \
    F(TIME, as_of)

/* Enumerations that stand in fields. X(name, number, text) */
#define ENUM_SIDES(X)                                                                              \
    X(SIDE_BUY, 0, "buy")                                                                          \
    X(SIDE_SELL, 1, "sell")
#define ENUM_CONTRACTS(X)                                                                          \
    X(CONTRACT_SPOT, 0, "spot")                                                                    \
    X(CONTRACT_LINEAR, 1, "linear")                                                                \
    X(CONTRACT_INVERSE, 2, "inverse")
#define ENUM_FEE_ASSETS(X)                                                                         \
    X(FEE_IN_RECEIVED, 0, "received")                                                              \
    X(FEE_IN_QUOTE, 1, "quote")                                                                    \
    X(FEE_IN_SETTLE, 2, "settle")
#define ENUM_BASES(X)                                                                              \
    X(BASIS_GIVEN, 0, "given")                                                                     \
    X(BASIS_INFERRED, 1, "inferred")
#define ENUM_TRADING(X)                                                                            \
    X(TRADING_OPEN, 0, "open")                                                                     \
    X(TRADING_HALTED, 1, "halted")                                                                 \
    X(TRADING_CANCEL_ONLY, 2, "cancel_only")                                                       \
    X(TRADING_POST_ONLY, 3, "post_only")
#define ENUM_GAP_CAUSES(X)                                                                         \
    X(GAP_SEQUENCE, 0, "sequence")                                                                 \
    X(GAP_CONNECTION, 1, "connection")                                                             \
    X(GAP_DAMAGE, 2, "damage")                                                                     \
    X(GAP_NOT_WRITTEN, 3, "not_written")                                                           \
    X(GAP_CROSSED, 4, "crossed")
#define ENUM_TIMES_IN_FORCE(X)                                                                     \
    X(TIME_IN_FORCE_GTC, 0, "gtc")                                                                 \
    X(TIME_IN_FORCE_IOC, 1, "ioc")                                                                 \
    X(TIME_IN_FORCE_FOK, 2, "fok")
#define ENUM_LIQUIDITIES(X)                                                                        \
    X(LIQUIDITY_MAKER, 0, "maker")                                                                 \
    X(LIQUIDITY_TAKER, 1, "taker")
#define ENUM_FILL_CAUSES(X)                                                                        \
    X(FILL_REPORTED, 0, "reported")                                                                \
    X(FILL_QUEUE, 1, "queue")                                                                      \
    X(FILL_THROUGH, 2, "through")                                                                  \
    X(FILL_CROSS, 3, "cross")                                                                      \
    X(FILL_TAKE, 4, "take")
#define ENUM_CANCEL_CAUSES(X)                                                                      \
    X(CANCEL_REQUESTED, 0, "requested")                                                            \
    X(CANCEL_UNWANTED, 1, "unwanted")                                                              \
    X(CANCEL_HALT, 2, "halt")                                                                      \
    X(CANCEL_SHUTDOWN, 3, "shutdown")                                                              \
    X(CANCEL_OPERATOR, 4, "operator")                                                              \
    X(CANCEL_UNFILLED, 5, "unfilled")                                                              \
    X(CANCEL_ORPHAN, 6, "orphan")                                                                  \
    X(CANCEL_REPLACED, 7, "replaced")
#define ENUM_REJECTS(X)                                                                            \
    X(REJECT_NONE, 0, "none")                                                                      \
    X(REJECT_POST_ONLY, 1, "post_only_would_cross")                                                \
    X(REJECT_FUNDS, 2, "insufficient_funds")                                                       \
    X(REJECT_MINIMUM_NOTIONAL, 3, "minimum_notional")                                              \
    X(REJECT_TICK, 4, "off_tick")                                                                  \
    X(REJECT_LOT, 5, "off_lot")                                                                    \
    X(REJECT_PRICE, 6, "bad_price")                                                                \
    X(REJECT_QUANTITY, 7, "bad_quantity")                                                          \
    X(REJECT_NOT_FOUND, 8, "not_found")                                                            \
    X(REJECT_RATE, 9, "rate_limit")                                                                \
    X(REJECT_HALTED, 10, "halted")                                                                 \
    X(REJECT_DUPLICATE, 11, "duplicate_id")                                                        \
    X(REJECT_FILL_OR_KILL, 12, "fill_or_kill")                                                     \
    X(REJECT_NO_BOOK, 13, "no_book")                                                               \
    X(REJECT_UNSUPPORTED, 14, "unsupported")                                                       \
    X(REJECT_OTHER, 15, "other")                                                                   \
    X(REJECT_FULL, 16, "venue_full")                                                               \
    X(REJECT_FILLED, 17, "already_filled")                                                         \
    X(REJECT_REPLACE, 18, "replaced_order_stays")
#define ENUM_REQUESTS(X)                                                                           \
    X(REQUEST_PLACE, 0, "place")                                                                   \
    X(REQUEST_CANCEL, 1, "cancel")                                                                 \
    X(REQUEST_MODIFY, 2, "modify")                                                                 \
    X(REQUEST_QUERY, 3, "query")                                                                   \
    X(REQUEST_REPLACE, 4, "replace")
#define ENUM_COMMANDS(X)                                                                           \
    X(COMMAND_PAUSE, 0, "pause")                                                                   \
    X(COMMAND_RESUME, 1, "resume")                                                                 \
    X(COMMAND_CANCEL_ALL, 2, "cancel_all")                                                         \
    X(COMMAND_TRIP, 3, "trip")                                                                     \
    X(COMMAND_RESET, 4, "reset")
#define ENUM_BREAKERS(X)                                                                           \
    X(BREAKER_OPERATOR, 0, "operator")                                                             \
    X(BREAKER_STALE, 1, "stale")                                                                   \
    X(BREAKER_GAP, 2, "gap")                                                                       \
    X(BREAKER_VOLATILITY, 3, "volatility")                                                         \
    X(BREAKER_SPREAD, 4, "spread")                                                                 \
    X(BREAKER_REFERENCE, 5, "reference")                                                           \
    X(BREAKER_REJECTS, 6, "rejects")                                                               \
    X(BREAKER_EDGE, 7, "edge")                                                                     \
    X(BREAKER_OPEN_INTEREST, 8, "open_interest")
#define ENUM_BREAKER_STATES(X)                                                                     \
    X(BREAKER_CLEAR, 0, "clear")                                                                   \
    X(BREAKER_WIDEN, 1, "widen")                                                                   \
    X(BREAKER_PAUSE, 2, "pause")                                                                   \
    X(BREAKER_CANCEL_ALL, 3, "cancel_all")
#define ENUM_REMOVED_WHERE(X)                                                                      \
    X(REMOVED_MARKET_DATA, 0, "market_data")                                                       \
    X(REMOVED_WANTED, 1, "wanted")                                                                 \
    X(REMOVED_RESTING, 2, "resting")                                                               \
    X(REMOVED_ACCOUNT, 3, "account")
#define ENUM_SHUTDOWN_STEPS(X)                                                                     \
    X(SHUTDOWN_RUNNING, 0, "running")                                                              \
    X(SHUTDOWN_CANCELLING, 1, "cancelling")                                                        \
    X(SHUTDOWN_COMPLETE, 2, "complete")                                                            \
    X(SHUTDOWN_FORCED, 3, "forced")                                                                \
    X(SHUTDOWN_WAITING, 4, "waiting")                                                              \
    X(SHUTDOWN_FLUSHING, 5, "flushing")                                                            \
    X(SHUTDOWN_CLOSING, 6, "closing")                                                              \
    X(SHUTDOWN_DISCONNECTING, 7, "disconnecting")                                                  \
    X(SHUTDOWN_STOPPING, 8, "stopping")
#define ENUM_INFRASTRUCTURE_STATES(X)                                                              \
    X(INFRASTRUCTURE_CLOSED, 0, "closed")                                                          \
    X(INFRASTRUCTURE_OPEN, 1, "open")                                                              \
    X(INFRASTRUCTURE_HALF_OPEN, 2, "half_open")
/* Why an operator may have to act. The gate `safety` blocks while one that stops quoting is raised. */
#define ENUM_ALARMS(X)                                                                             \
    X(ALARM_CANCEL_FAILED, 0, "cancel_failed")                                                     \
    X(ALARM_ORDER_UNKNOWN, 1, "order_unknown")                                                     \
    X(ALARM_FOREIGN_ORDER, 2, "foreign_order")                                                     \
    X(ALARM_DRIFT, 3, "drift")                                                                     \
    X(ALARM_SNAPSHOT_OLD, 4, "snapshot_old")                                                       \
    X(ALARM_WARM_UP_LATE, 5, "warm_up_late")                                                       \
    X(ALARM_OWN_BOOK, 6, "own_book")                                                               \
    X(ALARM_ORPHANS_FULL, 7, "orphans_full")
/* What became of an operator's `adopt`: taken, or why not (docs/live.md says what to do). */
#define ENUM_ADOPTIONS(X)                                                                          \
    X(ADOPTION_TAKEN, 0, "taken")                                                                  \
    X(ADOPTION_SHUTDOWN, 1, "shutting_down")                                                       \
    X(ADOPTION_ACCOUNT, 2, "account_not_known")                                                    \
    X(ADOPTION_ORDERS, 3, "orders_are_open")                                                       \
    X(ADOPTION_FILL, 4, "fill_too_recent")                                                         \
    X(ADOPTION_NOTHING, 5, "nothing_to_adopt")                                                     \
    X(ADOPTION_QUANTITY, 6, "no_position")                                                         \
    X(ADOPTION_DIFFERS, 7, "not_what_the_venue_has")                                               \
    X(ADOPTION_FUNDS, 8, "more_than_the_account_has")                                              \
    X(ADOPTION_PRICE, 9, "no_price")                                                               \
    X(ADOPTION_PROFIT, 10, "profit_not_known")                                                     \
    X(ADOPTION_RANGE, 11, "out_of_range")
/* Each gate an order must pass, in the order in which they are asked. Its number is its bit in a
 * decision's `gates` (set: passed). */
#define ENUM_GATES(X)                                                                              \
    X(GATE_SHUTDOWN, 0, "shutdown")                                                                \
    X(GATE_PAUSED, 1, "paused")                                                                    \
    X(GATE_BREAKER, 2, "breaker")                                                                  \
    X(GATE_UNSYNCHRONISED, 3, "unsynchronised")                                                    \
    X(GATE_STALE, 4, "stale")                                                                      \
    X(GATE_NOT_TRADING, 5, "not_trading")                                                          \
    X(GATE_WARM_UP, 6, "warm_up")                                                                  \
    X(GATE_UNRECONCILED, 7, "unreconciled")                                                        \
    X(GATE_NUMBER, 8, "number")                                                                    \
    X(GATE_GRID, 9, "grid")                                                                        \
    X(GATE_COLLAR, 10, "collar")                                                                   \
    X(GATE_OWN_CROSS, 11, "own_cross")                                                             \
    X(GATE_POST_ONLY, 12, "post_only")                                                             \
    X(GATE_EXPOSURE, 13, "exposure")                                                               \
    X(GATE_FUNDS, 14, "funds")                                                                     \
    X(GATE_MINIMUM_NOTIONAL, 15, "minimum_notional")                                               \
    X(GATE_ORDER_COUNT, 16, "order_count")                                                         \
    X(GATE_RATE, 17, "rate")                                                                       \
    X(GATE_TABLE_FULL, 18, "table_full")                                                           \
    X(GATE_DRAWDOWN, 19, "drawdown")                                                               \
    X(GATE_DAILY_LOSS, 20, "daily_loss")                                                           \
    X(GATE_OPEN_INTEREST, 21, "open_interest")                                                     \
    X(GATE_REFERENCE_RATE, 22, "reference_rate")                                                   \
    X(GATE_INFRASTRUCTURE, 23, "infrastructure")                                                   \
    X(GATE_SAFETY, 24, "safety")                                                                   \
    X(GATE_ORDERS_STREAM, 25, "orders_stream")

#endif
