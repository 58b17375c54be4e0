/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as lines of Binance frames. What is accepted keeps
 * the promises of binance_decode.h and passes the sequence rules; what is refused is one line. */
#include "base/assert.h"
#include "venue/live/binance_decode.h"
#include "venue/live/binance_sync.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void follow(struct binance_sync *sync, const struct binance_frame *frame)
{
    static const struct row rows[4];
    struct binance_joined joined;
    enum binance_verdict verdict;
    if (frame->kind == BINANCE_SNAPSHOT) {
        binance_sync_snapshot(sync, frame->last_id, &joined);
    } else if (frame->kind == BINANCE_DEPTH) {
        struct binance_change change = {.first_id = frame->first_id,
                                        .last_id = frame->last_id,
                                        .previous_id = frame->previous_id,
                                        .rows = rows,
                                        .row_count = frame->level_count % 4};
        ASSERT(binance_sync_depth(sync, &change, &verdict, NULL) == ERROR_NONE);
    }
}

static void take(struct binance_frame *frame, struct binance_sync *syncs, const char *line,
                 size_t length)
{
    struct error error = {0};
    if (binance_decode(frame, line, length, &error) != ERROR_NONE) {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        ASSERT(frame->level_count == 0);
        return;
    }
    ASSERT(frame->bid_count <= frame->level_count);
    ASSERT(strlen(frame->symbol) <= BINANCE_SYMBOL_MAX);
    for (size_t i = 0; i < frame->level_count; i++) {
        ASSERT(strlen(frame->levels[i].price.bytes) == frame->levels[i].price.length);
        ASSERT(strlen(frame->levels[i].quantity.bytes) == frame->levels[i].quantity.length);
    }
    follow(&syncs[frame->market != BINANCE_SPOT], frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct binance_frame frame = {0};
    struct binance_sync syncs[2];
    const char *at = (const char *)data, *end = at + size;
    binance_sync_init(&syncs[0], false);
    binance_sync_init(&syncs[1], true);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        take(&frame, syncs, at, (size_t)(stop - at));
        at = stop < end ? stop + 1 : end;
    }
    binance_frame_free(&frame);
    binance_sync_free(&syncs[0]);
    binance_sync_free(&syncs[1]);
    return 0;
}
