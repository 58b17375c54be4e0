/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what a venue sends to the Binance.US adapter, and as what each of
 * its readers is given; see adapter_world.h. */
#include <string.h>

#include "adapter_world.h"
#include "base/assert.h"
#include "venue/live/binance_us_decode.h"
#include "venue/live/binance_us_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct credentials credentials = {"KEYKEYKEY", "SECRETSECRET"};

static bool makes_order(const struct adapter_request *made)
{
    return strcmp(made->method, "POST") == 0 && strstr(made->url, "/api/v3/order") != NULL;
}

static void read_everything(const char *text, size_t length)
{
    static const char *const symbols[] = {"BTCUSD", "ETHUSD"};
    struct binance_us_order order;
    struct binance_us_orders orders = {0};
    struct binance_us_fills fills = {0};
    struct binance_us_replaced replaced;
    struct binance_us_account account = {0};
    struct binance_us_fee fees[2] = {{0}, {0}};
    struct binance_us_ticker tickers[2] = {{0}, {0}};
    struct binance_us_event event = {0};
    struct binance_us_stream_answer answered;
    struct binance_us_error venue_error;
    struct binance_us_info info = {0};
    struct adapter_instrument found[2];
    bool present[2];
    uint8_t notes[2];
    char key[BINANCE_US_KEY_MAX];
    int64_t time;
    struct error error = {0};
    (void)binance_us_read_placed(text, length, &order, &fills, &error);
    (void)binance_us_read_order(text, length, &order, &error);
    (void)binance_us_read_orders(text, length, &orders, &error);
    (void)binance_us_read_trades(text, length, &fills, &error);
    (void)binance_us_read_replaced(text, length, &replaced, &fills, &error);
    (void)binance_us_read_account(text, length, &account, &error);
    (void)binance_us_read_fees(text, length, symbols, 2, fees, &error);
    (void)binance_us_read_tickers(text, length, symbols, 2, tickers, &error);
    (void)binance_us_read_event(text, length, &event, &error);
    (void)binance_us_read_stream_answer(text, length, &answered, &error);
    (void)binance_us_read_error(text, length, &venue_error);
    (void)binance_us_read_time(text, length, &time, &error);
    (void)binance_us_read_listen_key(text, length, key, &error);
    (void)binance_us_read_info(text, length, symbols, 2, found, present, notes, &info, &error);
    ASSERT(strchr(error.text, '\n') == NULL);
    binance_us_orders_free(&orders);
    binance_us_fills_free(&fills);
    binance_us_balances_free(&account.balances);
    binance_us_event_free(&event);
}

#define INSTRUMENT                                                                                 \
    "{\"symbol\":\"BTCUSD\",\"status\":\"TRADING\",\"baseAsset\":\"BTC\",\"baseAssetPrecision\":"  \
    "8,\"quoteAsset\":\"USD\",\"quotePrecision\":4,\"baseCommissionPrecision\":8,"                 \
    "\"quoteCommissionPrecision\":2,\"orderTypes\":[\"LIMIT_MAKER\"],\"filters\":[{"               \
    "\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.01\"},{\"filterType\":\"LOT_SIZE\","         \
    "\"minQty\":\"0.001\",\"stepSize\":\"0.001\"}]}"

static void discover(void)
{
    world_answer(200, "{\"serverTime\":1700000000000}");
    world_answer(
        200, "{\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
             "\"intervalNum\":1,\"limit\":1200},{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\","
             "\"intervalNum\":1,\"limit\":100}],\"symbols\":[" INSTRUMENT "]}");
    world_answer(200, "{\"canTrade\":true,\"balances\":[]}");
    world_answer(200, "[{\"symbol\":\"BTCUSD\",\"makerCommission\":\"0\",\"takerCommission\":"
                      "\"0.001\"}]");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct world_venue venue = {.name = "binance_us",
                                             .symbol = "BTCUSD",
                                             .base = "BTC",
                                             .quote = "USD",
                                             .credentials = &credentials,
                                             .secret = "SECRETSECRET",
                                             .market = 0,
                                             .private = 2,
                                             .rate_header = "x-mbx-used-weight-1m",
                                             .price = {10000, NUMBER_VALUE},
                                             .size = {50000000, NUMBER_VALUE},
                                             .makes_order = makes_order,
                                             .discover = discover,
                                             .read = read_everything};
    return world_take(&venue, data, size);
}
