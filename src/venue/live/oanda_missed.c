/* Fills of before this session that the tape may not have, of an order that is over and that the tape lost or never
 * knew. Transactions are numbered, so that only where they begin is asked for by time; from there on they are read like
 * any others (oanda_account.c). */
#include "venue/live/oanda.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"

#define RETRY_NS NS_PER_SECOND

enum { TRIES_MAX = 8 };

void v20_missed_begin(struct v20 *v20)
{
    v20->missed = (struct v20_missed){.after = UINT64_MAX, .retry_at = TIME_NEVER};
}

static void end(struct v20 *v20)
{
    v20->missed.runs = false;
    v20_log_goes_on(v20);
}

static void later(struct v20 *v20, const char *why)
{
    struct v20_missed *missed = &v20->missed;
    missed->waiting = false;
    missed->retry_at = v20->now + RETRY_NS;
    if (++missed->tries <= TRIES_MAX)
        return;
    adapter_log(&v20->out, LOG_ERROR,
                "fills of before this session are not told, the position may lack them: %s", why);
    end(v20);
}

static void ask(struct v20 *v20)
{
    struct v20_missed *missed = &v20->missed;
    char path[96];
    /* In seconds: "Accept-Datetime-Format" is of requests too. */
    int64_t since = v20->names.numbers->fills_since + v20->clock.offset_ns;
    snprintf(path, sizeof path, "/transactions?from=%" PRId64 ".%09" PRId64 "&pageSize=1000",
             since / NS_PER_SECOND, since % NS_PER_SECOND);
    missed->retry_at = TIME_NEVER;
    missed->waiting =
        v20_send(v20, V20_ASK_MISSED, path, NULL, NULL, &(struct adapter_asked){0}) == V20_SENT;
    if (!missed->waiting)
        later(v20, "they can't be asked for");
}

bool v20_missed_runs(struct v20 *v20)
{
    struct v20_missed *missed = &v20->missed;
    if (!missed->asked_for && v20->trades && v20->names.numbers->fills_since > 0) {
        missed->asked_for = missed->runs = true;
        ask(v20);
    }
    return missed->runs;
}

void v20_missed_due(struct v20 *v20)
{
    const struct v20_missed *missed = &v20->missed;
    if (missed->runs && !missed->waiting && v20->now >= missed->retry_at)
        ask(v20);
}

void v20_take_missed(struct v20 *v20, const struct v20_answer *answer)
{
    struct v20_missed *missed = &v20->missed;
    struct error error = {0};
    uint64_t first;
    missed->waiting = false;
    if (!missed->runs)
        return;
    if (answer->outcome != V20_GOOD) {
        later(v20, answer->outcome == V20_DENIED ? answer->error.text : "no answer that tells");
        return;
    }
    if (v20_read_first_page(answer->body, answer->length, &first, &error) != 0) {
        later(v20, error.text);
        return;
    }
    if (first > 0) {
        missed->after = first - 1;
        if (missed->after < v20->log.last)
            v20->log.last = missed->after;
    }
    end(v20);
}

void v20_missed_fill(struct v20 *v20, uint16_t place, order_id order,
                     const struct v20_transaction *fill)
{
    const struct venue_id trade = adapter_venue_id(fill->id);
    if (fill->id <= v20->missed.after || adapter_trade_is_told(v20->names.numbers, order, &trade))
        return;
    v20_tell_fill(v20, place, order, fill, (struct number){0, NUMBER_ABSENT});
    v20_profit_fill(v20, place, fill);
    v20->missed.told++;
}

void v20_missed_counted(struct v20 *v20)
{
    struct v20_missed *missed = &v20->missed;
    if (missed->counted || !missed->asked_for)
        return;
    missed->counted = true;
    adapter_log(&v20->out, missed->told > 0 ? LOG_WARN : LOG_INFO,
                "%u fills of before this session that the tape did not have", missed->told);
}
