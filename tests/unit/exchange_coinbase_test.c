/* Coinbase as the exchange speaks it: web tokens, orders, edits, refusals by their names, channels. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange/signatures.h"
#include "exchange_bench.h"

TestSuite(exchange_coinbase);

#define API "/api/v3/brokerage"
static const char key[] = "organizations/test/apiKeys/test";
static struct exchange_bench bench;
static EVP_PKEY *signer;

/* --- tokens ------------------------------------------------------------------------------------ */

static void encode(const unsigned char *bytes, size_t length, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6)
            *out++ = digits[bits >> (have - 6) & 63];
    }
    if (have > 0)
        *out++ = digits[bits << (6 - have) & 63];
    *out = '\0';
}

/* Sign with `signer`: Ed25519, or P-256 as R and S. Returns the bytes. */
static size_t sign(const char *text, unsigned char out[64])
{
    unsigned char der[128];
    size_t length = sizeof der;
    bool ec = EVP_PKEY_get_base_id(signer) == EVP_PKEY_EC;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    cr_assert_eq(EVP_DigestSignInit(context, NULL, ec ? EVP_sha256() : NULL, NULL, signer), 1);
    cr_assert_eq(EVP_DigestSign(context, der, &length, (const unsigned char *)text, strlen(text)),
                 1);
    EVP_MD_CTX_free(context);
    if (!ec) {
        memcpy(out, der, 64);
        return length;
    }
    const unsigned char *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
    ECDSA_SIG_free(pair);
    return 64;
}

/* A dot and the next part of a token, behind what is there. */
static void add_part(const unsigned char *bytes, size_t length, char *out)
{
    out += strlen(out);
    *out++ = '.';
    encode(bytes, length, out);
}

/* A token for `uri` (NULL: none) that is good from `from` seconds after now for 120 s. */
static void make_token(const char *uri, int64_t from, char *out)
{
    char header[256], claims[1024];
    unsigned char signature[64];
    int64_t now = bench.now / NS_PER_SECOND + from;
    bool ec = EVP_PKEY_get_base_id(signer) == EVP_PKEY_EC;
    snprintf(header, sizeof header,
             "{\"alg\":\"%s\",\"kid\":\"%s\",\"nonce\":\"0\",\"typ\":\"JWT\"}",
             ec ? "ES256" : "EdDSA", key);
    snprintf(claims, sizeof claims,
             "{\"sub\":\"%s\",\"iss\":\"cdp\",\"nbf\":%lld,\"exp\":%lld%s%s%s}", key,
             (long long)now, (long long)now + 120, uri ? ",\"uri\":\"" : "", uri ? uri : "",
             uri ? "\"" : "");
    encode((unsigned char *)header, strlen(header), out);
    add_part((unsigned char *)claims, strlen(claims), out);
    size_t length = sign(out, signature);
    add_part(signature, length, out);
}

/* --- the bench --------------------------------------------------------------------------------- */

static void open_bench(void)
{
    static const unsigned char seed[32] = {1, 2, 3};
    snprintf(bench.credentials.key, sizeof bench.credentials.key, "%s", key);
    if (!signer) {
        signer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
        encode(seed, sizeof seed, bench.credentials.secret);
    }
    bench_open(&bench, "coinbase", "100000 USD, 2 BTC");
}

static void simple_bench(void)
{
    bench_init(&bench);
    open_bench();
}

static void close_bench(void)
{
    bench_close(&bench);
    EVP_PKEY_free(signer);
    signer = NULL;
}

static int signed_request(const char *method, const char *path, const char *query, const char *body)
{
    char uri[256], token[2048], headers[2200];
    snprintf(uri, sizeof uri, "%s api.coinbase.com%s", method, path);
    make_token(uri, -1, token);
    snprintf(headers, sizeof headers, "authorization: Bearer %s", token);
    return bench_request(&bench, method, path, query, headers, body);
}

/* POST /orders of BTC-USD; `configuration` is the one member of order_configuration. */
static int place(const char *client, const char *side, const char *configuration)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"client_order_id\":\"%s\",\"product_id\":\"BTC-USD\",\"side\":\"%s\","
             "\"order_configuration\":{%s}}",
             client, side, configuration);
    return signed_request("POST", API "/orders", NULL, body);
}

#define LIMIT(size, price, post)                                                                   \
    "\"limit_limit_gtc\":{\"base_size\":\"" size "\",\"limit_price\":\"" price                     \
    "\",\"post_only\":" post "}"

static char *subscribe_text(const char *channel, const char *token)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\"],\"channel\":\"%s\"%s%s%s}",
             channel, token ? ",\"jwt\":\"" : "", token ? token : "", token ? "\"" : "");
    return text;
}

/* --- tests ------------------------------------------------------------------------------------- */

/* RFC 8037, appendix A.4: key, signing input and signature. */
Test(exchange_coinbase, eddsa_is_that_of_rfc_8037)
{
    static const char secret[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    char token[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                   "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
                   "MuM0KAg";
    struct web_token parts;
    cr_assert(web_token_read(token, &parts));
    cr_assert_str_eq(parts.header, "{\"alg\":\"EdDSA\"}");
    cr_assert(web_token_verify(secret, "EdDSA", token, &parts));
    cr_assert_not(web_token_verify(secret, "ES256", token, &parts));
    token[25] ^= 1;
    cr_assert(web_token_read(token, &parts));
    cr_assert_not(web_token_verify(secret, "EdDSA", token, &parts));
}

Test(exchange_coinbase, es256_with_a_key_as_pem)
{
    bench_init(&bench);
    signer = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert_eq(PEM_write_bio_PrivateKey(bio, signer, NULL, NULL, 0, NULL, NULL), 1);
    int length = BIO_read(bio, bench.credentials.secret, EXCHANGE_SECRET_MAX - 1);
    cr_assert_gt(length, 0);
    BIO_free(bio);
    open_bench();
    cr_assert_eq(signed_request("GET", API "/accounts", NULL, NULL), 200);
    close_bench();
}

Test(exchange_coinbase, a_token_is_for_one_request)
{
    simple_bench();
    char token[2048], headers[2200];
    cr_assert_eq(bench_request(&bench, "GET", API "/accounts", NULL, NULL, NULL), 401);
    static const struct {
        const char *uri;
        int64_t from;
        int status;
    } rows[] = {
        {"GET api.coinbase.com" API "/accounts", 0, 200},
        {"GET 127.0.0.1:8443" API "/accounts", 0, 200}, /* the host that was asked */
        {"GET api.coinbase.com" API "/products", 0, 401},
        {"POST api.coinbase.com" API "/accounts", 0, 401},
        {"GET api.example.com" API "/accounts", 0, 401},
        {"GET api.coinbase.com" API "/accounts?limit=1", 0, 401},
        {"GET api.coinbase.com" API "/accounts", 1, 401}, /* not yet */
        {"GET api.coinbase.com" API "/accounts", -119, 200},
        {"GET api.coinbase.com" API "/accounts", -120, 401}, /* over */
        {NULL, 0, 401},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_token(rows[i].uri, rows[i].from, token);
        snprintf(headers, sizeof headers, "authorization: Bearer %s\nhost: 127.0.0.1:8443", token);
        cr_assert_eq(bench_request(&bench, "GET", API "/accounts", "limit=1", headers, NULL),
                     rows[i].status, "row %zu", i);
    }
    token[strlen(token) - 5] ^= 1;
    snprintf(headers, sizeof headers, "authorization: Bearer %s", token);
    cr_assert_eq(bench_request(&bench, "GET", API "/accounts", NULL, headers, NULL), 401);
    close_bench();
}

Test(exchange_coinbase, products_tell_their_grid)
{
    simple_bench();
    cr_assert_eq(bench_request(&bench, "GET", API "/market/products/BTC-USD", NULL, NULL, NULL),
                 200);
    cr_assert_str_eq(bench_at(bench.answer, "base_increment"), "0.00000001");
    cr_assert_str_eq(bench_at(bench.answer, "price_increment"), "0.01");
    cr_assert_str_eq(bench_at(bench.answer, "quote_min_size"), "1");
    cr_assert_eq(bench_request(&bench, "GET", API "/market/products/NO-USD", NULL, NULL, NULL),
                 404);
    cr_assert_eq(
        bench_request(&bench, "GET", API "/market/product_book", "product_id=BTC-USD", NULL, NULL),
        200);
    cr_assert_str_eq(bench_at(bench.answer, "pricebook.bids.0.price"), "60000.00");
    cr_assert_eq(signed_request("GET", API "/key_permissions", NULL, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "can_transfer"), "false");
    cr_assert_eq(signed_request("GET", API "/transaction_summary", NULL, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "fee_tier.maker_fee_rate"), "0.004");
    close_bench();
}

Test(exchange_coinbase, an_order_rests_is_edited_and_cancelled)
{
    simple_bench();
    char id[64], path[128], body[256];
    cr_assert_eq(place("a-1", "BUY", LIMIT("0.01", "59000", "true")), 200);
    cr_assert_str_eq(bench_at(bench.answer, "success"), "true");
    snprintf(id, sizeof id, "%s", bench_at(bench.answer, "success_response.order_id"));
    /* The same client id again is the same order. */
    cr_assert_eq(place("a-1", "BUY", LIMIT("0.02", "59001", "true")), 200);
    cr_assert_str_eq(bench_at(bench.answer, "order_id"), id);
    cr_assert_eq(core_order_count(bench.venue.core), 1);
    snprintf(path, sizeof path, API "/orders/historical/%s", id);
    cr_assert_eq(signed_request("GET", path, NULL, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "order.status"), "OPEN");
    cr_assert_str_eq(bench_at(bench.answer, "order.order_configuration.limit_limit_gtc.post_only"),
                     "true");
    snprintf(body, sizeof body, "{\"order_id\":\"%s\",\"price\":\"58999.5\",\"size\":\"0.02\"}",
             id);
    cr_assert_eq(signed_request("POST", API "/orders/edit", NULL, body), 200);
    cr_assert_str_eq(bench_at(bench.answer, "success"), "true");
    snprintf(body, sizeof body, "{\"order_id\":\"%s\",\"price\":\"60100\",\"size\":\"0.02\"}", id);
    signed_request("POST", API "/orders/edit", NULL, body);
    cr_assert_str_eq(bench_at(bench.answer, "errors.0.preview_failure_reason"),
                     "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY");
    cr_assert_eq(signed_request("GET", API "/orders/historical/batch", "order_status=OPEN", NULL),
                 200);
    cr_assert_str_eq(
        bench_at(bench.answer, "orders.0.order_configuration.limit_limit_gtc.limit_price"),
        "58999.50");
    cr_assert_str_eq(bench_at(bench.answer, "has_next"), "false");
    snprintf(body, sizeof body, "{\"order_ids\":[\"%s\",\"none\"]}", id);
    cr_assert_eq(signed_request("POST", API "/orders/batch_cancel", NULL, body), 200);
    cr_assert_str_eq(bench_at(bench.answer, "results.0.success"), "true");
    cr_assert_str_eq(bench_at(bench.answer, "results.1.failure_reason"), "UNKNOWN_CANCEL_ORDER");
    signed_request("GET", path, NULL, NULL);
    cr_assert_str_eq(bench_at(bench.answer, "order.status"), "CANCELLED");
    snprintf(body, sizeof body, "{\"order_id\":\"%s\",\"price\":\"59000\",\"size\":\"0.02\"}", id);
    signed_request("POST", API "/orders/edit", NULL, body);
    cr_assert_str_eq(bench_at(bench.answer, "errors.0.edit_failure_reason"),
                     "ONLY_OPEN_ORDERS_CAN_BE_EDITED");
    close_bench();
}

Test(exchange_coinbase, refusals_have_the_venues_names)
{
    simple_bench();
    static const struct {
        const char *configuration, *name, *preview;
    } rows[] = {
        {LIMIT("0.01", "60000.25", "true"), "INVALID_LIMIT_PRICE_POST_ONLY",
         "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"},
        {LIMIT("2", "59000", "true"), "INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"},
        {LIMIT("0.01", "59000.001", "true"), "INVALID_PRICE_PRECISION",
         "PREVIEW_INVALID_PRICE_PRECISION"},
        {LIMIT("0.000000001", "59000", "true"), "INVALID_SIZE_PRECISION",
         "PREVIEW_INVALID_SIZE_PRECISION"},
        {LIMIT("0", "59000", "true"), "UNKNOWN_FAILURE_REASON",
         "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"},
        {LIMIT("0.00001", "59000", "true"), "UNKNOWN_FAILURE_REASON",
         "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"},
        {"\"twap_limit_gtd\":{}", "UNSUPPORTED_ORDER_CONFIGURATION", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char client[16];
        snprintf(client, sizeof client, "r-%zu", i);
        cr_assert_eq(place(client, "BUY", rows[i].configuration), 200);
        cr_assert_str_eq(bench_at(bench.answer, "success"), "false");
        cr_assert_str_eq(bench_at(bench.answer, "error_response.error"), rows[i].name);
        cr_assert_str_eq(bench_at(bench.answer, "error_response.preview_failure_reason"),
                         rows[i].preview);
    }
    cr_assert_eq(signed_request("GET", API "/orders/historical/batch", NULL, NULL), 200);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(bench.answer, "orders")), 0);
    close_bench();
}

/* 0.02 at 60,000.25 and 0.01 at 60,000.50: 1,800.01 USD, 0.6 % of it rounded up to 1e-8 a fill. */
Test(exchange_coinbase, taking_and_its_fills)
{
    simple_bench();
    place("t-1", "BUY", "\"sor_limit_ioc\":{\"base_size\":\"0.05\",\"limit_price\":\"60001\"}");
    char path[128];
    snprintf(path, sizeof path, API "/orders/historical/%s", bench_at(bench.answer, "order_id"));
    signed_request("GET", path, NULL, NULL);
    cr_assert_str_eq(bench_at(bench.answer, "order.status"), "CANCELLED", "what was left of it");
    cr_assert_str_eq(bench_at(bench.answer, "order.filled_size"), "0.04000000");
    /* 0.02 x 60000.25 + 0.02 x 60000.50 = 2400.015; fees 7.20003 + 7.20006 */
    cr_assert_str_eq(bench_at(bench.answer, "order.filled_value"), "2400.015");
    cr_assert_str_eq(bench_at(bench.answer, "order.total_fees"), "14.40009");
    cr_assert_str_eq(bench_at(bench.answer, "order.average_filled_price"), "60000.375");
    cr_assert_str_eq(bench_at(bench.answer, "order.completion_percentage"), "80");
    cr_assert_eq(signed_request("GET", API "/orders/historical/fills", "limit=1", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.price"), "60000.50");
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.liquidity_indicator"), "TAKER");
    char query[64];
    snprintf(query, sizeof query, "limit=1&cursor=%s", bench_at(bench.answer, "cursor"));
    signed_request("GET", API "/orders/historical/fills", query, NULL);
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.price"), "60000.25");
    cr_assert_str_eq(bench_at(bench.answer, "cursor"), "");
    signed_request("GET", API "/accounts", NULL, NULL);
    cr_assert_str_eq(bench_at(bench.answer, "accounts.0.available_balance.value"), "2.04");
    /* 100,000 - 2,400.015 - 14.40009 */
    cr_assert_str_eq(bench_at(bench.answer, "accounts.2.available_balance.value"), "97585.58491");
    close_bench();
}

Test(exchange_coinbase, an_order_expires_at_its_end_time)
{
    simple_bench();
    place(
        "g-1", "BUY",
        "\"limit_limit_gtd\":{\"base_size\":\"0.01\",\"limit_price\":\"59000\",\"post_only\":true,"
        "\"end_time\":\"2026-01-01T00:00:30Z\"}");
    cr_assert_str_eq(bench_at(bench.answer, "success"), "true");
    bench_to(&bench, 30 * NS_PER_SECOND - 1);
    cr_assert_eq(core_order(bench.venue.core, 0)->state, CORE_OPEN);
    bench_to(&bench, 30 * NS_PER_SECOND);
    signed_request("GET", API "/orders/historical/batch", "order_status=EXPIRED", NULL);
    cr_assert_str_eq(bench_at(bench.answer, "orders.0.client_order_id"), "g-1");
    place(
        "g-2", "BUY",
        "\"limit_limit_gtd\":{\"base_size\":\"0.01\",\"limit_price\":\"59000\",\"post_only\":true,"
        "\"end_time\":\"2026-01-01T00:00:30Z\"}");
    cr_assert_str_eq(bench_at(bench.answer, "success"), "false");
    close_bench();
}

Test(exchange_coinbase, thirty_requests_a_second)
{
    simple_bench();
    for (int i = 0; i < 30; i++)
        cr_assert_eq(signed_request("GET", API "/accounts", NULL, NULL), 200);
    cr_assert_str_eq(bench.reply.headers[1].name, "x-ratelimit-remaining");
    cr_assert_str_eq(bench.reply.headers[1].value, "0");
    cr_assert_eq(signed_request("GET", API "/accounts", NULL, NULL), 429);
    cr_assert_str_eq(bench_at(bench.answer, "errors.0.id"), "rate_limit_exceeded");
    bench_to(&bench, NS_PER_SECOND);
    cr_assert_eq(signed_request("GET", API "/accounts", NULL, NULL), 200);
    close_bench();
}

/* --- streams ----------------------------------------------------------------------------------- */

/* One number over all channels of a connection, from 0, by one. */
Test(exchange_coinbase, a_connection_has_one_sequence)
{
    bench_init(&bench);
    bench_depth(&bench, 100 * NS_PER_MS, 2, SIDE_BUY, 6000000, 7000000);
    bench_trade(&bench, 300 * NS_PER_MS, 2, SIDE_SELL, 6000000, 500000);
    open_bench();
    struct exchange_stream *stream = bench_stream(&bench, "/", NULL, NULL, true);
    bench_say(&bench, stream, "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
    bench_say(&bench, stream, subscribe_text("level2", NULL));
    bench_say(&bench, stream, subscribe_text("market_trades", NULL));
    bench_to(&bench, 2 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "heartbeats"), 2);
    cr_assert_eq(bench_count(&bench, "l2_data"), 2);
    cr_assert_eq(bench_count(&bench, "subscriptions"), 3);
    for (size_t i = 0; i < bench.sent_count; i++) {
        cJSON *message = cJSON_Parse(bench.sent[i].text);
        cr_assert_eq(strtol(bench_at(message, "sequence_num"), NULL, 10), (long)i, "%s",
                     bench.sent[i].text);
        cJSON_Delete(message);
    }
    cJSON *snapshot = bench_sent(&bench, "l2_data", 0);
    cr_assert_str_eq(bench_at(snapshot, "events.0.type"), "snapshot");
    cr_assert_str_eq(bench_at(snapshot, "events.0.updates.0.side"), "bid");
    cr_assert_str_eq(bench_at(snapshot, "events.0.updates.2.side"), "offer");
    cr_assert_str_eq(bench_at(snapshot, "events.0.updates.2.price_level"), "60000.25");
    cJSON_Delete(snapshot);
    cJSON *update = bench_sent(&bench, "l2_data", 1);
    cr_assert_str_eq(bench_at(update, "events.0.updates.0.new_quantity"), "0.07000000");
    cJSON_Delete(update);
    cJSON *trades = bench_sent(&bench, "market_trades", 1);
    cr_assert_str_eq(bench_at(trades, "events.0.trades.0.side"), "BUY", "the maker's");
    cJSON_Delete(trades);
    close_bench();
}

Test(exchange_coinbase, who_says_nothing_is_sent_away)
{
    simple_bench();
    bench_stream(&bench, "/", NULL, NULL, true);
    bench_to(&bench, 4 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "finish"), 0);
    bench_to(&bench, 5 * NS_PER_SECOND + 250 * NS_PER_MS);
    cr_assert_gt(bench_count(&bench, "finish"), 0);
    close_bench();
}

/* State is cumulative: 0.02 BTC of the book is before us, a trade of 0.025 fills 0.005. */
Test(exchange_coinbase, the_user_channel_is_cumulative)
{
    bench_init(&bench);
    bench_trade(&bench, NS_PER_SECOND, 2, SIDE_SELL, 6000000, 2500000);
    open_bench();
    char token[2048];
    struct exchange_stream *stream = bench_stream(&bench, "/", NULL, NULL, true);
    make_token(NULL, 0, token);
    bench_say(&bench, stream, subscribe_text("user", token));
    cJSON *snapshot = bench_sent(&bench, "user", 0);
    cr_assert_str_eq(bench_at(snapshot, "events.0.type"), "snapshot");
    cJSON_Delete(snapshot);
    bench_forget(&bench);
    place("m-1", "BUY", LIMIT("0.01", "60000", "true"));
    bench_to(&bench, 2 * NS_PER_SECOND);
    static const char *const states[] = {"PENDING", "OPEN", "OPEN"};
    cr_assert_eq(bench_count(&bench, "user"), 3);
    for (size_t i = 0; i < 3; i++) {
        cJSON *update = bench_sent(&bench, "user", i);
        cr_assert_str_eq(bench_at(update, "events.0.orders.0.status"), states[i]);
        cr_assert_str_eq(bench_at(update, "events.0.orders.0.cumulative_quantity"),
                         i == 2 ? "0.00500000" : "0.00000000");
        if (i == 2) {
            cr_assert_str_eq(bench_at(update, "events.0.orders.0.leaves_quantity"), "0.00500000");
            cr_assert_str_eq(bench_at(update, "events.0.orders.0.filled_value"), "300");
            cr_assert_str_eq(bench_at(update, "events.0.orders.0.total_fees"), "1.2");
        }
        cJSON_Delete(update);
    }
    close_bench();
}

Test(exchange_coinbase, the_user_channel_wants_a_token)
{
    simple_bench();
    char token[2048];
    struct exchange_stream *stream = bench_stream(&bench, "/", NULL, NULL, true);
    make_token("GET api.coinbase.com" API "/accounts", 0, token);
    bench_say(&bench, stream, subscribe_text("user", token));
    cr_assert_eq(bench_count(&bench, "error"), 1, "a token for a request is none for a websocket");
    cr_assert_eq(bench_count(&bench, "finish"), 1);
    cr_assert_eq(bench_count(&bench, "user"), 0);
    close_bench();
}
