/* The venue of `verify`, which has nothing to say. */
#include "venue/recorded.h"

#include "base/time.h"

static int recorded_at(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue, (void)now, (void)error;
    return 0;
}

static const struct message *recorded_answer(struct venue *venue, int64_t now)
{
    (void)venue, (void)now;
    return NULL;
}

static int64_t recorded_next(const struct venue *venue)
{
    (void)venue;
    return TIME_NEVER;
}

static int recorded_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    (void)venue, (void)decision, (void)error;
    return 0;
}

static int recorded_finish(struct venue *venue, struct error *error)
{
    (void)venue, (void)error;
    return 0;
}

static void recorded_close(struct venue *venue)
{
    (void)venue;
}

struct venue recorded_venue(void)
{
    return (struct venue){.start = recorded_at,
                          .advance = recorded_at,
                          .answer = recorded_answer,
                          .next = recorded_next,
                          .submit = recorded_submit,
                          .finish = recorded_finish,
                          .close = recorded_close};
}
