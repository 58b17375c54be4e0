/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as a message's canonical bytes or, after a T, as its
 * canonical text. What is accepted goes back to the same message; what is refused is one line. */
#include "base/assert.h"
#include "event/event.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 4096, TEXT_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const venues[] = {"v1", "v2"};
static const char *const assets[] = {"BTC", "USD"};
static const char *const symbols[] = {"BTC-USD", "BTCUSD_PERP"};
static const struct event_definition definitions[] = {
    {.instrument = 0,
     .venue = 0,
     .price_exponent = -2,
     .quantity_exponent = -3,
     .tick = 50,
     .lot = 1},
    {.instrument = 1,
     .venue = 1,
     .price_exponent = -1,
     .quantity_exponent = 0,
     .tick = 5,
     .lot = 1},
};
static const struct event_names names = {2, 2, 2, venues, assets, symbols, definitions};

/* Bytes that decode encode to themselves. */
static void give_bytes(const uint8_t *data, size_t size, struct row *rows)
{
    union event_record record;
    struct message message;
    struct error error = {0};
    size_t used = 0;
    if (message_decode(data, size, rows, ROWS_MAX, &record, &message, &used, &error)) {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        return;
    }
    ASSERT(used <= size && used == message_encoded_bytes(&message));
    uint8_t *again = malloc(used);
    ASSERT(again);
    ASSERT(message_encode(&message, again, used) == used);
    ASSERT(memcmp(again, data, used) == 0);
    free(again);
}

/* Text that reads prints as text that reads and prints the same. */
static void give_text(const char *text, size_t length, struct row *rows)
{
    static char first[TEXT_MAX], second[TEXT_MAX];
    union event_record record;
    struct message message;
    struct error error = {0};
    if (message_from_text(text, length, &names, rows, ROWS_MAX, &record, &message, &error)) {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        return;
    }
    size_t printed = message_to_text(&message, &names, first, sizeof first);
    ASSERT(printed < sizeof first);
    ASSERT(message_from_text(first, printed, &names, rows, ROWS_MAX, &record, &message, &error) ==
           0);
    ASSERT(message_to_text(&message, &names, second, sizeof second) == printed);
    ASSERT(memcmp(first, second, printed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct row rows[ROWS_MAX];
    if (size > 0 && data[0] == 'T')
        give_text((const char *)data + 1, size - 1, rows);
    else
        give_bytes(data, size, rows);
    return 0;
}
