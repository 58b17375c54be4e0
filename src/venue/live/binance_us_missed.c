/* Fills of before this session that the tape may not have: of an order that is over and that the tape lost, or never
 * knew. Each instrument's trades since the tape's end are read, a window of time after the other ("Account Trade List":
 * at most a day from startTime to endTime); who placed an order only the order says, which is asked for where the tape does
 * not have the trade. */
#include "venue/live/binance_us.h"

#include <string.h>

#include "base/assert.h"

#define RETRY_NS NS_PER_SECOND

enum {
    DAY_MS = 86400000,
    TRADES_PAGE = 1000, /* the most that one answer has */
    TRIES_MAX = 8       /* in all */
};

/* It ends; the account, which waited, is asked for. */
static void end(struct binance_us *us)
{
    struct binance_us_missed *missed = &us->missed;
    missed->step = BINANCE_US_MISSED_IDLE;
    adapter_log(&us->out, missed->told > 0 ? LOG_WARN : LOG_INFO,
                "%u fills of before this session that the tape did not have", missed->told);
    binance_us_fills_free(&missed->fills);
    if (us->snapshot.wanted)
        binance_us_want_account(us);
}

static void later(struct binance_us *us, const char *why)
{
    struct binance_us_missed *missed = &us->missed;
    missed->waiting = false;
    missed->retry_at = us->now + RETRY_NS;
    if (++missed->tries <= TRIES_MAX)
        return;
    adapter_log(&us->out, LOG_ERROR,
                "fills of before this session are not told, the position may lack them: %s", why);
    end(us);
}

static enum binance_us_sent ask_list(struct binance_us *us)
{
    const struct binance_us_missed *missed = &us->missed;
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "symbol", us->settings.symbols[missed->place]);
    binance_us_add_integer(&parameters, "startTime", missed->from_ms);
    binance_us_add_integer(&parameters, "endTime", missed->from_ms + missed->length_ms - 1);
    binance_us_add_integer(&parameters, "limit", TRADES_PAGE);
    return binance_us_ask(us, ASK_MISSED, &parameters,
                          &(struct adapter_asked){.place = missed->place});
}

static enum binance_us_sent ask_order(struct binance_us *us)
{
    const struct binance_us_missed *missed = &us->missed;
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "symbol", us->settings.symbols[missed->place]);
    binance_us_add_integer(&parameters, "orderId", (int64_t)missed->fills.list[missed->next].order);
    return binance_us_ask(us, ASK_MISSED_ORDER, &parameters,
                          &(struct adapter_asked){.place = missed->place});
}

static void ask(struct binance_us *us)
{
    struct binance_us_missed *missed = &us->missed;
    enum binance_us_sent sent =
        missed->step == BINANCE_US_MISSED_ORDERS ? ask_order(us) : ask_list(us);
    missed->waiting = sent == BINANCE_US_SENT;
    missed->retry_at = TIME_NEVER;
    if (sent == BINANCE_US_HELD_BACK)
        missed->retry_at = us->now + RETRY_NS;
    else if (sent != BINANCE_US_SENT)
        later(us, "they can't be asked for");
}

/* The trades of one instrument, from the first window on. */
static void begin_place(struct binance_us *us)
{
    struct binance_us_missed *missed = &us->missed;
    missed->step = BINANCE_US_MISSED_LIST;
    missed->from_ms = (us->names.numbers->fills_since + us->time.offset_ns) / NS_PER_MS;
    missed->length_ms = DAY_MS;
    missed->end_ms = (us->now + us->time.offset_ns) / NS_PER_MS;
    missed->fills.count = missed->next = 0;
    ask(us);
}

bool binance_us_missed_runs(struct binance_us *us)
{
    struct binance_us_missed *missed = &us->missed;
    if (!missed->asked_for && binance_us_private_is_up(us) && us->names.numbers->fills_since > 0) {
        missed->asked_for = true;
        begin_place(us);
    }
    return missed->step != BINANCE_US_MISSED_IDLE;
}

/* On to the next trade whose order was not asked for yet, else to the next instrument. */
static void go_on(struct binance_us *us)
{
    struct binance_us_missed *missed = &us->missed;
    while (missed->next < missed->fills.count && missed->fills.list[missed->next].order == 0)
        missed->next++;
    if (missed->next < missed->fills.count) {
        ask(us);
    } else if (++missed->place < us->names.count) {
        begin_place(us);
    } else {
        end(us);
    }
}

/* Known already, whosesoever: its order has nothing to say. */
static bool is_on_tape(const struct binance_us *us, const struct binance_us_fill *fill)
{
    const struct venue_id trade = adapter_venue_id(fill->trade);
    return adapter_has_trade(us->names.numbers, adapter_number(&us->names, us->missed.place),
                             &trade);
}

/* Which of a window's trades a full page leaves out is not documented: it is asked for in smaller windows. */
static void take_list(struct binance_us *us, const struct binance_us_answer *answer)
{
    struct binance_us_missed *missed = &us->missed;
    struct error error = {0};
    if (binance_us_read_trades(answer->body, answer->length, &us->fills, &error) != 0) {
        later(us, error.text);
        return;
    }
    if (us->fills.count >= TRADES_PAGE && missed->length_ms > 1) {
        missed->length_ms /= 2;
        ask(us);
        return;
    }
    for (size_t i = 0; i < us->fills.count; i++)
        if (!is_on_tape(us, &us->fills.list[i]) &&
            !binance_us_fills_append(&missed->fills, &us->fills.list[i])) {
            later(us, "no memory");
            return;
        }
    missed->from_ms += missed->length_ms;
    /* One busy hour does not have the days behind it asked for in minutes. */
    if (us->fills.count < TRADES_PAGE / 2 && missed->length_ms <= DAY_MS / 2)
        missed->length_ms *= 2;
    if (missed->from_ms <= missed->end_ms) {
        ask(us);
        return;
    }
    missed->step = BINANCE_US_MISSED_ORDERS;
    go_on(us);
}

/* All trades of one order. */
static void tell(struct binance_us *us, const struct binance_us_order *told)
{
    struct binance_us_missed *missed = &us->missed;
    for (size_t i = missed->next; i < missed->fills.count; i++) {
        struct binance_us_fill *fill = &missed->fills.list[i];
        if (fill->order != told->id)
            continue;
        if (fill->buyer == (told->side == SIDE_BUY))
            missed->told += binance_us_tell_missed(us, missed->place, told, fill);
        else
            adapter_log(&us->out, LOG_ERROR,
                        "a trade of order %.64s is of another side: it is not booked", told->name);
        fill->order = 0;
    }
}

static void take_order(struct binance_us *us, const struct binance_us_answer *answer)
{
    const struct binance_us_missed *missed = &us->missed;
    struct binance_us_order told;
    struct error error = {0};
    if (binance_us_read_order(answer->body, answer->length, &told, &error) != 0) {
        later(us, error.text);
        return;
    }
    if (told.id != missed->fills.list[missed->next].order ||
        strcmp(told.symbol, us->settings.symbols[missed->place]) != 0) {
        later(us, "the answer is about another order");
        return;
    }
    tell(us, &told);
    go_on(us);
}

void binance_us_missed_answer(struct binance_us *us, const struct adapter_asked *asked,
                              const struct binance_us_answer *answer)
{
    struct binance_us_missed *missed = &us->missed;
    if (missed->step == BINANCE_US_MISSED_IDLE)
        return;
    missed->waiting = false;
    if (answer->outcome != BINANCE_US_GOOD)
        later(us,
              answer->outcome == BINANCE_US_REFUSED ? answer->error.text : "no answer that tells");
    else if (asked->kind == ASK_MISSED)
        take_list(us, answer);
    else
        take_order(us, answer);
}

void binance_us_missed_due(struct binance_us *us)
{
    const struct binance_us_missed *missed = &us->missed;
    if (missed->step != BINANCE_US_MISSED_IDLE && !missed->waiting && us->now >= missed->retry_at)
        ask(us);
}
