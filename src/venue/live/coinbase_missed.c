/* Fills of before this session that the tape may not have: of an order that is over and that the tape lost, or never
 * knew. The list of all fills since the tape's end is read; who placed an order only the order says. */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define RETRY_NS NS_PER_SECOND

enum { TRIES_MAX = 8 }; /* in all */

static const char page_size[] = "100";

/* It ends; the account, which waited, is asked for. */
static void end(struct coinbase *venue)
{
    struct coinbase_missed *missed = &venue->missed;
    missed->step = COINBASE_MISSED_IDLE;
    adapter_log(&venue->out, missed->told > 0 ? LOG_WARN : LOG_INFO,
                "%u fills of before this session that the tape did not have", missed->told);
    coinbase_fills_free(&missed->fills);
    if (venue->snapshot.wanted)
        coinbase_want_account(venue);
}

static void later(struct coinbase *venue, const char *why)
{
    struct coinbase_missed *missed = &venue->missed;
    missed->waiting = false;
    missed->retry_at = venue->now + RETRY_NS;
    if (++missed->tries <= TRIES_MAX)
        return;
    adapter_log(&venue->out, LOG_ERROR,
                "fills of before this session are not told, the position may lack them: %s", why);
    end(venue);
}

static void make_list(const struct coinbase *venue, struct coinbase_question *question)
{
    char since[TIME_TEXT_MAX];
    time_to_text(venue->names.numbers->fills_since + venue->time.offset_ns, since);
    coinbase_add(question, "start_sequence_timestamp", since);
    coinbase_add(question, "limit", page_size);
    if (venue->missed.page.cursor[0] != '\0')
        coinbase_add(question, "cursor", venue->missed.page.cursor);
}

static void ask(struct coinbase *venue)
{
    struct coinbase_missed *missed = &venue->missed;
    struct coinbase_question question = {.body = NULL};
    bool of_order = missed->step == COINBASE_MISSED_ORDERS;
    if (of_order)
        snprintf(question.path, sizeof question.path, "%s", missed->fills.list[missed->next].order);
    else
        make_list(venue, &question);
    enum coinbase_sent sent =
        coinbase_ask(venue, of_order ? COINBASE_ASK_MISSED_ORDER : COINBASE_ASK_MISSED, &question,
                     &(struct adapter_asked){0}, NULL);
    missed->waiting = sent == COINBASE_SENT;
    missed->retry_at = TIME_NEVER;
    if (sent == COINBASE_HELD_BACK)
        missed->retry_at = venue->now + RETRY_NS;
    else if (sent != COINBASE_SENT)
        later(venue, "they can't be asked for");
}

bool coinbase_missed_runs(struct coinbase *venue)
{
    struct coinbase_missed *missed = &venue->missed;
    if (!missed->asked_for && venue->user_told_up && venue->names.numbers->fills_since > 0) {
        missed->asked_for = true;
        missed->step = COINBASE_MISSED_LIST;
        ask(venue);
    }
    return missed->step != COINBASE_MISSED_IDLE;
}

/* Another product's is none of ours; its order need not be asked for. */
static void drop_others(struct coinbase *venue)
{
    struct coinbase_fills *fills = &venue->missed.fills;
    size_t kept = 0;
    for (size_t i = 0; i < fills->count; i++)
        if (fills->list[i].symbol[0] == '\0' ||
            adapter_place_of_symbol(&venue->names, fills->list[i].symbol) != ADAPTER_NO_PLACE)
            fills->list[kept++] = fills->list[i];
    fills->count = kept;
}

/* On to the next fill whose order was not asked for yet. */
static void go_on(struct coinbase *venue)
{
    struct coinbase_missed *missed = &venue->missed;
    while (missed->next < missed->fills.count && missed->fills.list[missed->next].order[0] == '\0')
        missed->next++;
    if (missed->next < missed->fills.count)
        ask(venue);
    else
        end(venue);
}

static void take_list(struct coinbase *venue, const struct coinbase_answer *answer)
{
    struct coinbase_missed *missed = &venue->missed;
    struct error error = {0};
    if (coinbase_read_fills(answer->body, answer->length, &missed->fills, &missed->page, &error) !=
        0) {
        missed->fills.count = 0; /* from the first page */
        missed->page.cursor[0] = '\0';
        later(venue, error.text);
        return;
    }
    drop_others(venue);
    if (missed->page.cursor[0] != '\0') {
        ask(venue);
        return;
    }
    coinbase_fills_order(&missed->fills);
    missed->step = COINBASE_MISSED_ORDERS;
    go_on(venue);
}

/* All fills of one order; `record` NULL: it is not ours. */
static void tell(struct coinbase *venue, struct coinbase_record *record, const char *order)
{
    struct coinbase_missed *missed = &venue->missed;
    char id[COINBASE_ID_MAX + 1];
    snprintf(id, sizeof id, "%s", order);
    for (size_t i = missed->next; i < missed->fills.count; i++) {
        struct coinbase_fill *fill = &missed->fills.list[i];
        if (strcmp(fill->order, id) != 0)
            continue;
        missed->told += record && coinbase_record_missed(venue, record, fill);
        fill->order[0] = '\0';
    }
}

static void take_order(struct coinbase *venue, const struct coinbase_answer *answer)
{
    const char *wanted = venue->missed.fills.list[venue->missed.next].order;
    struct coinbase_order told;
    struct error error = {0};
    if (coinbase_read_order(answer->body, answer->length, &told, &error) != 0) {
        later(venue, error.text);
        return;
    }
    if (strcmp(told.id, wanted) != 0) {
        later(venue, "the answer is about another order");
        return;
    }
    order_id order = adapter_order_of(venue->settings.session, told.name, strlen(told.name));
    bool is_new = !coinbase_record_of(venue, order);
    struct coinbase_record *record = coinbase_record_of_told(venue, &told);
    if (record) {
        coinbase_record_take(venue, record, &told);
        if (is_new) {
            record->told = record->filled; /* what of it is not on the tape is told here */
            record->end_told = record->over;
        }
    }
    tell(venue, record, wanted);
    go_on(venue);
}

void coinbase_missed_answer(struct coinbase *venue, const struct adapter_asked *asked,
                            const struct coinbase_answer *answer)
{
    struct coinbase_missed *missed = &venue->missed;
    if (missed->step == COINBASE_MISSED_IDLE)
        return;
    missed->waiting = false;
    if (answer->outcome != COINBASE_GOOD)
        later(venue,
              answer->outcome == COINBASE_REFUSED ? answer->error.text : "no answer that tells");
    else if (asked->kind == COINBASE_ASK_MISSED)
        take_list(venue, answer);
    else
        take_order(venue, answer);
}

void coinbase_missed_due(struct coinbase *venue)
{
    const struct coinbase_missed *missed = &venue->missed;
    if (missed->step != COINBASE_MISSED_IDLE && !missed->waiting && venue->now >= missed->retry_at)
        ask(venue);
}
