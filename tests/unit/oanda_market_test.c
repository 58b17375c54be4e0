/* OANDA's prices: whole ladders, halts, silence, damage, and the connections they come by. */
#include <criterion/criterion.h>
#include <string.h>

#include "oanda_bench.h"

Test(oanda_market, a_price_is_the_whole_ladder)
{
    oanda_run(NULL);
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                  "\"status\":\"tradeable\",\"bids\":[{\"price\":\"1.10001\",\"liquidity\":5},"
                  "{\"price\":\"1.10000\",\"liquidity\":\"7\"}],\"asks\":[{\"price\":\"1.10003\","
                  "\"liquidity\":9}]}");
    oanda_expect("snapshot oanda:EUR_USD bid 1.10001*5 bid 1.10000*7 ask 1.10003*9");
    oanda_expect_nothing();
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"GBP_USD\",\"bids\":[],\"asks\":[]}");
    oanda_text(0, "{\"type\":\"SOMETHING_NEW\"}");
    oanda_text(0, "");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_market, untradeable_or_empty_is_halted)
{
    oanda_run(NULL);
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                  "\"tradeable\":false,\"bids\":[{\"price\":\"1.10001\",\"liquidity\":5}],"
                  "\"asks\":[{\"price\":\"1.10003\",\"liquidity\":9}]}");
    oanda_expect("instrument_status oanda:EUR_USD trading=halted");
    oanda_expect("snapshot oanda:EUR_USD bid");
    oanda_price("1.10000", "1.10010");
    oanda_expect("snapshot oanda:EUR_USD bid");
    oanda_expect("instrument_status oanda:EUR_USD trading=open");
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                  "\"tradeable\":true,\"bids\":[{\"price\":\"1.10001\",\"liquidity\":5}],"
                  "\"asks\":[]}");
    oanda_expect("instrument_status oanda:EUR_USD trading=halted");
    oanda_expect("snapshot oanda:EUR_USD bid");
    oanda_heartbeat(0, 0);
    oanda_expect("top oanda:BTC_USD");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_market, a_heartbeat_confirms_the_last_price)
{
    oanda_run(NULL);
    oanda_heartbeat(0, 0);
    oanda_expect("top oanda:EUR_USD bid 1.10000*1000000 ask 1.10010*2000000");
    oanda_expect("top oanda:BTC_USD bid 60000.0*10.00 ask 60001.0*10.00");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_market, numbers_without_value_keep_their_text)
{
    oanda_run(NULL);
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                  "\"tradeable\":true,\"bids\":[{\"price\":\"1.100001\",\"liquidity\":5}],"
                  "\"asks\":[{\"price\":\"x\",\"liquidity\":9}]}");
    oanda_expect("instrument_status oanda:EUR_USD trading=halted");
    oanda_expect("snapshot oanda:EUR_USD bid off_grid*5 ask malformed*9");
    oanda_expect("source_text oanda:EUR_USD row=1 quantity=no text=\"x\"");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_market, a_line_that_cannot_be_read_loses_every_book)
{
    oanda_run(NULL);
    oanda_text(0, "{\"type\":\"PRI");
    oanda_expect("gap oanda:EUR_USD cause=damage");
    oanda_expect("gap oanda:BTC_USD cause=damage");
    oanda_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    oanda_price("1.10000", "1.10010");
    oanda_expect("snapshot oanda:EUR_USD");
    oanda_close();
}

Test(oanda_market, silence_for_twelve_seconds_is_a_dead_stream)
{
    oanda_run(NULL);
    oanda_pass(11 * NS_PER_SECOND);
    cr_expect(bench.open[0]);
    oanda_heartbeat(1, 100);
    oanda_pass(2 * NS_PER_SECOND);
    oanda_expect("feed_connection - venue=oanda connected=no");
    cr_expect_eq(bench.opens[0], 2);
    cr_expect_eq(bench.opens[1], 1, "the other one spoke");
    oanda_opened(0);
    oanda_expect("feed_connection - venue=oanda connected=yes");
    oanda_close();
}

Test(oanda_market, refused_streams_wait_longer_and_longer)
{
    oanda_run(NULL);
    unsigned opens = bench.opens[0];
    oanda_closed(0, 0);
    for (int i = 0; i < 600; i++) {
        oanda_pass(100 * NS_PER_MS);
        oanda_heartbeat(1, 100);
        if (bench.open[0])
            oanda_closed(0, 503);
    }
    cr_expect_geq(bench.opens[0] - opens, 6);
    cr_expect_leq(bench.opens[0] - opens, 11, "%u in a minute", bench.opens[0] - opens);
    cr_expect(oanda_was_logged("HTTP 503"));
    oanda_close();
}

Test(oanda_market, two_connections_a_second_at_most)
{
    oanda_open(NULL);
    oanda_discover(100, "");
    oanda_begin();
    cr_expect_eq(bench.opens[0] + bench.opens[1], 1);
    oanda_pass(400 * NS_PER_MS);
    cr_expect_eq(bench.opens[0] + bench.opens[1], 1);
    oanda_pass(200 * NS_PER_MS);
    cr_expect_eq(bench.opens[0] + bench.opens[1], 2);
    cr_expect_str_eq(bench.urls[0], "https://stream.test/v3/accounts/101-001-1/pricing/stream?"
                                    "instruments=EUR_USD%2CBTC_USD&snapshot=true");
    cr_expect_str_eq(bench.urls[1],
                     "https://stream.test/v3/accounts/101-001-1/transactions/stream");
    oanda_close();
}

Test(oanda_market, without_trading_there_is_only_the_market)
{
    oanda_run(&(struct oanda_choice){.market_only = true});
    oanda_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.opens[1], 0);
    oanda_place(1, "1.09990");
    cr_expect_null(oanda_find("POST"));
    cr_expect_null(oanda_find("GET"));
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_market, factors_are_told_as_sent)
{
    oanda_run(&(struct oanda_choice){.home = "EUR"});
    for (int i = 0; i < 2; i++)
        oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                      "\"tradeable\":true,\"bids\":[{\"price\":\"1.12157\",\"liquidity\":5}],"
                      "\"asks\":[{\"price\":\"1.12170\",\"liquidity\":9}],"
                      "\"quoteHomeConversionFactors\":{\"positiveUnits\":\"0.89150397\","
                      "\"negativeUnits\":\"0.89160730\"}}");
    oanda_expect("snapshot oanda:EUR_USD");
    oanda_expect("reference_rate oanda:EUR_USD from=USD to=EUR bid=0.89150397 ask=0.8916073");
    oanda_expect("snapshot oanda:EUR_USD");
    oanda_expect_nothing();
    oanda_close();
}

/* Factors that hold while the stream lives are news now and then, or the rate would be taken for an old one. */
Test(oanda_market, factors_that_hold_are_told_again)
{
    oanda_run(&(struct oanda_choice){.home = "EUR"});
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000001.25\","
                  "\"tradeable\":true,\"bids\":[{\"price\":\"1.12157\",\"liquidity\":5}],"
                  "\"asks\":[{\"price\":\"1.12170\",\"liquidity\":9}],"
                  "\"quoteHomeConversionFactors\":{\"positiveUnits\":\"0.89150397\","
                  "\"negativeUnits\":\"0.89160730\"}}");
    oanda_expect("snapshot oanda:EUR_USD");
    oanda_expect("reference_rate oanda:EUR_USD from=USD to=EUR bid=0.89150397 ask=0.8916073");
    for (int i = 0; i < 3; i++) {
        oanda_pass(4 * NS_PER_SECOND);
        oanda_heartbeat(1, 100);
        oanda_heartbeat(0, 0);
        oanda_expect("top oanda:EUR_USD bid 1.12157*5 ask 1.12170*9");
        if (i == 2)
            oanda_expect(
                "reference_rate oanda:EUR_USD from=USD to=EUR bid=0.89150397 ask=0.8916073");
        oanda_expect("top oanda:BTC_USD");
    }
    oanda_expect_nothing();
    oanda_close();
}
