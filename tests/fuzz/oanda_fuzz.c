/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what OANDA sends to its adapter, and as what each of its readers is
 * given; see adapter_world.h. */
#include <string.h>

#include "adapter_world.h"
#include "base/assert.h"
#include "base/time.h"
#include "venue/live/oanda_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct credentials credentials = {"101-001", "SECRETSECRET"};

/* A PUT with a body makes an order: a cancel has none. */
static bool makes_order(const struct adapter_request *made)
{
    return made->length > 0;
}

static void read_everything(const char *text, size_t length)
{
    static const char *const symbols[] = {"EUR_USD", "DE30_EUR"};
    static struct v20_line line;
    struct v20_account account = {0};
    struct v20_orders orders = {0};
    struct v20_positions positions = {0};
    struct v20_transactions transactions = {0};
    struct v20_order order;
    struct v20_error venue_error;
    struct adapter_instrument found[2];
    bool present[2];
    uint64_t last;
    struct error error = {0};
    (void)v20_read_line(text, length, &line, &error);
    (void)v20_read_account(text, length, &account, &error);
    (void)v20_read_orders(text, length, &orders, &error);
    (void)v20_read_order(text, length, &order, &last, &error);
    (void)v20_read_positions(text, length, &positions, &error);
    (void)v20_read_transactions(text, length, &transactions, &error);
    (void)v20_read_made(text, length, &transactions, &error);
    (void)v20_read_instruments(text, length, symbols, 2, found, present, &error);
    (void)v20_read_error(text, length, &venue_error);
    ASSERT(strchr(error.text, '\n') == NULL);
    v20_account_free(&account);
    v20_orders_free(&orders);
    v20_positions_free(&positions);
    v20_transactions_free(&transactions);
}

static void discover(void)
{
    world_answer(200,
                 "{\"account\":{\"currency\":\"USD\",\"balance\":\"1\",\"marginAvailable\":\"1\","
                 "\"hedgingEnabled\":false,\"lastTransactionID\":\"100\",\"positions\":[],"
                 "\"orders\":[]}}");
    world_answer(200, "{\"instruments\":[{\"name\":\"EUR_USD\",\"displayPrecision\":5,"
                      "\"tradeUnitsPrecision\":0,\"minimumTradeSize\":\"1\"}]}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct world_venue venue = {.name = "oanda",
                                             .symbol = "EUR_USD",
                                             .base = "EUR",
                                             .quote = "USD",
                                             .credentials = &credentials,
                                             .secret = "SECRETSECRET",
                                             .expiry_ns = 30 * NS_PER_SECOND,
                                             .market = 0,
                                             .private = 1,
                                             .rate_header = "requestid",
                                             .price = {109990, NUMBER_VALUE},
                                             .size = {100, NUMBER_VALUE},
                                             .modifies = true,
                                             .makes_order = makes_order,
                                             .discover = discover,
                                             .read = read_everything};
    return world_take(&venue, data, size);
}
