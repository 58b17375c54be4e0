/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what Coinbase sends to its adapter, and as what each of its readers
 * is given; see adapter_world.h. What a reader refuses is one line that names something; what it accepts keeps the
 * promises of coinbase_decode.h and coinbase_frame.h. */
#include <string.h>

#include "adapter_world.h"
#include "base/assert.h"
#include "venue/live/coinbase_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool accepted(int code, const struct error *error)
{
    if (code == ERROR_NONE)
        return true;
    ASSERT(error->text[0] != '\0' && strchr(error->text, '\n') == NULL);
    return false;
}

static void take_frame(struct coinbase_frame *frame, const char *line, size_t length)
{
    struct error error = {0};
    if (!accepted(coinbase_read_frame(frame, line, length, &error), &error))
        return;
    size_t items =
        frame->level_count + frame->trade_count + frame->ticker_count + frame->orders.count;
    for (size_t i = 0; i < frame->event_count; i++)
        ASSERT(frame->events[i].first + frame->events[i].count <= items);
    for (size_t i = 0; i < frame->level_count; i++)
        ASSERT(frame->levels[i].side <= SIDE_SELL && frame->levels[i].time_ns >= 0 &&
               frame->levels[i].price.text && frame->levels[i].quantity.text);
    for (size_t i = 0; i < frame->trade_count; i++)
        ASSERT(frame->trades[i].maker <= SIDE_SELL && frame->trades[i].time_ns >= 0);
    ASSERT(frame->has_sequence || frame->channel == COINBASE_ERROR_MESSAGE);
}

static void take_lists(const char *line, size_t length)
{
    struct error errors[4] = {{0}};
    struct coinbase_orders orders = {0};
    struct coinbase_fills fills = {0};
    struct coinbase_balances balances = {0};
    struct coinbase_cancels cancels = {0};
    struct coinbase_page page;
    if (accepted(coinbase_read_orders(line, length, &orders, &page, &errors[0]), &errors[0]))
        ASSERT(strlen(page.cursor) < sizeof page.cursor);
    if (accepted(coinbase_read_fills(line, length, &fills, &page, &errors[1]), &errors[1]))
        for (size_t i = 0; i < fills.count; i++)
            ASSERT(fills.list[i].trade[0] != '\0' &&
                   strlen(fills.list[i].trade) <= COINBASE_ID_MAX);
    (void)accepted(coinbase_read_accounts(line, length, &balances, &page, &errors[2]), &errors[2]);
    (void)accepted(coinbase_read_cancels(line, length, &cancels, &errors[3]), &errors[3]);
    coinbase_orders_free(&orders);
    coinbase_fills_free(&fills);
    coinbase_balances_free(&balances);
    coinbase_cancels_free(&cancels);
}

static void take_answers(const char *line, size_t length)
{
    static const char *const symbols[] = {"BTC-USD", "A-B"};
    struct adapter_instrument found[2];
    struct coinbase_product products[2];
    struct error errors[7] = {{0}};
    struct coinbase_order order;
    struct coinbase_placed placed;
    struct coinbase_error refusal;
    struct coinbase_rights rights;
    struct coinbase_fees fees;
    bool success = false, known;
    int64_t time_ns;
    (void)accepted(coinbase_read_order(line, length, &order, &errors[0]), &errors[0]);
    if (accepted(coinbase_read_placed(line, length, &placed, &errors[1]), &errors[1]))
        ASSERT(placed.success ? placed.id[0] != '\0' : placed.error.reason[0] != '\0');
    if (accepted(coinbase_read_edit(line, length, &success, &refusal, &errors[2]), &errors[2]))
        ASSERT(success || refusal.reason[0] != '\0');
    (void)accepted(coinbase_read_rights(line, length, &rights, &errors[3]), &errors[3]);
    (void)accepted(coinbase_read_fees(line, length, &fees, &errors[4]), &errors[4]);
    if (accepted(coinbase_read_time(line, length, &time_ns, &errors[5]), &errors[5]))
        ASSERT(time_ns > 0 && time_ns <= JSON_TIME_MAX_NS);
    if (accepted(coinbase_read_products(line, length, symbols, 2, found, products, &errors[6]),
                 &errors[6]))
        for (size_t i = 0; i < 2; i++)
            ASSERT(!products[i].present ||
                   (found[i].definition.tick > 0 && found[i].definition.lot > 0));
    if (coinbase_read_error(line, length, &refusal))
        ASSERT(coinbase_reject(&refusal, &known) < REJECT_COUNT);
}

static void read_everything(const char *text, size_t length)
{
    struct coinbase_frame frame = {0};
    take_frame(&frame, text, length);
    take_lists(text, length);
    take_answers(text, length);
    coinbase_frame_free(&frame);
}

/* --- the adapter --------------------------------------------------------------------------------------------- */

#define SECRET "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

static struct credentials credentials = {"organizations/1/apiKeys/2", SECRET};

/* A new order, or the change of one. */
static bool makes_order(const struct adapter_request *made)
{
    const char *end = strrchr(made->url, '/');
    return strcmp(made->method, "POST") == 0 &&
           (strcmp(end, "/orders") == 0 || strcmp(end, "/edit") == 0);
}

static void discover(void)
{
    world_answer(200, "{\"epochMillis\":\"1700000000000\"}");
    world_answer(200,
                 "{\"products\":[{\"product_id\":\"BTC-USD\",\"base_currency_id\":\"BTC\","
                 "\"quote_currency_id\":\"USD\",\"base_increment\":\"0.001\",\"quote_increment\":"
                 "\"0.01\",\"price_increment\":\"0.01\",\"base_min_size\":\"0.001\","
                 "\"quote_min_size\":\"1\",\"status\":\"online\",\"product_type\":\"SPOT\"}]}");
    world_answer(200, "{\"can_view\":true,\"can_trade\":true,\"can_transfer\":false}");
    world_answer(200, "{\"fee_tier\":{\"maker_fee_rate\":\"0.004\",\"taker_fee_rate\":\"0.006\"}}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct world_venue venue = {.name = "coinbase",
                                             .symbol = "BTC-USD",
                                             .base = "BTC",
                                             .quote = "USD",
                                             .credentials = &credentials,
                                             .secret = SECRET,
                                             .market = 0,
                                             .private = 1,
                                             .rate_header = "x-ratelimit-remaining",
                                             .price = {10000, NUMBER_VALUE},
                                             .size = {2000, NUMBER_VALUE},
                                             .modifies = true,
                                             .makes_order = makes_order,
                                             .discover = discover,
                                             .read = read_everything};
    return world_take(&venue, data, size);
}
