/* See answers.h. */
#include "config.h" /* PACKAGE_VERSION */

#include "ops/answers.h"

#include <string.h>

#include "base/build_id.h"
#include "base/time.h"

/* --- health ------------------------------------------------------------------------------------- */

void ops_answer_live(struct json *json, int64_t uptime_ns)
{
    json_clear(json);
    json_open(json, NULL, '{');
    json_text(json, "status", "ok");
    json_text(json, "version", PACKAGE_VERSION);
    json_integer(json, "uptime_seconds", uptime_ns / NS_PER_SECOND);
    json_close(json, '}');
}

static const char *const reason_texts[OPS_REASON_COUNT] = {
#define X(name, text, meaning) text,
    OPS_REASONS(X)
#undef X
};

/* Reasons, and the gates that block, as they may be the cause of what the reasons say. */
static void show_reasons(struct json *json, const struct ops_view *view)
{
    json_open(json, "reasons", '[');
    for (unsigned i = 0; i < OPS_REASON_COUNT; i++)
        if (view->reasons >> i & 1)
            json_text(json, NULL, reason_texts[i]);
    json_close(json, ']');
    json_open(json, "gates", '[');
    for (unsigned i = 0; view->collect && !view->ready && i < GATE_COUNT; i++)
        if (view->gates >> i & 1)
            json_text(json, NULL, event_enum_text(FIELD_GATE, i));
    json_close(json, ']');
}

bool ops_answer_ready(struct json *json, const struct ops_view *view)
{
    bool told =
        view->collect && view->last_quote != OPS_NO_QUOTE && view->last_quote != OPS_DRAINING;
    json_clear(json);
    json_open(json, NULL, '{');
    json_flag(json, "ready", view->ready);
    if (told)
        json_integer(json, "last_quote_age_ms", (view->now - view->last_quote) / NS_PER_MS);
    else
        json_null(json, "last_quote_age_ms");
    show_reasons(json, view);
    json_close(json, '}');
    return view->ready;
}

/* The key of a part that is not configured stays, with null. */
static bool show_check(struct json *json, const char *name, enum ops_check check)
{
    if (check == OPS_CHECK_NONE)
        json_null(json, name);
    else
        json_flag(json, name, check == OPS_CHECK_WELL);
    return check != OPS_CHECK_FAILED;
}

static enum ops_check check_venue(const struct ops_view *view, const char *name)
{
    for (unsigned v = 0; view->collect && v < view->names->venue_count; v++)
        if (strcmp(view->names->venues[v], name) == 0)
            return view->venues[v].health.market && view->venues[v].health.account
                       ? OPS_CHECK_WELL
                       : OPS_CHECK_FAILED;
    return OPS_CHECK_NONE;
}

static bool is_usual(const char *name)
{
    return strcmp(name, "coinbase") == 0 || strcmp(name, "binance_us") == 0 ||
           strcmp(name, "oanda") == 0;
}

/* The three that there are, and others of a replay. */
static bool show_venues(struct json *json, const struct ops_view *view)
{
    json_open(json, "exchanges", '{');
    bool well = show_check(json, "coinbase", check_venue(view, "coinbase"));
    well &= show_check(json, "binance_us", check_venue(view, "binance_us"));
    well &= show_check(json, "oanda", check_venue(view, "oanda"));
    for (unsigned v = 0; view->collect && v < view->names->venue_count; v++)
        if (!is_usual(view->names->venues[v]))
            well &=
                show_check(json, view->names->venues[v], check_venue(view, view->names->venues[v]));
    json_close(json, '}');
    return well;
}

/* What the checks can't tell stands beside them, and only then. */
static void show_stage(struct json *json, const struct ops_view *view, bool draining)
{
    if (view->collect && !draining && !view->silent)
        return;
    json_open(json, "reasons", '[');
    if (view->silent)
        json_text(json, NULL, reason_texts[OPS_REASON_SILENT]);
    if (draining)
        json_text(json, NULL, reason_texts[OPS_REASON_DRAINING]);
    if (!view->collect && !draining)
        json_text(json, NULL, view->stands_by ? "standing_by" : reason_texts[OPS_REASON_STARTING]);
    json_close(json, ']');
}

bool ops_answer_checks(struct json *json, const struct ops_view *view)
{
    struct json checks = {0};
    bool draining = view->collect ? view->last_quote == OPS_DRAINING : view->ended;
    json_open(&checks, NULL, '{');
    bool well = show_check(&checks, "database", view->collect ? view->database : OPS_CHECK_NONE);
    json_null(&checks, "redis");
    well &= show_venues(&checks, view);
    json_close(&checks, '}');
    well = well && (view->collect || view->stands_by) && !draining && !view->silent;
    json_clear(json);
    json_open(json, NULL, '{');
    json_flag(json, "ready", well);
    json_raw(json, "checks", checks.bytes);
    show_stage(json, view, draining);
    json_close(json, '}');
    json_free(&checks);
    return well;
}

/* --- the dashboard ------------------------------------------------------------------------------ */

static void show_time(struct json *json, const char *name, int64_t ts)
{
    char text[TIME_TEXT_MAX];
    time_to_text(ts, text);
    json_text(json, name, text);
}

static void show_money_or_null(struct json *json, const char *name, bool known, money amount)
{
    if (known)
        json_money(json, name, amount, -1);
    else
        json_null(json, name);
}

/* Of a replay that is watched; null else. */
static void show_playback(struct json *json, const struct ops_session *session)
{
    struct ops_playback playback;
    if (!session->playback_state) {
        json_null(json, "playback");
        return;
    }
    session->playback_state(session->context, &playback);
    json_open(json, "playback", '{');
    json_flag(json, "paused", playback.paused);
    json_flag(json, "ended", playback.ended);
    if (playback.speed > 0)
        json_decimal(json, "speed", playback.speed, -3, 0);
    else
        json_text(json, "speed", "max");
    json_close(json, '}');
}

static void show_tape(struct json *json, const struct ops_session *session)
{
    char path[OPS_PATH_BYTES] = "";
    if (session->open_tape)
        session->open_tape(session->context, path);
    json_text(json, "tape", session->open_tape ? path : session->tape);
}

static void show_session(struct json *json, const struct ops_view *view, int64_t uptime_ns)
{
    char build[BUILD_ID_TEXT_MAX];
    build_id_text(build);
    json_open(json, "build", '{');
    json_text(json, "version", PACKAGE_VERSION);
    json_text(json, "build", build);
    json_close(json, '}');
    json_integer(json, "uptime_seconds", uptime_ns / NS_PER_SECOND);
    if (!view->collect) {
        json_null(json, "session");
        return;
    }
    const struct ops_session *session = &view->collect->session;
    json_open(json, "session", '{');
    show_playback(json, session);
    json_text(json, "mode", session->mode);
    show_tape(json, session);
    json_integer(json, "epoch", (int64_t)ops_read(&view->collect->epoch));
    json_text(json, "shutdown",
              event_enum_text(FIELD_SHUTDOWN_STEP,
                              view->account_known ? view->account.shutdown : SHUTDOWN_RUNNING));
    json_close(json, '}');
}

static void show_readiness(struct json *json, const struct ops_view *view)
{
    bool told = view->last_quote != OPS_NO_QUOTE && view->last_quote != OPS_DRAINING;
    json_open(json, "readiness", '{');
    json_flag(json, "ready", view->ready);
    if (told)
        json_integer(json, "last_quote_age_ms", (view->now - view->last_quote) / NS_PER_MS);
    else
        json_null(json, "last_quote_age_ms");
    show_reasons(json, view);
    json_close(json, '}');
}

/* Of all venues together: what /metrics tells of each. */
struct order_counts {
    uint64_t placed, filled, cancelled, failed, fills, sent[OPS_REQUESTS];
};

static uint64_t sum_of(const _Atomic uint64_t *counters, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ops_read(&counters[i]);
    return sum;
}

static void count_orders(const struct ops_view *view, struct order_counts *out)
{
    *out = (struct order_counts){0};
    for (unsigned v = 0; v < view->names->venue_count; v++) {
        const struct ops_venue_figures *venue = &view->collect->venues[v];
        for (unsigned side = 0; side < 2; side++) {
            out->placed += sum_of(venue->placed[side], OPS_ORDER_TYPES);
            out->fills += sum_of(venue->fills[side], LIQUIDITY_COUNT);
        }
        out->filled += sum_of(venue->filled, 2);
        out->cancelled += sum_of(venue->cancelled, CANCEL_CAUSE_COUNT);
        out->failed += sum_of(venue->failed, OPS_FAILED_REASONS);
        for (unsigned request = 0; request < OPS_REQUESTS; request++)
            out->sent[request] += ops_read(&venue->sent[request]);
    }
}

static void show_counts(struct json *json, const struct ops_view *view)
{
    const struct engine_counters *counters = &view->account.counters;
    struct ops_collect *collect = view->collect;
    struct order_counts orders;
    count_orders(view, &orders);
    json_open(json, "counters", '{');
    json_integer(json, "market_messages", (int64_t)ops_read(&collect->messages[0]));
    json_integer(json, "session_messages", (int64_t)ops_read(&collect->messages[1]));
    json_integer(json, "decisions", (int64_t)ops_read(&collect->decisions));
    json_integer(json, "placed", (int64_t)orders.placed);
    json_integer(json, "filled", (int64_t)orders.filled);
    json_integer(json, "cancelled", (int64_t)orders.cancelled);
    json_integer(json, "failed", (int64_t)orders.failed);
    json_integer(json, "fills", (int64_t)orders.fills);
    json_integer(json, "place_requests", (int64_t)orders.sent[OPS_REQUEST_PLACE]);
    json_integer(json, "cancel_requests", (int64_t)orders.sent[OPS_REQUEST_CANCEL]);
    json_integer(json, "modify_requests", (int64_t)orders.sent[OPS_REQUEST_MODIFY]);
    json_integer(json, "open_orders", view->account_known ? (int64_t)view->account.open_orders : 0);
    json_integer(json, "invariant_violations",
                 view->account_known ? (int64_t)counters->invariant_violations : 0);
    json_close(json, '}');
}

static void show_currency(struct json *json, const struct ops_view *view, uint16_t asset)
{
    if (asset < view->names->asset_count)
        json_text(json, "currency", view->names->assets[asset]);
    else
        json_null(json, "currency");
}

static void show_balances(struct json *json, const struct ops_view *view)
{
    json_open(json, "balances", '[');
    for (uint32_t i = 0; view->account_known && i < view->account.balance_count; i++) {
        const struct ops_balance *balance = &view->account.balances[i];
        json_open(json, NULL, '{');
        json_text(json, "exchange", view->names->venues[balance->venue]);
        json_text(json, "asset", view->names->assets[balance->asset]);
        json_money(json, "total", balance->total, -1);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void show_account(struct json *json, const struct ops_view *view)
{
    const struct engine_account_state *state = &view->account.state;
    bool known = view->account_known && state->known;
    money drawdown = MONEY_ZERO, day = MONEY_ZERO;
    bool has_drawdown = known && money_try_subtract(state->peak, state->profit, &drawdown);
    bool has_day = known && money_try_subtract(state->profit, state->day_start, &day);
    json_open(json, "account", '{');
    show_currency(json, view, view->profit_known ? view->currency : (uint16_t)EVENT_NONE_16);
    show_money_or_null(json, "profit", view->profit_known, view->profit);
    show_money_or_null(json, "day_profit", has_day, day);
    show_money_or_null(json, "peak", known, state->peak);
    show_money_or_null(json, "drawdown", has_drawdown, drawdown);
    show_money_or_null(json, "equity_usd", view->equity_known, view->equity);
    json_flag(json, "equity_stale", view->equity_stale);
    json_flag(json, "drawn_down", view->account_known && state->drawn_down);
    json_flag(json, "day_lost", view->account_known && state->day_lost);
    show_balances(json, view);
    json_close(json, '}');
}

static void show_bits(struct json *json, const char *name, uint32_t bits,
                      enum event_field_type type, unsigned count)
{
    json_open(json, name, '[');
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            json_text(json, NULL, event_enum_text(type, i));
    json_close(json, ']');
}

static void show_venue(struct json *json, const struct ops_view *view, unsigned index)
{
    const struct ops_view_venue *venue = &view->venues[index];
    json_open(json, NULL, '{');
    json_text(json, "exchange", view->names->venues[index]);
    json_flag(json, "connected", venue->health.market && venue->health.account);
    json_flag(json, "market_data", venue->health.market);
    json_flag(json, "orders_stream", venue->health.account);
    json_integer(json, "waiting_bytes", (int64_t)venue->health.waiting);
    if (venue->known) {
        json_flag(json, "reconciled", venue->status.reconciled);
        json_text(json, "breaker",
                  event_enum_text(FIELD_INFRASTRUCTURE_STATE, venue->status.infrastructure));
        json_integer(json, "failures_in_a_row", (int64_t)venue->status.failures);
        json_integer(json, "unknown_to_us", venue->status.orphans);
        json_integer(json, "rate_left", venue->status.rate_left);
        show_bits(json, "alarms", venue->status.alarms, FIELD_ALARM, ALARM_COUNT);
    }
    json_close(json, '}');
}

/* null: there is none. */
static void show_database(struct json *json, const struct ops_view *view)
{
    const struct engine_database_status *database = ops_view_database(view);
    if (!database) {
        json_null(json, "database");
        return;
    }
    json_open(json, "database", '{');
    json_flag(json, "well", view->database == OPS_CHECK_WELL);
    json_text(json, "state", event_enum_text(FIELD_INFRASTRUCTURE_STATE, database->state));
    json_integer(json, "failures", (int64_t)database->failures);
    if (database->failed == INT64_MIN) {
        json_null(json, "last_failure");
        json_null(json, "last_failure_ms");
    } else {
        show_time(json, "last_failure", database->failed);
        json_integer(json, "last_failure_ms", database->failed / NS_PER_MS);
    }
    json_close(json, '}');
}

static void show_latency(struct json *json, const char *name, const struct ops_reading *reading)
{
    static const struct {
        const char *name;
        double quantile;
    } all[] = {{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}, {"p999_ns", 0.999}};
    json_open(json, name, '{');
    json_integer(json, "count", (int64_t)reading->total);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int64_t ns = ops_quantile(reading, all[i].quantile);
        if (ns < 0)
            json_null(json, all[i].name);
        else
            json_integer(json, all[i].name, ns);
    }
    json_close(json, '}');
}

static void show_one_latency(struct json *json, const char *name,
                             const struct ops_histogram *histogram)
{
    struct ops_reading reading;
    ops_histogram_read(histogram, &reading);
    show_latency(json, name, &reading);
}

/* Of all venues together. */
static void show_venues_latency(struct json *json, const struct ops_view *view)
{
    struct ops_reading age = {.bounds = &ops_bounds_fine}, answers = age, one;
    for (unsigned v = 0; v < view->names->venue_count; v++) {
        ops_histogram_read(&view->collect->venues[v].event_age, &one);
        ops_reading_add(&age, &one);
        ops_histogram_read(&view->collect->venues[v].answers[OPS_REQUEST_PLACE], &one);
        ops_reading_add(&answers, &one);
    }
    show_latency(json, "event_age", &age);
    show_latency(json, "order_to_answer", &answers);
}

static void show_latencies(struct json *json, const struct ops_view *view)
{
    json_open(json, "latency", '{');
    show_one_latency(json, "loop_lag", &view->collect->loop_lag);
    show_one_latency(json, "loop_step", &view->collect->step);
    show_one_latency(json, "tick_to_order", &view->collect->tick_to_order);
    show_one_latency(json, "tape_write", &view->collect->tape_write);
    show_venues_latency(json, view);
    json_close(json, '}');
}

static void show_ring(struct json *json, const char *name, const struct ops_view *view,
                      struct ops_ring *ring)
{
    struct ops_entry entries[OPS_DECISIONS];
    size_t count = ops_ring_read(ring, entries, OPS_DECISIONS);
    json_open(json, name, '[');
    for (size_t i = 0; i < count; i++)
        ops_show_entry(json, view, &entries[i]);
    json_close(json, ']');
}

static void show_series(struct json *json, const struct ops_series *series, int64_t since)
{
    const struct ops_sample *sample;
    json_open(json, "series", '[');
    for (size_t i = 0; (sample = ops_series_at(series, i)) != NULL; i++) {
        if (sample->ts < since)
            continue;
        json_open(json, NULL, '{');
        json_integer(json, "time_ms", sample->ts / NS_PER_MS);
        show_money_or_null(json, "profit", sample->profit_known, sample->profit);
        show_money_or_null(json, "drawdown", sample->drawdown_known, sample->drawdown);
        show_money_or_null(json, "equity_usd", sample->equity_known, sample->equity);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void show_body(struct json *json, const struct ops_view *view,
                      const struct ops_series *series, int64_t since)
{
    struct ops_collect *collect = view->collect;
    show_time(json, "time", view->now);
    json_integer(json, "time_ms", view->now / NS_PER_MS);
    show_readiness(json, view);
    show_account(json, view);
    json_open(json, "instruments", '[');
    for (unsigned i = 0; i < view->names->instrument_count; i++)
        ops_show_instrument(json, view, i);
    json_close(json, ']');
    json_open(json, "exchanges", '[');
    for (unsigned v = 0; v < view->names->venue_count; v++)
        show_venue(json, view, v);
    json_close(json, ']');
    show_database(json, view);
    show_latencies(json, view);
    show_counts(json, view);
    show_ring(json, "fills", view, &collect->filled);
    show_ring(json, "decisions", view, &collect->decided);
    show_ring(json, "notices", view, &collect->noticed);
    show_series(json, series, since);
}

void ops_answer_dashboard(struct json *json, const struct ops_view *view,
                          const struct ops_series *series, int64_t since, int64_t uptime_ns)
{
    json_clear(json);
    json_open(json, NULL, '{');
    show_session(json, view, uptime_ns);
    if (view->collect)
        show_body(json, view, series, since);
    json_close(json, '}');
}
