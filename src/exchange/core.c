/* See exchange/core.h. */
#include "exchange/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"
#include "exchange/core_internal.h"

/* Room for one more at the end of an array. */
static void *grow(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    array = realloc(array, *capacity * bytes);
    ASSERT(array);
    return array;
}

/* --- what happened ----------------------------------------------------------------------------- */

static struct core_slot *slot_of(const struct core *core, order_id id)
{
    ASSERT(id >= 1 && id <= core->count);
    return core->slots[id - 1];
}

static void remember(struct core *core, struct core_slot *slot, enum core_event_kind kind,
                     int64_t time, int64_t price, int64_t quantity)
{
    core->history =
        grow(core->history, core->history_count, &core->history_capacity, sizeof *core->history);
    size_t at = core->history_count++;
    core->history[at] = (struct core_history){CORE_NONE, time, price, quantity, (uint8_t)kind};
    if (slot->history_last == CORE_NONE)
        slot->history_first = at;
    else
        core->history[slot->history_last].next = at;
    slot->history_last = at;
}

static void tell(struct core *core, struct core_slot *slot, enum core_event_kind kind,
                 const struct core_fill *fill, int64_t time)
{
    struct core_order *order = &slot->order;
    remember(core, slot, kind, time, fill ? fill->price : order->price,
             fill ? fill->quantity : order->quantity);
    order->updated = time;
    struct core_event event = {kind, order, fill, time, core->history_count - 1};
    if (core->options.event)
        core->options.event(core->options.context, &event);
}

static void add_open(struct core *core, size_t index)
{
    core->open = grow(core->open, core->open_count, &core->open_capacity, sizeof *core->open);
    core->open[core->open_count++] = index;
}

static void remove_open(struct core *core, size_t index)
{
    for (size_t i = 0; i < core->open_count; i++) {
        if (core->open[i] != index)
            continue;
        memmove(&core->open[i], &core->open[i + 1],
                (core->open_count - i - 1) * sizeof *core->open);
        core->open_count--;
        return;
    }
}

/* --- the simulated venue's answers ------------------------------------------------------------- */

static uint64_t trade_number(const struct venue_id *id)
{
    const char *dash = memchr(id->bytes, '-', id->length);
    ASSERT(dash);
    return strtoull(dash + 1, NULL, 10);
}

static void take_accepted(struct core *core, const struct message *message)
{
    struct core_slot *slot = slot_of(core, message->record->order_accepted.order);
    slot->order.state = CORE_OPEN;
    slot->order.created = message->ts_venue;
    add_open(core, slot->order.index);
    tell(core, slot, CORE_ACCEPTED, NULL, message->ts_venue);
}

static void take_rejected(struct core *core, const struct message *message)
{
    const struct event_order_rejected *rejected = &message->record->order_rejected;
    struct core_slot *slot = slot_of(core, rejected->order);
    if (rejected->reason == REJECT_FILL_OR_KILL) { /* venues take it, then end it */
        slot->order.state = CORE_OPEN;
        tell(core, slot, CORE_ACCEPTED, NULL, message->ts_venue);
        slot->order.state = CORE_EXPIRED;
        tell(core, slot, CORE_EXPIRY, NULL, message->ts_venue);
        return;
    }
    slot->order.state = CORE_REJECTED;
    slot->order.reject = rejected->reason;
    tell(core, slot, CORE_REJECT, NULL, message->ts_venue);
}

static void take_fill(struct core *core, const struct message *message)
{
    const struct event_order_filled *filled = &message->record->order_filled;
    struct core_slot *slot = slot_of(core, filled->order);
    struct core_order *order = &slot->order;
    const struct event_definition *definition =
        &core->options.names->definitions[order->instrument];
    int64_t quantity = filled->quantity.units;
    core->positions[order->instrument] += order->side == SIDE_BUY ? quantity : -quantity;
    core->fills = grow(core->fills, core->fill_count, &core->fill_capacity, sizeof *core->fills);
    struct core_fill *fill = &core->fills[core->fill_count++];
    *fill = (struct core_fill){.trade = trade_number(&filled->trade),
                               .order = order->index,
                               .price = filled->price.units,
                               .quantity = quantity,
                               .fee = filled->fee,
                               .fee_asset = filled->fee_asset,
                               .maker = filled->liquidity == LIQUIDITY_MAKER,
                               .time = message->ts_venue,
                               .position = core->positions[order->instrument]};
    bool fits = money_linear_value(fill->price, quantity, definition->multiplier,
                                   definition->price_exponent + definition->quantity_exponent +
                                       definition->multiplier_exponent,
                                   &fill->value);
    ASSERT(fits); /* the simulated venue has booked it */
    order->filled += quantity;
    order->value = money_add(order->value, fill->value);
    order->fee = money_add(order->fee, fill->fee);
    order->fills++;
    if (order->filled == order->quantity) {
        order->state = CORE_FILLED;
        remove_open(core, order->index);
    }
    struct core_fill told = *fill; /* the listener may place, and the array move */
    tell(core, slot, CORE_FILL, &told, message->ts_venue);
}

static void take_cancelled(struct core *core, const struct message *message)
{
    const struct event_order_cancelled *cancelled = &message->record->order_cancelled;
    struct core_slot *slot = slot_of(core, cancelled->order);
    bool expiry = core->expiring || cancelled->cause == CANCEL_UNFILLED;
    slot->order.state = expiry ? CORE_EXPIRED : CORE_CANCELLED;
    if (core->cancel_client)
        strncat(slot->order.cancel_client, core->cancel_client, CORE_CLIENT_MAX);
    remove_open(core, slot->order.index);
    tell(core, slot, expiry ? CORE_EXPIRY : CORE_CANCEL, NULL, message->ts_venue);
}

static void take_modified(struct core *core, const struct message *message)
{
    const struct event_order_modified *modified = &message->record->order_modified;
    struct core_slot *slot = slot_of(core, modified->order);
    slot->order.price = modified->price.units;
    slot->order.quantity = slot->order.filled + modified->leaves.units;
    tell(core, slot, CORE_MODIFIED, NULL, message->ts_venue);
}

static void take_answer(struct core *core, const struct message *message)
{
    if (message->kind == EVENT_order_accepted)
        take_accepted(core, message);
    else if (message->kind == EVENT_order_rejected)
        take_rejected(core, message);
    else if (message->kind == EVENT_order_filled)
        take_fill(core, message);
    else if (message->kind == EVENT_order_cancelled)
        take_cancelled(core, message);
    else if (message->kind == EVENT_order_modified)
        take_modified(core, message);
    else if (message->kind == EVENT_cancel_rejected)
        core->answer = (enum reject)message->record->cancel_rejected.reason;
    else if (message->kind == EVENT_modify_rejected)
        core->answer = (enum reject)message->record->modify_rejected.reason;
}

/* --- time -------------------------------------------------------------------------------------- */

/* The simulated venue stops at each answer until it has been taken. */
static int advance(struct core *core, int64_t now, struct error *error)
{
    const struct message *message;
    bool any;
    do {
        if (core->venue->advance(core->venue, now, error))
            return error->code;
        any = false;
        while ((message = core->venue->answer(core->venue, now))) {
            any = true;
            take_answer(core, message);
        }
    } while (any);
    return 0;
}

static int submit(struct core *core, unsigned instrument, enum event_kind kind,
                  const union event_record *record, int64_t now, struct error *error)
{
    struct message decision = {.ts_local = now,
                               .stream = EVENT_STREAM(instrument, CHANNEL_SESSION),
                               .kind = (uint8_t)kind,
                               .record = record};
    if (core->venue->submit(core->venue, &decision, error))
        return error->code;
    return advance(core, now, error);
}

/* What core_cancel does, with a cause. */
static int cancel(struct core *core, struct core_order *order, int64_t now, struct error *error)
{
    union event_record record = {
        .cancel = {.instrument = order->instrument, .order = order->index + 1}};
    core->answer = REJECT_NONE;
    return submit(core, order->instrument, EVENT_cancel, &record, now, error);
}

static int expire(struct core *core, int64_t now, struct error *error)
{
    for (size_t i = 0; i < core->open_count;) {
        struct core_order *order = &core->slots[core->open[i]]->order;
        if (order->expires > now) {
            i++;
            continue;
        }
        core->expiring = true;
        int code = cancel(core, order, now, error);
        core->expiring = false;
        if (code)
            return code;
        i = 0; /* the list has changed */
    }
    return 0;
}

int core_advance(struct core *core, int64_t now, struct error *error)
{
    if (advance(core, now, error))
        return error->code;
    return core_deadline(core) <= now ? expire(core, now, error) : 0;
}

int64_t core_deadline(const struct core *core)
{
    int64_t deadline = TIME_NEVER;
    for (size_t i = 0; i < core->open_count; i++) {
        int64_t expires = core->slots[core->open[i]]->order.expires;
        deadline = expires < deadline ? expires : deadline;
    }
    return deadline;
}

/* --- requests ---------------------------------------------------------------------------------- */

static size_t *bucket_of(struct core *core, const char *client)
{
    return &core->buckets[hash_64(client, strlen(client)) % CORE_BUCKETS];
}

static struct core_slot *new_slot(struct core *core, const struct core_place *place, int64_t now)
{
    core->slots = grow(core->slots, core->count, &core->capacity, sizeof(struct core_slot *));
    struct core_slot *slot = calloc(1, sizeof *slot);
    ASSERT(slot);
    slot->order = (struct core_order){.index = core->count,
                                      .instrument = place->instrument,
                                      .side = place->side,
                                      .time_in_force = place->time_in_force,
                                      .state = CORE_PENDING,
                                      .post_only = place->post_only,
                                      .is_market = place->is_market,
                                      .price = place->price,
                                      .quantity = place->quantity,
                                      .created = now,
                                      .updated = now,
                                      .expires = place->expires,
                                      .protocol = place->protocol};
    strncat(slot->order.client, place->client, CORE_CLIENT_MAX);
    slot->history_first = slot->history_last = CORE_NONE;
    size_t *bucket = bucket_of(core, slot->order.client);
    slot->next_of_client = *bucket;
    *bucket = core->count;
    core->slots[core->count++] = slot;
    return slot;
}

int core_place(struct core *core, const struct core_place *place, int64_t now,
               struct core_order **order, struct error *error)
{
    struct core_slot *slot = new_slot(core, place, now);
    *order = &slot->order;
    union event_record record = {.place = {.instrument = place->instrument,
                                           .order = slot->order.index + 1,
                                           .side = place->side,
                                           .price = {place->price, NUMBER_VALUE},
                                           .quantity = {place->quantity, NUMBER_VALUE},
                                           .time_in_force = place->time_in_force,
                                           .post_only = place->post_only}};
    return submit(core, place->instrument, EVENT_place, &record, now, error);
}

int core_cancel(struct core *core, struct core_order *order, const char *client, int64_t now,
                enum reject *reject, struct error *error)
{
    core->cancel_client = client;
    int code = cancel(core, order, now, error);
    core->cancel_client = NULL;
    *reject = core->answer;
    return code;
}

int core_edit(struct core *core, struct core_order *order, int64_t price, int64_t quantity,
              int64_t now, enum reject *reject, struct error *error)
{
    union event_record record = {.modify = {.instrument = order->instrument,
                                            .order = order->index + 1,
                                            .side = order->side,
                                            .price = {price, NUMBER_VALUE},
                                            .leaves = {quantity - order->filled, NUMBER_VALUE}}};
    core->answer = REJECT_NONE;
    int code = submit(core, order->instrument, EVENT_modify, &record, now, error);
    *reject = core->answer;
    return code;
}

/* --- questions --------------------------------------------------------------------------------- */

size_t core_order_count(const struct core *core)
{
    return core->count;
}

struct core_order *core_order(const struct core *core, size_t index)
{
    return index < core->count ? &core->slots[index]->order : NULL;
}

struct core_order *core_order_by_client(const struct core *core, const char *client)
{
    size_t at = core->buckets[hash_64(client, strlen(client)) % CORE_BUCKETS];
    while (at != CORE_NONE) {
        struct core_slot *slot = core->slots[at];
        if (slot->order.state != CORE_REJECTED && strcmp(slot->order.client, client) == 0)
            return &slot->order;
        at = slot->next_of_client;
    }
    return NULL;
}

size_t core_open_orders(const struct core *core, struct core_order **orders, size_t capacity)
{
    for (size_t i = 0; i < core->open_count && i < capacity; i++)
        orders[i] = &core->slots[core->open[i]]->order;
    return core->open_count;
}

size_t core_fill_count(const struct core *core)
{
    return core->fill_count;
}

const struct core_fill *core_fill(const struct core *core, size_t index)
{
    return index < core->fill_count ? &core->fills[index] : NULL;
}

money core_average_price(const struct core *core, const struct core_order *order)
{
    money average = MONEY_ZERO;
    int exponent = core->options.names->definitions[order->instrument].quantity_exponent;
    if (order->filled == 0 || exponent > 0 ||
        !money_scale(order->value, power_of_ten(-exponent), order->filled, MONEY_HALF_EVEN,
                     &average))
        return MONEY_ZERO;
    return average;
}

money core_balance(const struct core *core, unsigned asset)
{
    return sim_balance(core->venue, core->options.venue, asset);
}

money core_locked(const struct core *core, unsigned asset)
{
    return sim_reserved(core->venue, core->options.venue, asset);
}

bool core_has_asset(const struct core *core, unsigned asset)
{
    return core->has_asset[asset];
}

int64_t core_position(const struct core *core, unsigned instrument)
{
    return core->positions[instrument];
}

/* --- opening and closing ----------------------------------------------------------------------- */

/* The assets of the venue's own instruments. */
static void find_assets(struct core *core)
{
    const struct event_names *names = core->options.names;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        const struct event_definition *definition = &names->definitions[i];
        if (definition->venue != core->options.venue)
            continue;
        core->has_asset[definition->quote] = true;
        if (definition->contract == CONTRACT_SPOT)
            core->has_asset[definition->base] = true;
    }
}

static int configure(struct core *core, const char *name, const char *value, struct error *error)
{
    char assignment[SETTING_TEXT_MAX + EVENT_NAME_MAX + 64];
    const struct event_names *names = core->options.names;
    int length = snprintf(assignment, sizeof assignment, "venues.%s.%s=%s",
                          names->venues[core->options.venue], name, value);
    if (length < 0 || (size_t)length >= sizeof assignment)
        return error_set(error, ERROR_INPUT, "%s: too long", name);
    return config_set(core->config, assignment, error);
}

static int open_venue(struct core *core, struct error *error)
{
    const struct core_options *options = &core->options;
    char capacity[64];
    snprintf(capacity, sizeof capacity, "orders.capacity=%d", CORE_ORDERS_LIVE_MAX);
    if (config_create(&core->config, error) || config_set(core->config, capacity, error) ||
        configure(core, "sim.entry_latency", "0", error) ||
        configure(core, "sim.answer_latency", "0", error) ||
        configure(core, "sim.balances", options->balances, error) ||
        config_resolve(core->config, options->names, true, &core->resolved, error))
        return error->code;
    const struct sim_options sim = {.feed = options->feed,
                                    .names = options->names,
                                    .global = &core->resolved.global,
                                    .venues = core->resolved.venues,
                                    .instruments = core->resolved.instruments};
    return sim_open(&core->venue, &sim, error);
}

int core_open(struct core **out, const struct core_options *options, int64_t now,
              struct error *error)
{
    struct core *core = calloc(1, sizeof *core);
    if (!core)
        return error_set(error, ERROR_SYSTEM, "no memory for an exchange");
    core->options = *options;
    for (size_t i = 0; i < CORE_BUCKETS; i++)
        core->buckets[i] = CORE_NONE;
    core->positions = calloc(options->names->instrument_count + 1, sizeof *core->positions);
    core->has_asset = calloc(options->names->asset_count + 1, sizeof *core->has_asset);
    ASSERT(core->positions && core->has_asset);
    find_assets(core);
    if (open_venue(core, error) || core->venue->start(core->venue, now, error) ||
        advance(core, now, error)) {
        core_close(&core);
        return error->code;
    }
    *out = core;
    return 0;
}

void core_close(struct core **out)
{
    struct core *core = *out;
    if (!core)
        return;
    if (core->venue)
        core->venue->close(core->venue);
    config_resolved_free(&core->resolved);
    config_free(&core->config);
    for (size_t i = 0; i < core->count; i++) {
        free(core->slots[i]->order.protocol);
        free(core->slots[i]);
    }
    free(core->slots);
    free(core->fills);
    free(core->history);
    free(core->open);
    free(core->positions);
    free(core->has_asset);
    free(core);
    *out = NULL;
}
