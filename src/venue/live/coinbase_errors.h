/* What Coinbase's words mean for an order ("Create Order", "Cancel Orders", "Edit Order", "Error responses").
 * One table. The venue refuses in words, most of them with HTTP 200. */
#ifndef CAPSTAN_VENUE_LIVE_COINBASE_ERRORS_H
#define CAPSTAN_VENUE_LIVE_COINBASE_ERRORS_H

#include "event/event.h"

/* X(reason, part of the text, reject): the first row that fits counts. Reasons are compared without PREVIEW_ in
 * front; an empty part fits any text. */
#define COINBASE_ERRORS(X)                                                                         \
    X("INSUFFICIENT_FUND", "", REJECT_FUNDS)                                                       \
    X("INSUFFICIENT_FUNDS", "", REJECT_FUNDS)                                                      \
    X("INVALID_LIMIT_PRICE_POST_ONLY", "", REJECT_POST_ONLY)                                       \
    X("POST_ONLY_NOT_ALLOWED_WITH_FOK", "", REJECT_UNSUPPORTED)                                    \
    X("INVALID_PRICE_PRECISION", "", REJECT_TICK)                                                  \
    X("INVALID_SIZE_PRECISION", "", REJECT_LOT)                                                    \
    X("INVALID_LIMIT_PRICE", "", REJECT_PRICE)                                                     \
    X("LIMIT_PRICE_OUTSIDE_BOUNDS", "", REJECT_PRICE)                                              \
    X("INVALID_EDITED_PRICE", "", REJECT_PRICE)                                                    \
    X("INVALID_EDITED_SIZE", "", REJECT_QUANTITY)                                                  \
    X("INVALID_BASE_SIZE_TOO_SMALL", "", REJECT_MINIMUM_NOTIONAL)                                  \
    X("INVALID_QUOTE_SIZE_TOO_SMALL", "", REJECT_MINIMUM_NOTIONAL)                                 \
    X("INVALID_BASE_SIZE_TOO_LARGE", "", REJECT_QUANTITY)                                          \
    X("INVALID_QUOTE_SIZE_TOO_LARGE", "", REJECT_QUANTITY)                                         \
    X("INVALID_ORDER_SIZE", "", REJECT_QUANTITY)                                                   \
    X("INVALID_END_TIME", "", REJECT_UNSUPPORTED)                                                  \
    X("UNSUPPORTED_ORDER_CONFIGURATION", "not enabled for trading", REJECT_HALTED)                 \
    X("UNSUPPORTED_ORDER_CONFIGURATION", "", REJECT_UNSUPPORTED)                                   \
    X("TRADING_DISABLED", "", REJECT_HALTED)                                                       \
    X("INVALID_PRODUCT_ID", "", REJECT_HALTED)                                                     \
    X("INVALID_SIDE", "", REJECT_UNSUPPORTED)                                                      \
    X("INVALID_REQUEST", "", REJECT_UNSUPPORTED)                                                   \
    X("DUPLICATE_CLIENT_ORDER_ID", "", REJECT_DUPLICATE)                                           \
    X("MAX_OPEN_ORDERS_EXCEEDED", "", REJECT_FULL)                                                 \
    X("INSUFFICIENT_LIQUIDITY", "", REJECT_NO_BOOK)                                                \
    X("TOO_MANY_PENDING_REPLACES", "", REJECT_RATE)                                                \
    X("rate_limit_exceeded", "", REJECT_RATE)                                                      \
    X("ORDER_NOT_FOUND", "", REJECT_NOT_FOUND)                                                     \
    X("UNKNOWN_CANCEL_ORDER", "", REJECT_NOT_FOUND)                                                \
    X("ONLY_OPEN_ORDERS_CAN_BE_EDITED", "", REJECT_NOT_FOUND)                                      \
    X("CANNOT_EDIT_TO_BELOW_FILLED_SIZE", "", REJECT_FILLED)                                       \
    X("ONLY_LIMIT_ORDER_EDITS_SUPPORTED", "", REJECT_UNSUPPORTED)                                  \
    X("INVALID_CANCEL_REQUEST", "", REJECT_OTHER)                                                  \
    X("COMMANDER_REJECTED_CANCEL_ORDER", "", REJECT_OTHER)                                         \
    X("COMMANDER_REJECTED_EDIT_ORDER", "", REJECT_OTHER)                                           \
    X("unauthorized", "", REJECT_OTHER)            /* the clock is asked for anew */               \
    X("permission_denied", "", REJECT_OTHER)       /* "Missing required scopes" */                 \
    X("account", "is not available", REJECT_OTHER) /* the next orders name the portfolio */        \
    X("not_found", "", REJECT_NOT_FOUND)                                                           \
    X("unknown", "was not found", REJECT_NOT_FOUND)

enum { COINBASE_REASON_MAX = 64, COINBASE_TEXT_MAX = 160 };

/* Why something was refused; an empty reason is none. */
struct coinbase_error {
    char reason[COINBASE_REASON_MAX]; /* the venue's word */
    char text[COINBASE_TEXT_MAX];     /* cut, and only printable ASCII of it */
};

/* The reject that it is; REJECT_OTHER and `known` false where no row fits. */
enum reject coinbase_reject(const struct coinbase_error *error, bool *known);

#endif
