/* What OANDA's reasons mean for an order (enums TransactionRejectReason and OrderCancelReason of OpenAPI 3.0.25).
 * Two tables. */
#ifndef CAPSTAN_VENUE_LIVE_OANDA_ERRORS_H
#define CAPSTAN_VENUE_LIVE_OANDA_ERRORS_H

#include "event/event.h"

/* X(reason, reject). Reasons of orders that we never send (stops, take-profits, closing of trades) are in no
 * table. */
#define V20_REJECTS(X)                                                                             \
    X("INTERNAL_SERVER_ERROR", REJECT_OTHER) /* a transaction says that nothing was done */        \
    X("INSTRUMENT_PRICE_UNKNOWN", REJECT_NO_BOOK)                                                  \
    X("ACCOUNT_NOT_ACTIVE", REJECT_HALTED)                                                         \
    X("ACCOUNT_LOCKED", REJECT_HALTED)                                                             \
    X("ACCOUNT_ORDER_CREATION_LOCKED", REJECT_HALTED)                                              \
    X("ACCOUNT_CONFIGURATION_LOCKED", REJECT_HALTED)                                               \
    X("ACCOUNT_ORDER_CANCEL_LOCKED", REJECT_HALTED)                                                \
    X("INSTRUMENT_NOT_TRADEABLE", REJECT_HALTED)                                                   \
    X("PENDING_ORDERS_ALLOWED_EXCEEDED", REJECT_FULL)                                              \
    X("ORDER_ID_UNSPECIFIED", REJECT_NOT_FOUND)                                                    \
    X("ORDER_DOESNT_EXIST", REJECT_NOT_FOUND) /* filled, cancelled or never there */               \
    X("NO_SUCH_ORDER", REJECT_NOT_FOUND)      /* errorCode without a transaction */                \
    X("ORDER_IDENTIFIER_INCONSISTENCY", REJECT_OTHER)                                              \
    X("INSUFFICIENT_MARGIN", REJECT_FUNDS)                                                         \
    X("INSUFFICIENT_FUNDS", REJECT_FUNDS)                                                          \
    X("INSTRUMENT_MISSING", REJECT_UNSUPPORTED)                                                    \
    X("INSTRUMENT_UNKNOWN", REJECT_UNSUPPORTED)                                                    \
    X("UNITS_MISSING", REJECT_QUANTITY)                                                            \
    X("UNITS_INVALID", REJECT_QUANTITY)                                                            \
    X("UNITS_PRECISION_EXCEEDED", REJECT_LOT)                                                      \
    X("UNITS_LIMIT_EXCEEDED", REJECT_QUANTITY)                                                     \
    X("UNITS_MIMIMUM_NOT_MET", REJECT_QUANTITY) /* the venue's spelling */                         \
    X("UNITS_MINIMUM_NOT_MET", REJECT_QUANTITY) /* and the right one, should it come */            \
    X("PRICE_MISSING", REJECT_PRICE)                                                               \
    X("PRICE_INVALID", REJECT_PRICE)                                                               \
    X("PRICE_PRECISION_EXCEEDED", REJECT_TICK)                                                     \
    X("PRICE_DISTANCE_MAXIMUM_EXCEEDED", REJECT_PRICE)                                             \
    X("PRICE_DISTANCE_MINIMUM_NOT_MET", REJECT_PRICE)                                              \
    X("TIME_IN_FORCE_MISSING", REJECT_UNSUPPORTED)                                                 \
    X("TIME_IN_FORCE_INVALID", REJECT_UNSUPPORTED)                                                 \
    X("TIME_IN_FORCE_GTD_TIMESTAMP_MISSING", REJECT_UNSUPPORTED)                                   \
    X("TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST", REJECT_UNSUPPORTED) /* the clocks don't agree */      \
    X("PRICE_BOUND_INVALID", REJECT_PRICE)                                                         \
    X("PRICE_BOUND_PRECISION_EXCEEDED", REJECT_TICK)                                               \
    X("CLIENT_ORDER_ID_INVALID", REJECT_UNSUPPORTED)                                               \
    X("CLIENT_ORDER_ID_ALREADY_EXISTS", REJECT_DUPLICATE)                                          \
    X("CLIENT_ORDER_TAG_INVALID", REJECT_UNSUPPORTED)                                              \
    X("CLIENT_ORDER_COMMENT_INVALID", REJECT_UNSUPPORTED)                                          \
    X("TRIGGER_CONDITION_INVALID", REJECT_UNSUPPORTED)                                             \
    X("ORDER_FILL_POSITION_ACTION_INVALID", REJECT_UNSUPPORTED)                                    \
    X("REPLACING_ORDER_INVALID", REJECT_UNSUPPORTED)

/* X(reason of an ORDER_CANCEL, reject): an order that was taken and ended at once, which is a refusal in effect
 * (answers 201 with an orderCancelTransaction). Others are ends of their own: TIME_IN_FORCE_EXPIRED,
 * CLIENT_REQUEST, CLIENT_REQUEST_REPLACED. */
#define V20_ENDS(X)                                                                                \
    X("INTERNAL_SERVER_ERROR", REJECT_OTHER)                                                       \
    X("ACCOUNT_LOCKED", REJECT_HALTED)                                                             \
    X("ACCOUNT_NEW_POSITIONS_LOCKED", REJECT_HALTED)                                               \
    X("ACCOUNT_ORDER_CREATION_LOCKED", REJECT_HALTED)                                              \
    X("ACCOUNT_ORDER_FILL_LOCKED", REJECT_HALTED)                                                  \
    X("MIGRATION", REJECT_OTHER)                                                                   \
    X("MARKET_HALTED", REJECT_HALTED)                                                              \
    X("INSUFFICIENT_MARGIN", REJECT_FUNDS)                                                         \
    X("FIFO_VIOLATION", REJECT_UNSUPPORTED)                                                        \
    X("BOUNDS_VIOLATION", REJECT_PRICE)                                                            \
    X("INSUFFICIENT_LIQUIDITY", REJECT_NO_BOOK)                                                    \
    X("OPEN_TRADES_ALLOWED_EXCEEDED", REJECT_FULL)                                                 \
    X("PENDING_ORDERS_ALLOWED_EXCEEDED", REJECT_FULL)                                              \
    X("POSITION_SIZE_EXCEEDED", REJECT_QUANTITY)                                                   \
    X("ACCOUNT_POSITION_VALUE_LIMIT_EXCEEDED", REJECT_FUNDS)                                       \
    X("INSTRUMENT_BID_REDUCE_ONLY", REJECT_HALTED)                                                 \
    X("INSTRUMENT_ASK_REDUCE_ONLY", REJECT_HALTED)                                                 \
    X("INSTRUMENT_BID_HALTED", REJECT_HALTED)                                                      \
    X("INSTRUMENT_ASK_HALTED", REJECT_HALTED)

/* REJECT_OTHER and `known` false where the reason is in no row. */
enum reject v20_reject(const char *reason, bool *known);
/* REJECT_NONE where an order that ended so was not refused. */
enum reject v20_end(const char *reason);

#endif
