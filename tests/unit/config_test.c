/* Settings: every type, both ends of each range, scopes, precedence, units and the round trip. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/utf8.h"
#include "config/balances.h"
#include "config/config.h"
#include "config/nearest.h"

static struct config *fresh(void)
{
    struct config *config = NULL;
    struct error error = {0};
    cr_assert_eq(config_create(&config, &error), ERROR_NONE, "%s", error.text);
    return config;
}

static void give(struct config *config, const char *assignment)
{
    struct error error = {0};
    cr_assert_eq(config_set(config, assignment, &error), ERROR_NONE, "%s", error.text);
}

static void read_text(struct config *config, const char *text)
{
    struct error error = {0};
    int status = config_read_text(config, "test.yaml", text, strlen(text), &error);
    cr_assert_eq(status, ERROR_NONE, "%s", error.text);
}

static char *text_of(const struct config *config)
{
    char *text = NULL;
    struct error error = {0};
    cr_assert_eq(config_to_text(config, &text, &error), ERROR_NONE, "%s", error.text);
    return text;
}

/* Whether the canonical text has this line. */
static void expect_line(const struct config *config, const char *line)
{
    char *text = text_of(config), wanted[300];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    cr_assert(strstr(text, wanted) != NULL, "no line '%s' in:\n%s", line, text);
    free(text);
}

/* One line that begins with `start` and has `part`. */
static void expect_refusal(int status, const struct error *error, const char *start,
                           const char *part)
{
    cr_assert_eq(status, ERROR_INPUT, "accepted, where '%s' was expected", part);
    cr_assert_eq(error->code, ERROR_INPUT);
    cr_assert(strncmp(error->text, start, strlen(start)) == 0, "'%s' does not begin with '%s'",
              error->text, start);
    cr_assert(strstr(error->text, part) != NULL, "'%s' does not say '%s'", error->text, part);
    cr_assert(strchr(error->text, '\n') == NULL);
}

static void refuse_set(const char *assignment, const char *part)
{
    struct config *config = fresh();
    struct error error = {0};
    int status = config_set(config, assignment, &error);
    expect_refusal(status, &error, "--set", part);
    config_free(&config);
}

static void refuse_text(const char *text, const char *start, const char *part)
{
    struct config *config = fresh();
    struct error error = {0};
    int status = config_read_text(config, "test.yaml", text, strlen(text), &error);
    expect_refusal(status, &error, start, part);
    config_free(&config);
}

/* --- On a tape ------------------------------------------------------------------------------------ */

Test(config, a_tape_s_configuration_reads_back)
{
    struct config *config = fresh(), *back = NULL;
    struct error error = {0};
    char *text = NULL, *again = NULL;
    give(config, "account.rates=EUR \"x\" \\\\");
    give(config, "instruments.v:A.quote.levels=4");
    cr_assert_eq(config_to_tape_text(config, &text, &error), 0, "%s", error.text);
    cr_assert_eq(config_from_tape(&back, "s.tape", text, &error), 0, "%s", error.text);
    cr_assert_eq(config_to_tape_text(back, &again, &error), 0, "%s", error.text);
    cr_expect_str_eq(again, text);
    free(text);
    free(again);
    config_free(&back);
    int code = config_from_tape(&back, "s.tape", "seed: 1\nsede: 2\n", &error);
    expect_refusal(code, &error, "s.tape: configuration:2:1: ", "did you mean 'seed'?");
    cr_expect_eq(back, NULL);
    config_free(&config);
}

static void note_change(void *context, const char *setting, const char *before, const char *after)
{
    FILE *told = context;
    fprintf(told, "%s: %s, %s\n", setting, before ? before : "none", after ? after : "none");
}

/* Defaults count at the top level only; what the tape does not hold counts nowhere. */
Test(config, settings_that_differ)
{
    struct config *before = fresh(), *after = fresh();
    char *text = NULL;
    size_t size = 0;
    FILE *told = open_memstream(&text, &size);
    give(before, "quote.levels=3");
    give(after, "seed=1");
    give(after, "account.rates=say \"x\": \\ # y");
    give(before, "instruments.v:A.quote.levels=4");
    give(after, "instruments.v:A.quote.levels=4");
    give(after, "instruments.v:A.quote.step=2tick");
    give(before, "instruments.v:B.quote.levels=4");
    give(before, "venues.v.sim.balances=");
    give(after, "venues.v.live.rest_url=https://x");
    give(after, "ops.address=0.0.0.0");
    config_compare(before, after, note_change, told);
    fclose(told);
    cr_expect_str_eq(text, "account.rates: , say \"x\": \\ # y\n"
                           "venues.v.sim.balances: , none\n"
                           "instruments.v:A.quote.step: none, 2tick\n"
                           "instruments.v:B.quote.levels: 4, none\n");
    free(text);
    config_free(&before);
    config_free(&after);
}

/* --- Types -------------------------------------------------------------------------------------- */

Test(config, each_type_reads_its_forms_and_prints_one)
{
    static const char *const cases[][2] = {
        {"seed=7", "seed: 7"},
        {"seed=1e3", "seed: 1000"},
        {"seed=9223372036854775807", "seed: 9223372036854775807"},
        {"sim.reorder=0", "sim.reorder: 0"},
        {"sim.reorder=1.5s", "sim.reorder: 1500ms"},
        {"sim.reorder=100us", "sim.reorder: 100us"},
        {"risk.collar=0.5%", "risk.collar: 0.5%"},
        {"risk.collar=0.005", "risk.collar: 0.5%"},
        {"risk.collar=1", "risk.collar: 100%"},
        {"risk.collar=0", "risk.collar: 0%"},
        {"risk.collar=0.0000001%", "risk.collar: 0.0000001%"},
        {"quote.enabled=no", "quote.enabled: no"},
        {"quote.enabled=yes", "quote.enabled: yes"},
        {"quote.step=0.50", "quote.step: 0.5"},
        {"quote.step=2tick", "quote.step: 2tick"},
        {"quote.step=2 tick", "quote.step: 2tick"},
        {"quote.size=0.010", "quote.size: 0.01"},
        {"quote.size=10lot", "quote.size: 10lot"},
        {"quote.size=1e-8", "quote.size: 0.00000001"},
        {"quote.strategy=ladder", "quote.strategy: ladder"},
        {"sim.balances=", "sim.balances: \"\""},
        {"sim.balances=100000.00 USDT,1.5  BTC", "sim.balances: \"1.5 BTC, 100000 USDT\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        give(config, cases[i][0]);
        expect_line(config, cases[i][1]);
        config_free(&config);
    }
}

Test(config, each_type_refuses_what_is_none_of_it)
{
    static const char *const cases[][2] = {
        {"seed=", "is empty; expected a whole number"},
        {"seed=ten", "'ten' is not a number"},
        {"seed=1.5", "is not whole"},
        {"seed=0x10", "'0x10' is not a number"},
        {"seed=NaN", "not a number that can be used"},
        {"seed=inf", "not a number that can be used"},
        {"seed=9223372036854775808", "is too large"},
        {"sim.reorder=5", "has no unit; expected a time with its unit"},
        {"sim.reorder=5 parsecs", "is not a time"},
        {"sim.reorder=nan", "is not a time"},
        {"risk.collar=NaN%", "not a number that can be used"},
        {"risk.collar=0.00000000001", "too many decimals"},
        {"risk.collar=%", "is empty"},
        {"quote.enabled=true", "is neither yes nor no"},
        {"quote.enabled=Yes", "is neither yes nor no"},
        {"quote.enabled=1", "is neither yes nor no"},
        {"quote.step=2lot", "is in lots"},
        {"quote.step=2ticks", "'2ticks' is not a number"},
        {"quote.step=nan", "not a number that can be used"},
        {"quote.size=2tick", "is in ticks"},
        {"quote.size=lot", "is empty"},
        {"quote.size=nanlot", "not a number that can be used"},
        {"quote.strategy=moon", "'moon' is not known; expected one of these words: ladder"},
        {"sim.balances=100", "an amount without its asset"},
        {"sim.balances=1 USDT,", "an amount without its asset"},
        {"sim.balances=1 USDT, 2 USDT", "names an asset twice"},
        {"sim.balances=-1 USDT", "negative"},
        {"sim.balances=nan USDT", "not a number"},
        {"sim.balances=1 US DT", "not one word"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse_set(cases[i][0], cases[i][1]);
}

/* The text of a value one step beyond an end of its range. */
static void one_beyond(const struct setting_info *info, const char *end, int step, char out[64])
{
    struct error error = {0};
    int64_t value = 0;
    if (strcmp(info->type, "DURATION") == 0) {
        cr_assert_eq(duration_from_text(end, strlen(end), &value, &error), ERROR_NONE);
        snprintf(out, 64, "%" PRId64 "ns", value + step);
    } else if (strcmp(info->type, "RATIO") == 0) {
        char digits[DECIMAL_TEXT_MAX];
        struct number number = number_from_text(end, strlen(end), -9);
        decimal_to_text(number.units + step, -9, digits);
        snprintf(out, 64, "%s", digits);
    } else if (strcmp(info->type, "INTEGER") == 0) {
        value = number_from_text(end, strlen(end), 0).units;
        if (value == INT64_MAX && step > 0)
            snprintf(out, 64, "9223372036854775808");
        else
            snprintf(out, 64, "%" PRId64, value + step);
    } else {
        snprintf(out, 64, "-0.1");
    }
}

static void check_end(const struct setting_info *info, const char *end, int step)
{
    char beyond[64], assignment[160];
    if (end[0] == '\0' || strcmp(info->type, "CHOICE") == 0)
        return;
    struct config *config = fresh();
    snprintf(assignment, sizeof assignment, "%s=%s", info->name, end);
    give(config, assignment);
    config_free(&config);
    one_beyond(info, end, step, beyond);
    snprintf(assignment, sizeof assignment, "%s=%s", info->name, beyond);
    refuse_set(assignment,
               strcmp(beyond, "9223372036854775808") == 0 ? "is too large" : "is out of range");
}

Test(config, both_ends_of_each_range_are_in_it_and_one_beyond_is_not)
{
    for (size_t i = 0; i < setting_count(); i++) {
        check_end(setting_info(i), setting_info(i)->least, -1);
        check_end(setting_info(i), setting_info(i)->most, 1);
    }
}

Test(config, each_row_of_the_table_is_sound)
{
    for (size_t i = 0; i < setting_count(); i++) {
        const struct setting_info *info = setting_info(i);
        char assignment[400];
        struct config *config = fresh();
        snprintf(assignment, sizeof assignment, "%s=%s", info->name, info->initial);
        give(config, assignment); /* the default is in the range */
        config_free(&config);
        cr_assert(strlen(info->name) < 64 && strlen(info->line) > 0);
        cr_assert(strncmp(info->name, "venues", 6) != 0);
        cr_assert(strncmp(info->name, "instruments", 11) != 0);
        for (size_t k = 0; k < setting_count(); k++) {
            const char *other = setting_info(k)->name;
            size_t length = strlen(info->name);
            cr_assert(k == i || strcmp(info->name, other) != 0, "%s stands twice", other);
            cr_assert(strncmp(info->name, other, length) != 0 || other[length] != '.',
                      "%s is a setting and a group", info->name);
        }
    }
}

/* --- YAML --------------------------------------------------------------------------------------- */

Test(config, a_scalar_means_the_same_with_and_without_quotes)
{
    static const char *const cases[][2] = {
        {"seed: 1e3", "seed: 1000"},
        {"seed: \"1e3\"", "seed: 1000"},
        {"seed: '1e3'", "seed: 1000"},
        {"seed: 010", "seed: 10"},
        {"quote: {enabled: no}", "quote.enabled: no"},
        {"quote: {enabled: \"no\"}", "quote.enabled: no"},
        {"quote: {size: 0.10}", "quote.size: 0.1"},
        {"quote.size: '0.10'", "quote.size: 0.1"},
        {"sim: {balances: '1 NO, 2 ON'}", "sim.balances: \"1 NO, 2 ON\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        read_text(config, cases[i][0]);
        expect_line(config, cases[i][1]);
        config_free(&config);
    }
    refuse_text("seed: 0x10", "test.yaml:1:7: seed", "'0x10' is not a number");
    refuse_text("seed: yes", "test.yaml:1:7: seed", "'yes' is not a number");
    refuse_text("seed: ~", "test.yaml:1:7: seed", "'~' is not a number");
}

Test(config, yaml_that_is_no_plain_settings_is_refused_where_it_stands)
{
    static const char *const cases[][3] = {
        {"quote:\n  sise: 1\n", "test.yaml:2:3: quote.sise", "did you mean 'quote.size'"},
        {"qoute:\n  size: 1\n", "test.yaml:1:1: qoute", "did you mean 'quote'"},
        {"half_spread: 1\n", "test.yaml:1:1: half_spread", "did you mean 'quote.half_spread'"},
        {"seed: 1\nseed: 1\n", "test.yaml:2:1: seed", "given twice"},
        {"quote: {levels: 1}\nquote: {step: 1}", "test.yaml:2:1: quote", "given twice"},
        {"quote: {levels: 1}\nquote.levels: 1", "test.yaml:2:15: quote.levels", "given twice"},
        {"venues: {v: {}}\nvenues: {w: {}}", "test.yaml:2:1: venues", "given twice"},
        {"venues: {v: {}, v: {}}", "test.yaml:1:17: v", "given twice"},
        {"seed: &a 1", "test.yaml:1:7: anchor &a", "not allowed"},
        {"seed: *a", "test.yaml:1:7: alias *a", "not allowed"},
        {"seed: !!int 1", "test.yaml:1:7: tag", "not allowed"},
        {"seed: [1]", "test.yaml:1:7:", "a list stands here"},
        {"seed: {x: 1}", "test.yaml:1:7: seed", "has settings below it"},
        {"quote: 1", "test.yaml:1:8: quote", "is a group of settings"},
        {"venues: 1", "test.yaml:1:9: venues", "expected names"},
        {"venues: {v: 1}", "test.yaml:1:13: v", "expected settings below it"},
        {"venues: {'v:A': {}}", "test.yaml:1:10:", "no venue's name"},
        {"instruments: {BTCUSDT: {}}", "test.yaml:1:15:", "no instrument's name"},
        {"instruments: {'v:': {}}", "test.yaml:1:15:", "no instrument's name"},
        {"{{a: 1}: 2}", "test.yaml:1:2:", "expected the name of a setting"},
        {"seed: 1\n---\nseed: 2", "test.yaml:2:1:", "a second document"},
        {"seed", "test.yaml:1:1:", "not a single value"},
        {"", "test.yaml:", "holds no setting"},
        {"# nothing\n", "test.yaml:", "holds no setting"},
        {"seed: 1\n\tquote: 2", "test.yaml:2:1:", "not YAML as expected"},
        {"seed: 1\nx: \x01\n", "test.yaml:2:4:", "not a text file"},
        {"seed: 1\nx: \xff\n", "test.yaml:2:4:", "not a text file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse_text(cases[i][0], cases[i][1], cases[i][2]);
}

/* --- Scopes and precedence ---------------------------------------------------------------------- */

static const char *const venue_names[] = {"v1", "v2"};
static const char *const symbol_names[] = {"A-B", "C.D", "A-B"};
static const struct event_definition definitions[] = {
    {.instrument = 0,
     .venue = 0,
     .tick = 5,
     .lot = 10,
     .price_exponent = -1,
     .quantity_exponent = -3},
    {.instrument = 1, .venue = 0, .tick = 1, .lot = 1},
    {.instrument = 2, .venue = 1, .tick = 1, .lot = 1},
};
static const struct event_names names = {.venue_count = 2,
                                         .instrument_count = 3,
                                         .venues = venue_names,
                                         .symbols = symbol_names,
                                         .definitions = definitions};

static struct config_resolved resolve(const struct config *config)
{
    struct config_resolved resolved;
    struct error error = {0};
    int status = config_resolve(config, &names, false, &resolved, &error);
    cr_assert_eq(status, ERROR_NONE, "%s", error.text);
    return resolved;
}

Test(config, the_narrower_scope_wins)
{
    struct config *config = fresh();
    read_text(config, "quote: {levels: 4}\n"
                      "sim: {entry_latency: 1ms}\n"
                      "venues:\n"
                      "  v1: {quote: {levels: 5}, sim: {entry_latency: 2ms}}\n"
                      "instruments:\n"
                      "  \"v1:A-B\": {quote: {levels: 6}}\n");
    struct config_resolved resolved = resolve(config);
    cr_assert_eq(resolved.instruments[0].quote_levels, 6);
    cr_assert_eq(resolved.instruments[1].quote_levels, 5);
    cr_assert_eq(resolved.instruments[2].quote_levels, 4);
    cr_assert_eq(resolved.venues[0].sim_entry_latency, 2 * NS_PER_MS);
    cr_assert_eq(resolved.venues[1].sim_entry_latency, NS_PER_MS);
    cr_assert_eq(resolved.global.seed, 1);
    cr_assert_eq(resolved.instruments[0].risk_collar, 5000000);
    cr_assert_eq(resolved.instruments[0].quote_enabled, true);
    cr_assert_str_eq(resolved.instruments[0].quote_strategy.text, "ladder");
    cr_assert_eq(resolved.instruments[0].quote_size.unit, SETTING_LOT);
    cr_assert_eq(resolved.instruments[0].quote_size.value.mantissa, 1);
    cr_assert_eq(resolved.instruments[0].quote_size.value.exponent, 1);
    config_resolved_free(&resolved);
    config_free(&config);
}

Test(config, later_sources_win_over_earlier_ones)
{
    char by_environment[] = "CAPSTAN_QUOTE__LEVELS=8", other[] = "CAPSTAN_LOG=debug",
         shared[] = "CAPSTAN_SHARED=x", single[] = "CAPSTAN_SEED=5", foreign[] = "HOME=/",
         venue[] = "CAPSTAN_VENUES__V1__SIM__ENTRY_LATENCY=3ms", bare[] = "CAPSTAN=/bin/capstan";
    char *environment[] = {by_environment, other, shared, single, foreign, venue, bare, NULL};
    struct error error = {0};
    struct config *config = fresh();
    read_text(config, "quote: {levels: 7, step: 7}\nseed: 4");
    expect_line(config, "quote.levels: 7");
    cr_assert_eq(config_read_environment(config, environment, &error), ERROR_NONE, "%s",
                 error.text);
    expect_line(config, "quote.levels: 8");
    expect_line(config, "quote.step: 7");
    expect_line(config, "seed: 5");
    expect_line(config, "    sim.entry_latency: 3ms");
    give(config, "quote.levels=9");
    expect_line(config, "quote.levels: 9");
    give(config, "quote.levels=10");
    expect_line(config, "quote.levels: 10");
    config_free(&config);
}

Test(config, an_unknown_name_in_the_environment_is_an_error)
{
    char unknown[] = "CAPSTAN_QUOTE__LEVLES=8", wrong[] = "CAPSTAN_QUOTE__LEVELS=many",
         again[] = "CAPSTAN_quote__LEVELS=8", good[] = "CAPSTAN_QUOTE__LEVELS=8";
    char *cases[][3] = {{unknown, NULL}, {wrong, NULL}, {good, again, NULL}};
    static const char *const parts[] = {"did you mean 'quote.levels'", "'many' is not a number",
                                        "given twice"};
    for (size_t i = 0; i < 3; i++) {
        struct config *config = fresh();
        struct error error = {0};
        int status = config_read_environment(config, cases[i], &error);
        expect_refusal(status, &error, "environment CAPSTAN_", parts[i]);
        config_free(&config);
    }
}

Test(config, set_reaches_venues_and_instruments)
{
    struct config *config = fresh();
    give(config, "venues.v1.sim.entry_latency=7ms");
    give(config, "instruments.\"v1:A-B\".quote.levels=2");
    give(config, "instruments.v1:C.D.quote.levels=3"); /* the longest setting ends the key */
    give(config, "instruments.\"v2:A-B\".quote.levels=4");
    struct config_resolved resolved = resolve(config);
    cr_assert_eq(resolved.venues[0].sim_entry_latency, 7 * NS_PER_MS);
    cr_assert_eq(resolved.instruments[0].quote_levels, 2);
    cr_assert_eq(resolved.instruments[1].quote_levels, 3);
    cr_assert_eq(resolved.instruments[2].quote_levels, 4);
    config_resolved_free(&resolved);
    config_free(&config);
}

Test(config, set_refuses_what_it_can_not_place)
{
    refuse_set("quote.levels", "expected KEY=VALUE");
    refuse_set("=1", "expected KEY=VALUE");
    refuse_set("quote.levles=1", "did you mean 'quote.levels'");
    refuse_set("venues.v1=1", "names no setting");
    refuse_set("venues.v1.sim.entry_latecy=1ms", "did you mean 'sim.entry_latency'");
    refuse_set("venues.v1.seed=1", "is a global setting and can't differ by venue");
    refuse_set("instruments.v1:A.seed=1", "is a global setting");
    refuse_set("instruments.v1:A.sim.entry_latency=1ms", "can't differ by instrument");
    refuse_set("instruments.A.quote.levels=1", "no instrument's name");
    refuse_set("venues.v:1.quote.levels=1", "no venue's name");
}

Test(config, a_name_that_the_tape_does_not_have_is_an_error_unless_allowed)
{
    struct config *config = fresh();
    read_text(config, "seed: 2\ninstruments:\n  v1:XYZ: {quote: {levels: 2}}\n");
    struct config_resolved resolved;
    struct error error = {0};
    int status = config_resolve(config, &names, false, &resolved, &error);
    expect_refusal(status, &error, "test.yaml:3:3: the tape has no instrument 'v1:XYZ'",
                   "it has v1:A-B, v1:C.D, v2:A-B");
    cr_assert_eq(config_resolve(config, &names, true, &resolved, &error), ERROR_NONE);
    config_resolved_free(&resolved);
    config_free(&config);
    config = fresh();
    give(config, "venues.v9.quote.levels=1");
    status = config_resolve(config, &names, false, &resolved, &error);
    expect_refusal(status, &error, "--set: the tape has no venue 'v9'", "it has v1, v2");
    config_free(&config);
}

Test(config, an_amount_off_its_instruments_grid_is_an_error)
{
    static const char *const cases[][2] = {
        {"quote: {size: 0.015}\nseed: 1",
         "test.yaml:1:15: for v1:A-B: quote.size: 0.015 is no whole"},
        {"venues: {v1: {quote: {step: 0.0001}}}",
         "test.yaml:1:29: for v1:A-B: quote.step: 0.0001 is less than"},
        {"instruments: {v2:A-B: {risk: {position_limit: 0.5}}}",
         "test.yaml:1:47: for v2:A-B: risk.position_limit: 0.5 is finer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct config_resolved resolved;
        struct error error = {0};
        read_text(config, cases[i][0]);
        int status = config_resolve(config, &names, false, &resolved, &error);
        expect_refusal(status, &error, cases[i][1], "");
        config_free(&config);
    }
}

static const char *warned;
static char warning[256];

static void warn(void *context, const char *line)
{
    (void)context;
    snprintf(warning, sizeof warning, "%s", line);
    warned = warning;
}

static const struct config_warner warner = {.warn = warn};

/* Both the check without a tape and the resolving for one. */
Test(config, a_breaker_that_would_clear_while_it_trips_is_an_error)
{
    static const char *const cases[][3] = {
        {"breaker: {spread_clear: 10}", "test.yaml:1:25: for ",
         "breaker.spread_clear=1000% is above breaker.spread=500%"},
        {"venues: {v1: {breaker: {volatility: 1}}}", "test.yaml:1:37: for v1",
         "breaker.volatility_clear=200% is above breaker.volatility=100%"},
        {"breaker: {reference: 2%}\ninstruments: {v2:A-B: {breaker: {reference_clear: 2.1%}}}",
         "test.yaml:2:51: for v2:A-B: ",
         "breaker.reference_clear=2.1% is above breaker.reference=2%: it would clear"},
        {"breaker: {reference: 0.4%}\ninstruments: {v2:A-B: {breaker: {reference: 1%}}}",
         "test.yaml:1:22: for ", "breaker.reference_clear=0.5% is above breaker.reference=0.4%"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct config_resolved resolved;
        struct error error = {0};
        read_text(config, cases[i][0]);
        int status = config_resolve(config, &names, false, &resolved, &error);
        expect_refusal(status, &error, cases[i][1], cases[i][2]);
        error = (struct error){0};
        status = config_check(config, &warner, &error);
        expect_refusal(status, &error, cases[i][1], cases[i][2]);
        config_free(&config);
    }
}

/* One that needs more than there ever is would be switched off without a word. */
Test(config, a_setting_that_could_never_come_into_force_is_an_error)
{
    static const char *const cases[][3] = {
        {"breaker: {spread_window: 59999ms}", "test.yaml:1:26: for ",
         "breaker.spread_samples=60 is above what breaker.spread_window=59999ms holds, one a "
         "second"},
        {"breaker: {spread_window: 30s, spread_samples: 30}\nvenues: {v1: {breaker: "
         "{spread_samples: 31}}}",
         "test.yaml:2:41: for v1", "breaker.spread_samples=31 is above what"},
        {"learning: {evidence: 100}", "test.yaml:1:22: for ",
         "learning.evidence=100 is above what learning.decay=99% leaves"},
        {"learning: {decay: 0.5}", "test.yaml:1:19: for ", "sizes would never move"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct error error = {0};
        read_text(config, cases[i][0]);
        int status = config_check(config, &warner, &error);
        expect_refusal(status, &error, cases[i][1], cases[i][2]);
        config_free(&config);
    }
}

/* A band of nothing is one, off is off, and the narrower place decides. */
Test(config, a_breaker_that_can_clear_is_none)
{
    static const char *const cases[] = {
        "breaker: {spread_clear: 5}",
        "breaker: {spread: 0, spread_clear: 10, spread_window: 30s}",
        "breaker: {spread_samples: 30, spread_window: 30s}",
        "learning: {evidence: 99}",
        "learning: {evidence: 1000000, decay: 1}",
        "learning: {evidence: 1000, horizon: 0}",
        "learning: {evidence: 1000, sizing: no}",
        "learning: {evidence: 1000}\nquote: {levels: 1}",
        ("venues: {v1: {breaker: {spread_clear: 10, spread: 11}}}\n"
         "instruments: {v1:A-B: {breaker: {spread: 20}}}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct error error = {0};
        read_text(config, cases[i]);
        cr_expect_eq(config_check(config, &warner, &error), ERROR_NONE, "%s", error.text);
        config_free(&config);
    }
}

Test(config, what_can_t_be_meant_is_warned_of)
{
    static const char *const cases[][2] = {
        {"risk: {position_limit: 5lot}",
         "for all instruments: risk.position_limit=5lot is less than "
         "quote.size=10lot: no order can be placed"},
        {"venues: {v1: {quote: {size: 0.2}}}\n"
         "instruments: {v1:A-B: {risk: {position_limit: 0.1}}}",
         "for v1:A-B: risk.position_limit=0.1 is less than quote.size=0.2"},
        {"risk: {position_limit: 10lot}", NULL},
        {"safety: {sync_interval: 0}",
         "for all venues: safety.snapshot_limit=3m and safety.sync_interval=0: the account is "
         "not asked for, and after the limit no order can be placed"},
        {"venues: {v1: {safety: {sync_interval: 180s}}}",
         "for v1: safety.snapshot_limit=3m and safety.sync_interval=3m: from the one to the "
         "other no order can be placed"},
        {"rate: {orders_per_second: 4}",
         "for all venues: rate.orders_per_second=4: rate.cancel_reserve keeps none of them for "
         "cancels"},
        {"venues: {v1: {rate: {orders_per_second: 7, cancel_reserve: 100%}}}",
         "for v1: rate.orders_per_second=7: rate.cancel_reserve keeps all of them for cancels: no "
         "order can be placed"},
        {"rate: {orders_per_second: 5}", NULL},
        {"rate: {orders_per_second: 4, cancel_reserve: 0}", NULL},
        {"safety: {sync_interval: 0, snapshot_limit: 0}", NULL},
        {"safety: {sync_interval: 179s}", NULL},
        {"risk: {position_limit: 5lot, size_band: 10lot}", NULL}, /* sizes shrink to fit it */
        {"risk: {position_limit: 0.001}", NULL},                  /* of lots nothing is known */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct error error = {0};
        warned = NULL;
        read_text(config, cases[i][0]);
        cr_expect_eq(config_check(config, &warner, &error), ERROR_NONE, "%s", error.text);
        cr_expect_eq(warned != NULL, cases[i][1] != NULL, "case %zu", i);
        if (warned != NULL && cases[i][1] != NULL)
            cr_expect(strncmp(warned, cases[i][1], strlen(cases[i][1])) == 0, "%s", warned);
        config_free(&config);
    }
}

/* --- Text --------------------------------------------------------------------------------------- */

Test(config, canonical_text_reads_back_to_the_same)
{
    struct config *config = fresh(), *again = fresh();
    read_text(config, "seed: 9\n"
                      "sim: {balances: '1 A, 2.50 B'}\n"
                      "venues: {v2: {rate: {cancel_reserve: 12.5%}}, v1: {quote: {step: 3tick}}}\n"
                      "instruments: {'v1:C.D': {quote: {size: 0.010, enabled: no}},\n"
                      "              'v1:q\"\\x': {quote: {size: 5lot}}, 'v3:gone': {}}\n");
    char *text = text_of(config);
    read_text(again, text);
    char *text_again = text_of(again);
    cr_assert_str_eq(text, text_again);
    for (size_t i = 0; i < setting_count(); i++) {
        char line[100];
        snprintf(line, sizeof line, "\n%s: ", setting_info(i)->name);
        cr_assert(strstr(text, line) != NULL, "%s is missing", setting_info(i)->name);
    }
    cr_assert(strstr(text, "v1\":\n    quote.step") < strstr(text, "v2\":\n    rate"));
    free(text);
    free(text_again);
    config_free(&config);
    config_free(&again);
}

/* --- Units -------------------------------------------------------------------------------------- */

static struct setting_amount amount(int64_t mantissa, int exponent, enum setting_unit unit)
{
    return (struct setting_amount){.value = {mantissa, exponent}, .unit = (uint8_t)unit};
}

typedef int convert(const struct setting_amount *, const struct event_definition *, const char *,
                    int64_t *, struct error *);

static void expect_units(convert *function, struct setting_amount given, int64_t expected)
{
    int64_t units = -1;
    struct error error = {0};
    int status = function(&given, &definitions[0], "x.y", &units, &error);
    cr_assert_eq(status, ERROR_NONE, "%s", error.text);
    cr_assert_eq(units, expected);
}

static void refuse_units(convert *function, struct setting_amount given, const char *part)
{
    int64_t units = -1;
    struct error error = {0};
    int status = function(&given, &definitions[0], "x.y", &units, &error);
    expect_refusal(status, &error, "x.y: ", part);
    cr_assert_eq(units, -1);
}

Test(config, amounts_become_units_of_their_instrument)
{
    expect_units(setting_prices_to_milliticks, amount(0, 0, SETTING_TICK), 0); /* the tick is 0.5 */
    expect_units(setting_prices_to_milliticks, amount(2, 0, SETTING_TICK), 2000);
    expect_units(setting_prices_to_milliticks, amount(2, 1, SETTING_TICK), 20000);
    expect_units(setting_prices_to_milliticks, amount(12, -1, SETTING_TICK), 1200);
    expect_units(setting_prices_to_milliticks, amount(5, -1, SETTING_TICK), 500);
    expect_units(setting_prices_to_milliticks, amount(1, -3, SETTING_TICK), 1);
    expect_units(setting_prices_to_milliticks, amount(19999, -4, SETTING_TICK), 1999);
    expect_units(setting_prices_to_milliticks, amount(3, -1, SETTING_PLAIN), 600);
    expect_units(setting_prices_to_milliticks, amount(1, -2, SETTING_PLAIN), 20);
    expect_units(setting_prices_to_milliticks, amount(1, 3, SETTING_PLAIN), 2000000);
    expect_units(setting_sizes_to_units, amount(2, 0, SETTING_LOT), 20);
    expect_units(setting_sizes_to_units, amount(1, -2, SETTING_PLAIN), 10);
    expect_units(setting_sizes_to_units, amount(5, -1, SETTING_PLAIN), 500);
    expect_units(setting_sizes_to_units, amount(922337203685477580, -2, SETTING_PLAIN),
                 INT64_C(9223372036854775800));
}

Test(config, amounts_that_fit_no_unit_are_refused)
{
    refuse_units(setting_prices_to_milliticks, amount(-1, 0, SETTING_TICK), "is negative");
    refuse_units(setting_prices_to_milliticks, amount(1, 0, SETTING_LOT), "is in lots");
    refuse_units(setting_prices_to_milliticks, amount(9, -4, SETTING_TICK),
                 "0.0009tick is less than 1/1,000 of this instrument's tick of 0.5");
    refuse_units(setting_prices_to_milliticks, amount(1, -18, SETTING_PLAIN), "is less than");
    refuse_units(setting_prices_to_milliticks, amount(1, 18, SETTING_PLAIN), "is too large");
    refuse_units(setting_prices_to_milliticks, amount(INT64_MAX, 18, SETTING_TICK), "is too large");
    refuse_units(setting_prices_to_milliticks, amount(INT64_MAX, 0, SETTING_TICK), "is too large");
    refuse_units(setting_sizes_to_units, amount(-1, 0, SETTING_LOT), "is negative");
    refuse_units(setting_sizes_to_units, amount(1, -5, SETTING_PLAIN),
                 "0.00001 is finer than this instrument's unit of ");
    refuse_units(setting_sizes_to_units, amount(1, 0, SETTING_TICK), "is in ticks");
    refuse_units(setting_sizes_to_units, amount(15, -3, SETTING_PLAIN),
                 "0.015 is no whole number of this instrument's lots of 0.010");
    refuse_units(setting_sizes_to_units, amount(5, -1, SETTING_LOT), "no whole number");
    refuse_units(setting_sizes_to_units, amount(INT64_MAX, 0, SETTING_LOT), "is too large");
}

Test(config, balances_are_walked_one_by_one)
{
    struct setting_text text;
    static const char given[] = " 100000 USDT , 1.5 BTC";
    cr_assert_null(balances_from_text(given, sizeof given - 1, &text));
    struct balance balance;
    size_t cursor = 0;
    cr_assert(balances_next(&text, &cursor, &balance));
    cr_assert_str_eq(balance.asset, "BTC");
    cr_assert(balance.amount.atto == (int128)1500000000 * 1000000000);
    cr_assert(balances_next(&text, &cursor, &balance));
    cr_assert_str_eq(balance.asset, "USDT");
    cr_assert_not(balances_next(&text, &cursor, &balance));
}

Test(config, a_word_is_printable_text)
{
    static const char *const good[] = {"BTC-USD", "a", "\xe5\xb8\x81USDT", "\xf0\x9f\x90\xb6"};
    static const char *const bad[] = {
        "",     "a b",      "a\tb",     "\x7f",         "\xc2\x85",     "\xe2\x80\xa8",
        "\xff", "\xc0\x80", "\xe5\xb8", "\xed\xa0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(utf8_is_word(good[i], strlen(good[i])), "%zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(utf8_is_word(bad[i], strlen(bad[i])), "%zu", i);
}

Test(config, nearest_counts_edits)
{
    cr_assert_eq(nearest_distance("", ""), 0);
    cr_assert_eq(nearest_distance("", "abc"), 3);
    cr_assert_eq(nearest_distance("kitten", "sitting"), 3);
    cr_assert_eq(nearest_distance("qoute", "quote"), 1);
    cr_assert_eq(nearest_distance("seed", "seed"), 0);
}

Test(config, files_that_can_not_be_read_are_named)
{
    struct config *config = fresh();
    struct error error = {0};
    int status = config_read_file(config, "/nonexistent.yaml", &error);
    expect_refusal(status, &error, "/nonexistent.yaml: ", "expected a YAML file");
    status = config_read_file(config, "/", &error);
    expect_refusal(status, &error, "/: ", "expected a YAML file");
    config_free(&config);
}

/* --- The account -------------------------------------------------------------------------------------- */

static const char *const asset_names[] = {"A", "B", "USD"};
static const char *const pair_symbols[] = {"A-USD", "B-USD", "A-B"};
static const struct event_definition pairs[] = {
    {.instrument = 0, .tick = 1, .lot = 1, .base = 0, .quote = 2, .settle = 2},
    {.instrument = 1, .tick = 1, .lot = 1, .base = 1, .quote = 2, .settle = 2},
    {.instrument = 2, .venue = 1, .tick = 1, .lot = 1, .base = 0, .quote = 1, .settle = 1},
};
static const struct event_names account_names = {.venue_count = 2,
                                                 .asset_count = 3,
                                                 .instrument_count = 3,
                                                 .venues = venue_names,
                                                 .assets = asset_names,
                                                 .symbols = pair_symbols,
                                                 .definitions = pairs};

Test(config, the_account_s_currency_and_rates_become_numbers)
{
    struct config *config = fresh();
    struct config_resolved resolved;
    struct error error = {0};
    give(config, "account.currency=USD");
    give(config, "account.rates= A=v1:A-USD , B=v1:B-USD");
    give(config, "risk.drawdown_limit=500.25");
    cr_assert_eq(config_resolve(config, &account_names, false, &resolved, &error), 0, "%s",
                 error.text);
    cr_expect_eq(resolved.account_currency, 2);
    cr_expect_eq(resolved.account_rates[0], 0);
    cr_expect_eq(resolved.account_rates[1], 1);
    cr_expect_eq(resolved.account_rates[2], EVENT_NONE_16);
    cr_expect(resolved.global.risk_drawdown_limit.atto == (int128)50025 * 10000000000000000);
    config_resolved_free(&resolved);
    config_free(&config);
}

Test(config, an_account_that_can_t_be_is_refused)
{
    static const char *const cases[][3] = {
        {"EUR", "", "account.currency: 'EUR' is no asset of the tape"},
        {"USD", "A", "account.rates: 'A' is not ASSET=venue:SYMBOL"},
        {"USD", "A=", "is not ASSET=venue:SYMBOL; several have commas between them"},
        {"USD", "A=v1:A-USD B=v1:B-USD", "has a blank in it; several have commas between them"},
        {"USD", "C=v1:A-USD", "'C' is no asset of the tape"},
        {"USD", "A=v1:X", "'v1:X' is no instrument of the tape"},
        {"USD", "B=v1:A-USD", "does not trade the asset"},
        {"USD", "A=v1:A-USD, A=v2:A-B", "names an asset or an instrument twice"},
        {"USD", "A=v2:A-B, B=v2:A-B", "names an asset or an instrument twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct config_resolved resolved;
        struct error error = {0};
        char assignment[160];
        snprintf(assignment, sizeof assignment, "account.currency=%s", cases[i][0]);
        give(config, assignment);
        snprintf(assignment, sizeof assignment, "account.rates=%s", cases[i][1]);
        give(config, assignment);
        cr_expect_eq(config_resolve(config, &account_names, false, &resolved, &error), ERROR_INPUT);
        cr_expect_not_null(strstr(error.text, cases[i][2]), "%s", error.text);
        config_free(&config);
    }
}

/* A to B and B to dollars is a way; A to B, B to dollars and dollars to A is none to another currency. */
Test(config, rates_in_a_circle_are_refused)
{
    struct config *config = fresh();
    struct config_resolved resolved;
    struct error error = {0};
    give(config, "account.rates=A=v2:A-B, B=v1:B-USD");
    cr_assert_eq(config_resolve(config, &account_names, false, &resolved, &error), 0);
    config_resolved_free(&resolved);
    give(config, "account.rates=A=v2:A-B, B=v1:B-USD, USD=v1:A-USD");
    cr_assert_eq(config_resolve(config, &account_names, false, &resolved, &error), ERROR_INPUT);
    cr_expect_not_null(strstr(error.text, "in a circle"), "%s", error.text);
    config_free(&config);
}

Test(config, amounts_and_text_that_can_t_be_are_refused)
{
    refuse_set("risk.daily_loss_limit=-1", "is negative");
    refuse_set("risk.daily_loss_limit=lots", "is not a number");
    refuse_set("risk.drawdown_limit=", "is empty");
    refuse_set("account.currency=U\tSD", "can't be printed");
    refuse_set("account.day_zone=CET", "is not known");
}

/* Profit in dollars and B: a limit that was asked for is refused, the daily loss that stands by itself is not. */
Test(config, a_limit_without_a_currency_is_refused)
{
    static const char *const cases[][2] = {
        {"risk.drawdown_limit=1", "risk.drawdown_limit: profit is in several assets"},
        {"risk.daily_loss_limit=4999", "risk.daily_loss_limit: profit is in several assets"},
        {"risk.daily_loss_limit=5000", NULL},
        {"risk.daily_loss_limit=0", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = fresh();
        struct config_resolved resolved;
        struct error error = {0};
        give(config, cases[i][0]);
        int status = config_resolve(config, &account_names, false, &resolved, &error);
        cr_expect_eq(status, cases[i][1] ? ERROR_INPUT : 0, "%s", error.text);
        if (cases[i][1])
            cr_expect_not_null(strstr(error.text, cases[i][1]), "%s", error.text);
        else
            config_resolved_free(&resolved);
        config_free(&config);
    }
}
