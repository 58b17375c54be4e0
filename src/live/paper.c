/* See paper.h. */
#include "live/paper.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/sim/sim.h"

/* How often the simulated venue is brought on where nothing is certain yet. */
#define STEP_NS (10 * NS_PER_MS)

/* One market message, with its rows and record behind it. */
struct kept {
    struct kept *next;
    struct message message;
    union event_record record;
    struct row rows[];
};

struct paper {
    struct venue venue; /* first: the loop holds a pointer to it */
    struct sink sink;   /* market messages come in here */
    struct feed feed;   /* and go to the simulated venue here */
    struct live_feed_local answers;
    struct venue *sim;
    struct kept *first, *last; /* from the oldest that the simulated venue may still look at */
    struct kept *cursor;       /* what it is given next; NULL: nothing is there */
    int64_t lag;               /* sim.reorder */
    int64_t reached;           /* of the simulated venue */
    int64_t next;              /* when it is brought on again */
    bool failed;
    struct error error;
};

static struct paper *of_sink(struct sink *sink)
{
    return (struct paper *)((char *)sink - offsetof(struct paper, sink));
}

static struct paper *of_feed(struct feed *feed)
{
    return (struct paper *)((char *)feed - offsetof(struct paper, feed));
}

static int keep(struct sink *sink, const struct message *message, struct error *error)
{
    struct paper *paper = of_sink(sink);
    if (message->kind >= EVENT_start)
        return 0;
    struct kept *kept = malloc(sizeof *kept + message->row_count * sizeof kept->rows[0]);
    if (!kept)
        return error_set(error, ERROR_SYSTEM, "no memory to keep the market for paper trading");
    kept->next = NULL;
    kept->message = *message;
    if (message->rows) {
        memcpy(kept->rows, message->rows, message->row_count * sizeof kept->rows[0]);
        kept->message.rows = kept->rows;
    } else {
        kept->record = *message->record;
        kept->message.record = &kept->record;
    }
    if (paper->last)
        paper->last->next = kept;
    else
        paper->first = kept;
    paper->last = kept;
    if (!paper->cursor)
        paper->cursor = kept;
    return 0;
}

/* The simulated venue holds what it was given until it is past it: by then it is `sim.reorder` behind. */
static void give_back(struct paper *paper, int64_t before)
{
    while (paper->first && paper->first != paper->cursor &&
           paper->first->message.ts_local < before) {
        struct kept *gone = paper->first;
        paper->first = gone->next;
        if (!paper->first)
            paper->last = NULL;
        free(gone);
    }
}

static const struct message *ahead(struct feed *feed, int64_t limit, struct error *error)
{
    struct paper *paper = of_feed(feed);
    (void)error;
    struct kept *kept = paper->cursor;
    if (!kept || kept->message.ts_local > limit)
        return NULL;
    paper->cursor = kept->next;
    return &kept->message;
}

static int bring_on(struct paper *paper, int64_t now)
{
    int64_t to = now - paper->lag;
    if (paper->failed || to < paper->reached)
        return paper->error.code;
    paper->reached = to;
    if (paper->sim->advance(paper->sim, to, &paper->error))
        paper->failed = true;
    return paper->error.code;
}

static int64_t due(void *context)
{
    return ((struct paper *)context)->next;
}

static const struct message *take(void *context, int64_t now)
{
    struct paper *paper = context;
    if (bring_on(paper, now))
        return NULL; /* submit tells */
    const struct message *answer = paper->sim->answer(paper->sim, paper->reached);
    paper->next = answer ? now : now + STEP_NS;
    give_back(paper, paper->reached - 2 * paper->lag);
    return answer;
}

static int submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct paper *paper = (struct paper *)venue;
    if (paper->failed) {
        *error = paper->error;
        return error->code;
    }
    return paper->sim->submit(paper->sim, decision, error);
}

static int nothing_to_do(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue, (void)now, (void)error;
    return 0;
}

static const struct message *no_answer(struct venue *venue, int64_t now)
{
    (void)venue, (void)now;
    return NULL;
}

static int64_t never(const struct venue *venue)
{
    (void)venue;
    return TIME_NEVER;
}

static int finish(struct venue *venue, struct error *error)
{
    (void)venue, (void)error;
    return 0;
}

static void close_nothing(struct venue *venue)
{
    (void)venue;
}

static void wire(struct paper *paper)
{
    paper->venue = (struct venue){.start = nothing_to_do,
                                  .advance = nothing_to_do,
                                  .answer = no_answer,
                                  .next = never,
                                  .submit = submit,
                                  .finish = finish,
                                  .close = close_nothing};
    paper->sink = (struct sink){.market = true, .message = keep};
    paper->feed = (struct feed){.ahead = ahead, .ahead_ts = INT64_MIN};
    paper->answers = (struct live_feed_local){.due = due, .take = take, .context = paper};
}

int paper_open(struct paper **out, const struct config_resolved *settings,
               const struct event_names *names, int64_t now, struct error *error)
{
    struct paper *paper = calloc(1, sizeof *paper);
    if (!paper)
        return error_set(error, ERROR_SYSTEM, "no memory for paper trading");
    wire(paper);
    paper->lag = settings->global.sim_reorder;
    paper->reached = now - paper->lag;
    paper->next = now;
    const struct sim_options options = {.feed = &paper->feed,
                                        .names = names,
                                        .global = &settings->global,
                                        .venues = settings->venues,
                                        .instruments = settings->instruments};
    int code = sim_open(&paper->sim, &options, error);
    if (!code)
        code = paper->sim->start(paper->sim, paper->reached, error);
    if (code)
        paper_close(&paper);
    *out = paper;
    return code;
}

void paper_close(struct paper **paper)
{
    if (!*paper)
        return;
    if ((*paper)->sim)
        (*paper)->sim->close((*paper)->sim);
    for (struct kept *kept = (*paper)->first, *next; kept; kept = next) {
        next = kept->next;
        free(kept);
    }
    free(*paper);
    *paper = NULL;
}

struct venue *paper_venue(struct paper *paper)
{
    return &paper->venue;
}

const struct live_feed_local *paper_answers(struct paper *paper)
{
    return &paper->answers;
}

struct sink *paper_sink(struct paper *paper)
{
    return &paper->sink;
}
