/* See metrics.h. One function a family, named by its id in the table. */
#include "config.h" /* PACKAGE_VERSION */

#include "ops/metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/build_id.h"
#include "base/decimal.h"
#include "base/log_writer.h"
#include "base/time.h"

/* A family under way. */
struct family {
    struct json *text;
    const struct ops_view *view;
    const struct ops_requests *requests;
    const struct log *log;
    const char *name;
};

/* --- samples ------------------------------------------------------------------------------------ */

/* Names hold no quote and no backslash (event_name_is_valid), so no label needs escaping. */
static void put_count(struct family *family, uint64_t value)
{
    ops_text_put(family->text, " %" PRIu64 "\n", value);
}

static void put_integer(struct family *family, int64_t value)
{
    ops_text_put(family->text, " %" PRId64 "\n", value);
}

static void put_seconds(struct family *family, int64_t ns)
{
    ops_text_put(family->text, " %.9g\n", (double)ns / 1e9);
}

static void put_money(struct family *family, bool known, money amount)
{
    char text[MONEY_TEXT_MAX];
    if (known)
        money_to_text(amount, text);
    ops_text_put(family->text, " %s\n", known ? text : "NaN");
}

static void begin(struct family *family)
{
    ops_text_put(family->text, "capstan_%s", family->name);
}

static void begin_1(struct family *family, const char *label, const char *value)
{
    ops_text_put(family->text, "capstan_%s{%s=\"%s\"}", family->name, label, value);
}

static void begin_2(struct family *family, const char *label, const char *value, const char *other,
                    const char *other_value)
{
    ops_text_put(family->text, "capstan_%s{%s=\"%s\",%s=\"%s\"}", family->name, label, value, other,
                 other_value);
}

/* `labels` as `a="b"`, or "". */
static void put_histogram(struct family *family, const char *labels,
                          const struct ops_reading *reading)
{
    uint64_t below = 0;
    const char *comma = labels[0] ? "," : "";
    const char *left = labels[0] ? "{" : "", *right = labels[0] ? "}" : "";
    for (unsigned i = 0; i < reading->bounds->count; i++) {
        below += reading->counts[i];
        ops_text_put(family->text, "capstan_%s_bucket{%s%sle=\"%.12g\"} %" PRIu64 "\n",
                     family->name, labels, comma, (double)reading->bounds->ns[i] / 1e9, below);
    }
    ops_text_put(family->text, "capstan_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", family->name,
                 labels, comma, reading->total);
    ops_text_put(family->text, "capstan_%s_sum%s%s%s %.12g\n", family->name, left, labels, right,
                 (double)reading->sum_ns / 1e9);
    ops_text_put(family->text, "capstan_%s_count%s%s%s %" PRIu64 "\n", family->name, left, labels,
                 right, reading->total);
}

static void show_histogram(struct family *family, const char *labels,
                           const struct ops_histogram *histogram)
{
    struct ops_reading reading;
    ops_histogram_read(histogram, &reading);
    put_histogram(family, labels, &reading);
}

/* --- what there is ------------------------------------------------------------------------------ */

static unsigned venue_count(const struct family *family)
{
    return family->view->collect ? family->view->names->venue_count : 0;
}

static const char *venue_name(const struct family *family, unsigned venue)
{
    return family->view->names->venues[venue];
}

static const struct ops_venue_figures *figures_of(const struct family *family, unsigned venue)
{
    return &family->view->collect->venues[venue];
}

/* The next published instrument from `index` on, with its name; NULL: there is none. */
static const struct ops_instrument *next_instrument(const struct family *family, unsigned *index,
                                                    char name[EVENT_INSTRUMENT_NAME_MAX])
{
    unsigned count = family->view->collect ? family->view->names->instrument_count : 0;
    for (; *index < count; (*index)++)
        if (family->view->instruments[*index].known) {
            event_instrument_name(family->view->names, *index, name);
            return &family->view->instruments[*index].now;
        }
    return NULL;
}

#define FOR_VENUES(family, v) for (unsigned v = 0; v < venue_count(family); v++)
#define FOR_INSTRUMENTS(family, i, name, now)                                                      \
    const struct ops_instrument *now;                                                              \
    char name[EVENT_INSTRUMENT_NAME_MAX];                                                          \
    for (unsigned i = 0; (now = next_instrument(family, &i, name)) != NULL; i++)

static const char *side_name(unsigned side)
{
    return event_enum_text(FIELD_SIDE, side);
}

/* Quantity units as a decimal. */
static void put_quantity(struct family *family, unsigned instrument, int64_t units)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_to_text(units, family->view->names->definitions[instrument].quantity_exponent, text);
    ops_text_put(family->text, " %s\n", text);
}

static const struct engine_counters *counters_of(const struct family *family)
{
    return family->view->collect && family->view->account_known ? &family->view->account.counters
                                                                : NULL;
}

/* --- orders ------------------------------------------------------------------------------------- */

static void show_placed(struct family *family)
{
    static const char *const types[OPS_ORDER_TYPES] = {"limit", "market"};
    FOR_VENUES(family, v)
    for (unsigned side = 0; side < 2; side++)
        for (unsigned type = 0; type < OPS_ORDER_TYPES; type++)
            ops_text_put(family->text,
                         "capstan_%s{exchange=\"%s\",side=\"%s\",type=\"%s\"} %" PRIu64 "\n",
                         family->name, venue_name(family, v), side_name(side), types[type],
                         ops_read(&figures_of(family, v)->placed[side][type]));
}

static void show_filled(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned side = 0; side < 2; side++) {
        begin_2(family, "exchange", venue_name(family, v), "side", side_name(side));
        put_count(family, ops_read(&figures_of(family, v)->filled[side]));
    }
}

static void show_cancelled(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned reason = 0; reason < CANCEL_CAUSE_COUNT; reason++) {
        begin_2(family, "exchange", venue_name(family, v), "reason",
                event_enum_text(FIELD_CANCEL_CAUSE, reason));
        put_count(family, ops_read(&figures_of(family, v)->cancelled[reason]));
    }
}

static void show_expired(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->expired));
    }
}

static void show_not_found(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->not_found));
    }
}

static void show_failed(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned reason = 0; reason < OPS_FAILED_REASONS; reason++) {
        const char *text = reason == OPS_FAILED_NEVER_ARRIVED
                               ? "never_arrived"
                               : event_enum_text(FIELD_REJECT, reason);
        if (reason == REJECT_NONE || reason == REJECT_POST_ONLY || reason == REJECT_REPLACE)
            continue;
        begin_2(family, "exchange", venue_name(family, v), "reason", text);
        put_count(family, ops_read(&figures_of(family, v)->failed[reason]));
    }
}

static void show_post_only(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->post_only_rejected));
    }
}

static void show_not_tried(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->not_tried));
    }
}

static const char *const request_names[OPS_REQUESTS] = {"place", "cancel", "modify"};

static void show_sent(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned request = 0; request < OPS_REQUESTS; request++) {
        begin_2(family, "exchange", venue_name(family, v), "request", request_names[request]);
        put_count(family, ops_read(&figures_of(family, v)->sent[request]));
    }
}

static void show_fills(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned side = 0; side < 2; side++)
        for (unsigned kind = 0; kind < LIQUIDITY_COUNT; kind++)
            ops_text_put(family->text,
                         "capstan_%s{exchange=\"%s\",side=\"%s\",liquidity=\"%s\"} %" PRIu64 "\n",
                         family->name, venue_name(family, v), side_name(side),
                         event_enum_text(FIELD_LIQUIDITY, kind),
                         ops_read(&figures_of(family, v)->fills[side][kind]));
}

static void show_beyond_limit(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->beyond_limit));
    }
}

static void show_unanswered(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, ops_read(&figures_of(family, v)->unanswered));
    }
}

/* No strategy looks for arbitrage. */
static void show_nothing_yet(struct family *family)
{
    begin(family);
    put_count(family, 0);
}

static void show_arbitrage_seen(struct family *family)
{
    show_nothing_yet(family);
}

static void show_arbitrage_done(struct family *family)
{
    show_nothing_yet(family);
}

static void show_opportunity(struct family *family)
{
    const struct ops_reading none = {.bounds = &ops_bounds_opportunity};
    put_histogram(family, "", &none);
}

/* --- durations ---------------------------------------------------------------------------------- */

static void show_of_venue(struct family *family, unsigned venue,
                          const struct ops_histogram *histogram)
{
    char labels[EVENT_NAME_MAX + 16];
    snprintf(labels, sizeof labels, "exchange=\"%s\"", venue_name(family, venue));
    show_histogram(family, labels, histogram);
}

static void show_execution(struct family *family)
{
    FOR_VENUES(family, v)
    show_of_venue(family, v, &figures_of(family, v)->execution);
}

static void show_event_age(struct family *family)
{
    FOR_VENUES(family, v)
    show_of_venue(family, v, &figures_of(family, v)->event_age);
}

static void show_answers(struct family *family)
{
    char labels[EVENT_NAME_MAX + 40];
    FOR_VENUES(family, v)
    for (unsigned request = 0; request < OPS_REQUESTS; request++) {
        snprintf(labels, sizeof labels, "exchange=\"%s\",request=\"%s\"", venue_name(family, v),
                 request_names[request]);
        show_histogram(family, labels, &figures_of(family, v)->answers[request]);
    }
}

static void show_requests(struct family *family)
{
    char labels[96];
    for (unsigned endpoint = 0; endpoint < OPS_ENDPOINT_COUNT; endpoint++)
        for (unsigned method = 0; method < OPS_METHOD_COUNT; method++) {
            struct ops_reading reading;
            bool usual =
                method == (ops_endpoint_reads((enum ops_endpoint)endpoint) ? OPS_GET : OPS_POST);
            ops_histogram_read(&family->requests->durations[endpoint][method], &reading);
            if (reading.total == 0 && !usual)
                continue;
            snprintf(labels, sizeof labels, "endpoint=\"%s\",method=\"%s\"",
                     ops_endpoint_paths[endpoint], ops_method_names[method]);
            put_histogram(family, labels, &reading);
        }
}

static void show_loop_lag(struct family *family)
{
    if (family->view->collect)
        show_histogram(family, "", &family->view->collect->loop_lag);
}

static void show_step(struct family *family)
{
    if (family->view->collect)
        show_histogram(family, "", &family->view->collect->step);
}

static void show_tick_to_order(struct family *family)
{
    if (family->view->collect)
        show_histogram(family, "", &family->view->collect->tick_to_order);
}

static void show_tape_write(struct family *family)
{
    if (family->view->collect)
        show_histogram(family, "", &family->view->collect->tape_write);
}

/* --- the account -------------------------------------------------------------------------------- */

static void show_positions(struct family *family)
{
    uint64_t count = 0;
    FOR_INSTRUMENTS(family, i, name, now)
    count += now->position.position.atto != 0;
    begin(family);
    put_count(family, count);
}

static void show_balance(struct family *family)
{
    begin(family);
    put_money(family, family->view->collect && family->view->equity_known, family->view->equity);
}

static void show_balance_stale(struct family *family)
{
    begin(family);
    put_count(family, family->view->collect && family->view->equity_stale);
}

static void show_daily_pnl(struct family *family)
{
    begin(family);
    put_money(family, family->view->collect && family->view->day_converted,
              family->view->day_profit);
}

static uint16_t account_currency(const struct family *family)
{
    return family->view->account_known ? family->view->account.state.currency
                                       : (uint16_t)EVENT_NONE_16;
}

/* False: there is no currency to tell of. */
static bool begin_currency(struct family *family, uint16_t currency)
{
    if (!family->view->collect || currency >= family->view->names->asset_count)
        return false;
    begin_1(family, "currency", family->view->names->assets[currency]);
    return true;
}

static void show_converted(struct family *family)
{
    if (begin_currency(family, account_currency(family)))
        put_count(family, family->view->day_converted);
}

static void show_account_profit(struct family *family)
{
    const struct ops_view *view = family->view;
    if (begin_currency(family, view->profit_known ? view->currency : account_currency(family)))
        put_money(family, view->profit_known, view->profit);
}

static void show_drawdown(struct family *family)
{
    const struct engine_account_state *state = &family->view->account.state;
    money fallen = MONEY_ZERO;
    bool known = state->known && money_try_subtract(state->peak, state->profit, &fallen);
    if (begin_currency(family, account_currency(family)))
        put_money(family, known, fallen);
}

/* --- instruments -------------------------------------------------------------------------------- */

static void show_open_orders(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        begin_1(family, "instrument", name);
        put_count(family, now->status.orders);
    }
}

static void show_unknown_orders(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        begin_1(family, "instrument", name);
        put_count(family, now->status.unknown);
    }
}

static void show_position(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        begin_1(family, "instrument", name);
        put_money(family, true, now->position.position);
    }
}

static void show_position_limit(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        begin_1(family, "instrument", name);
        put_quantity(family, i, now->status.position_limit);
    }
}

static void show_exposure(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    for (unsigned side = 0; side < 2; side++) {
        int64_t toward = side == SIDE_BUY ? now->status.position : -now->status.position, sum;
        if (__builtin_add_overflow(toward, now->status.leaves[side], &sum))
            sum = INT64_MAX;
        begin_2(family, "instrument", name, "side", side_name(side));
        put_quantity(family, i, sum);
    }
}

static const char *asset_name(const struct family *family, unsigned asset)
{
    return asset < family->view->names->asset_count ? family->view->names->assets[asset] : "none";
}

static void show_profit(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        const struct event_definition *definition = &family->view->names->definitions[i];
        money worth;
        bool known = ops_worth(&now->position, &worth);
        begin_2(family, "instrument", name, "asset",
                asset_name(family, ops_profit_asset(definition)));
        put_money(family, known, worth);
    }
}

static void show_breakers(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++) {
        begin_2(family, "instrument", name, "breaker", event_enum_text(FIELD_BREAKER, breaker));
        put_count(family, now->status.breakers[breaker]);
    }
}

static void show_alarms(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    for (unsigned alarm = 0; alarm < ALARM_COUNT; alarm++) {
        begin_2(family, "instrument", name, "reason", event_enum_text(FIELD_ALARM, alarm));
        put_count(family, now->status.alarms >> alarm & 1);
    }
}

static void show_paused(struct family *family)
{
    FOR_INSTRUMENTS(family, i, name, now)
    {
        begin_1(family, "instrument", name);
        put_count(family, now->status.paused);
    }
}

/* --- venues ------------------------------------------------------------------------------------- */

static void show_connected(struct family *family)
{
    FOR_VENUES(family, v)
    {
        const struct ops_venue_health *health = &family->view->venues[v].health;
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, health->market && health->account);
    }
}

static void show_orders_stream(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, family->view->venues[v].health.account);
    }
}

static void show_ring_depth(struct family *family)
{
    FOR_VENUES(family, v)
    {
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, family->view->venues[v].health.waiting);
    }
}

static void show_infrastructure(struct family *family)
{
    FOR_VENUES(family, v)
    {
        if (!family->view->venues[v].known)
            continue;
        begin_1(family, "exchange", venue_name(family, v));
        put_count(family, family->view->venues[v].status.infrastructure);
    }
}

static void show_database_state(struct family *family)
{
    const struct engine_database_status *database = ops_view_database(family->view);
    if (!database)
        return;
    begin(family);
    put_count(family, database->state);
}

static void show_database_failures(struct family *family)
{
    const struct engine_database_status *database = ops_view_database(family->view);
    if (!database)
        return;
    begin(family);
    put_count(family, database->failures);
}

static void show_database_failed(struct family *family)
{
    const struct engine_database_status *database = ops_view_database(family->view);
    if (!database || database->failed == INT64_MIN)
        return;
    begin(family);
    ops_text_put(family->text, " %.3f\n", (double)database->failed / 1e9);
}

static void show_venue_alarms(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned alarm = 0; family->view->venues[v].known && alarm < ALARM_COUNT; alarm++) {
        begin_2(family, "exchange", venue_name(family, v), "reason",
                event_enum_text(FIELD_ALARM, alarm));
        put_count(family, family->view->venues[v].status.alarms >> alarm & 1);
    }
}

static void show_rate_left(struct family *family)
{
    FOR_VENUES(family, v)
    {
        const struct engine_venue_status *status = &family->view->venues[v].status;
        if (!family->view->venues[v].known)
            continue;
        begin_2(family, "exchange", venue_name(family, v), "use", "order");
        put_integer(family, status->rate_left);
        begin_2(family, "exchange", venue_name(family, v), "use", "cancel");
        put_integer(family, status->rate_left_cancels);
    }
}

static void show_gaps(struct family *family)
{
    FOR_VENUES(family, v)
    for (unsigned cause = 0; cause < GAP_CAUSE_COUNT; cause++) {
        begin_2(family, "exchange", venue_name(family, v), "cause",
                event_enum_text(FIELD_GAP_CAUSE, cause));
        put_count(family, ops_read(&figures_of(family, v)->gaps[cause]));
    }
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void show_ready(struct family *family)
{
    begin(family);
    put_count(family, family->view->ready);
}

static void show_quote_age(struct family *family)
{
    const struct ops_view *view = family->view;
    bool told =
        view->collect && view->last_quote != OPS_NO_QUOTE && view->last_quote != OPS_DRAINING;
    begin(family);
    if (told)
        put_seconds(family, view->now - view->last_quote);
    else
        ops_text_put(family->text, " NaN\n");
}

static void show_heartbeat_age(struct family *family)
{
    const struct ops_view *view = family->view;
    if (!view->collect || !view->collect->session.alive)
        return;
    begin(family);
    put_seconds(family, view->now - atomic_load(view->collect->session.alive));
}

static void show_messages(struct family *family)
{
    static const char *const classes[2] = {"market", "session"};
    for (unsigned class = 0; family->view->collect && class < 2; class ++) {
        begin_1(family, "class", classes[class]);
        put_count(family, ops_read(&family->view->collect->messages[class]));
    }
}

static void show_decisions(struct family *family)
{
    if (!family->view->collect)
        return;
    begin(family);
    put_count(family, ops_read(&family->view->collect->decisions));
}

static void show_gates(struct family *family)
{
    const struct engine_counters *counters = counters_of(family);
    for (unsigned gate = 0; gate < GATE_COUNT; gate++) {
        begin_1(family, "gate", event_enum_text(FIELD_GATE, gate));
        put_count(family, counters ? counters->gate_blocked[gate] : 0);
    }
}

static void show_removed(struct family *family)
{
    const struct engine_counters *counters = counters_of(family);
    begin(family);
    put_count(family, counters ? counters->removed_numbers : 0);
}

static void show_violations(struct family *family)
{
    const struct engine_counters *counters = counters_of(family);
    begin(family);
    put_count(family, counters ? counters->invariant_violations : 0);
}

static void show_shutdown(struct family *family)
{
    begin(family);
    put_count(family, family->view->collect && family->view->account_known
                          ? family->view->account.shutdown
                          : SHUTDOWN_RUNNING);
}

static void show_log_dropped(struct family *family)
{
    const struct log_writer *writer = family->log ? family->log->writer : NULL;
    begin(family);
    put_count(family, writer ? log_writer_dropped(writer) : 0);
}

static void show_build(struct family *family)
{
    char build[BUILD_ID_TEXT_MAX];
    build_id_text(build);
    begin_2(family, "version", PACKAGE_VERSION, "build", build);
    put_count(family, 1);
}

/* ------------------------------------------------------------------------------------------------ */

void ops_metrics_write(struct json *text, const struct ops_view *view,
                       const struct ops_requests *requests, const struct log *log)
{
    struct family family = {.text = text, .view = view, .requests = requests, .log = log};
    json_clear(text);
#define M(id, type, metric, labels, help)                                                          \
    family.name = metric;                                                                          \
    ops_text_put(text, "# HELP capstan_%s %s\n# TYPE capstan_%s %s\n", metric, help, metric,       \
                 #type);                                                                           \
    show_##id(&family);
    OPS_METRICS(M)
#undef M
    ops_process_write(text);
}
