/* Signatures of Binance.US requests, and the texts that are signed. */
#include "venue/live/binance_us_sign.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared_file.h"

/* The example key of the venue's own document. */
static const char secret[] = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

static void expect_signature(const char *query, const char *body, const char *expected)
{
    char got[BINANCE_US_SIGNATURE_MAX];
    struct error error = {0};
    cr_assert_eq(
        binance_us_signature(secret, query, strlen(query), body, strlen(body), got, &error), 0,
        "%s", error.text);
    cr_expect_str_eq(got, expected, "of \"%s\" and \"%s\"", query, body);
}

#define ORDER "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
#define REST  "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"

Test(binance_us_sign, the_documents_vectors)
{
    static const char simple[] = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
    expect_signature(ORDER "&" REST, "", simple);
    expect_signature("", ORDER "&" REST, simple);
    /* Nothing stands between query and body. */
    expect_signature(ORDER, REST,
                     "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77");
    expect_signature("symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type="
                     "LIMIT&timeInForce=GTC&" REST,
                     "", "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3");
    expect_signature("apiKey=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A&"
                     "newOrderRespType=ACK&price=52000.00&quantity=0.01000000&recvWindow=100&side="
                     "SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
                     "", "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a");
}

Test(binance_us_sign, recorded_vectors)
{
    size_t length;
    char *text = shared_file("payloads/binance_us/vectors/hmac_vectors.json", &length);
    if (!text)
        cr_skip_test("no recorded payloads; set CAPSTAN_SHARED");
    cJSON *tree = cJSON_ParseWithLength(text, length);
    const cJSON *one;
    size_t count = 0;
    cr_assert_not_null(tree);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "secretKey")), secret);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(tree, "cases"))
    {
        expect_signature(cJSON_GetStringValue(cJSON_GetObjectItem(one, "payload")), "",
                         cJSON_GetStringValue(cJSON_GetObjectItem(one, "signature_hex")));
        count++;
    }
    cr_expect_eq(count, 4);
    cJSON_Delete(tree);
    free(text);
}

Test(binance_us_sign, parameters_are_encoded_and_signed_as_sent)
{
    struct binance_us_parameters parameters = {0};
    struct error error = {0};
    binance_us_add(&parameters, "symbol",
                   "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94"
                   "\xef\xbc\x95\xef\xbc\x96");
    binance_us_add(&parameters, "side", "BUY");
    binance_us_add(&parameters, "type", "LIMIT");
    binance_us_add(&parameters, "timeInForce", "GTC");
    binance_us_add(&parameters, "quantity", "1");
    binance_us_add(&parameters, "price", "0.1");
    binance_us_add_integer(&parameters, "recvWindow", 5000);
    binance_us_add_integer(&parameters, "timestamp", INT64_C(1499827319559));
    cr_assert_eq(binance_us_sign(&parameters, secret, &error), 0);
    cr_expect_str_eq(
        parameters.text,
        "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&"
        "timeInForce=GTC&" REST
        "&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3");
}

Test(binance_us_sign, what_is_encoded)
{
    struct binance_us_parameters parameters = {0};
    binance_us_add(&parameters, "a", "Az09-._~");
    binance_us_add(&parameters, "b", "[\"A,B\"]&=+ %/");
    cr_expect_str_eq(parameters.text, "a=Az09-._~&b=%5B%22A%2CB%22%5D%26%3D%2B%20%25%2F");
}

Test(binance_us_sign, too_many_parameters_are_not_sent)
{
    struct binance_us_parameters parameters = {0};
    struct error error = {0};
    char long_value[BINANCE_US_PARAMETERS_MAX];
    memset(long_value, 'x', sizeof long_value);
    long_value[sizeof long_value - 70] = '\0';
    binance_us_add(&parameters, "a", long_value);
    cr_expect_not(parameters.full);
    cr_expect_eq(binance_us_sign(&parameters, secret, &error), ERROR_INPUT);
    cr_expect(parameters.full);
}
