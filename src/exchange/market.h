/* The public side of one venue's market: books, best prices, trades, and what changed since it was last
 * told, fed with the played messages as they are published. Orders of clients do not stand in it. */
#ifndef CAPSTAN_EXCHANGE_MARKET_H
#define CAPSTAN_EXCHANGE_MARKET_H

#include "engine/book.h"
#include "event/event.h"

enum {
    MARKET_TRADES_KEPT = 1024, /* of each instrument; power of two */
    MARKET_PACES = 2           /* who takes changes: at once, and now and then */
};

/* One public trade. */
struct public_trade {
    uint64_t id;
    int64_t price, quantity, time;
    bool seller_aggressor;
};

/* A level that changed; its quantity is asked of the book when it is told. */
struct public_change {
    int64_t price;
    uint8_t side; /* enum side */
};

/* Changes since somebody took them, and the update ids they stand for. */
struct public_changes {
    struct public_change *changes;
    size_t count, capacity;
    uint64_t first_update, last_update;
    int64_t time; /* of the newest */
};

struct public_instrument {
    uint16_t instrument;
    const char *symbol;
    struct event_definition definition;
    struct book *book;
    uint64_t update;          /* id of the last book change */
    int64_t time;             /* of the last book change, venue time */
    struct book_level top[2]; /* best prices by enum side, as last told; quantity 0: none */
    uint64_t top_update;
    uint8_t trading; /* enum trading */
    struct public_trade trades[MARKET_TRADES_KEPT];
    uint64_t trade_count;    /* ever; the newest stands at (trade_count - 1) % MARKET_TRADES_KEPT */
    int64_t open, high, low; /* prices of all trades so far */
    money volume, value;     /* of all trades so far, in base and quote */
    struct public_changes paces[MARKET_PACES];
};

struct market_view {
    const struct event_names *names;
    unsigned count;
    struct public_instrument *instruments; /* of the venue, in the order of names */
};

/* What a message did. */
enum market_news { MARKET_NOTHING, MARKET_BOOK, MARKET_TOP, MARKET_TRADES };

/* Memory for the instruments of a venue; market_view_close also after a failure. The names must outlive it. */
int market_view_open(struct market_view *view, const struct event_names *names, unsigned venue,
                     struct error *error);
void market_view_close(struct market_view *view);

/* Take one published message; *instrument is set unless MARKET_NOTHING comes back. For MARKET_TRADES the
 * newest `message->row_count` trades are new (or as many as are kept). */
enum market_news market_view_take(struct market_view *view, const struct message *message,
                                  struct public_instrument **instrument);

/* By symbol as a protocol writes it (case counts); NULL. */
struct public_instrument *market_by_symbol(const struct market_view *view, const char *symbol);
struct public_instrument *market_by_number(const struct market_view *view, unsigned instrument);

/* The changes of a pace, sorted (bids best first, then asks best first), without doubles; the caller reads
 * quantities from the book, then calls market_changes_taken. */
const struct public_changes *market_changes(struct public_instrument *instrument, unsigned pace);
void market_changes_taken(struct public_instrument *instrument, unsigned pace);

/* The `back`-th trade before the newest (0: the newest); NULL where that is forgotten or never was. */
const struct public_trade *market_trade(const struct public_instrument *instrument, uint64_t back);
/* Best level of a side of the book; quantity 0 where there is none. */
struct book_level market_best(const struct public_instrument *instrument, enum side side);
/* Price of the last trade, else the mid; 0 where neither is. */
int64_t market_last_price(const struct public_instrument *instrument);
/* The worst price that `quantity` of the book's `side` reaches, moved `slack_ppm` further away and onto the
 * tick; 0 where the side is empty. */
int64_t market_worst_price(const struct public_instrument *instrument, enum side side,
                           int64_t quantity, int64_t slack_ppm);

#endif
