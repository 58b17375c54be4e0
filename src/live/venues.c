/* See venues.h. */
#include "config.h" /* POSIX names */

#include "live/venues.h"

#include <string.h>

#include "base/time.h"
#include "live/keys_guard.h"

/* A venue that has not told its instruments by then is not there. It may hold who asked for too much back for a minute. */
#define DISCOVERY_NS (90 * NS_PER_SECOND)

static const char *text_or_null(const struct setting_text *text)
{
    return text->text[0] ? text->text : NULL;
}

static int check_session(const char *session, struct error *error)
{
    size_t length = strspn(session, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (length == 0 || length > 8 || session[length] != '\0')
        return error_set(error, ERROR_INPUT, "live.session: '%s'; expected 1 to 8 of a-z and 0-9",
                         session);
    return 0;
}

/* Settings of each venue, before there are any other names. */
int live_venues_resolve(struct live_venues *venues, const struct config *config,
                        struct error *error)
{
    const struct event_names none = {0};
    struct config_resolved top;
    if (venues->wanted.count > 0)
        return 0;
    int code = config_resolve(config, &none, true, &top, error);
    if (code)
        return code;
    code = check_session(top.global.live_session.text, error);
    if (!code)
        code = wanted_read(&venues->wanted, top.global.live_instruments.text, error);
    config_resolved_free(&top);
    if (code)
        return code;
    const struct event_names names = {.venue_count = (unsigned)venues->wanted.count,
                                      .venues = venues->wanted.names};
    return config_resolve(config, &names, true, &venues->settings, error);
}

/* Orders that the venue ends by itself are placed anew before; else all of a healthy session's would end. */
static int check_expiry(const struct settings_venue *settings, const char *venue,
                        struct error *error)
{
    int64_t expiry = settings->live_order_expiry, renew = settings->order_renew_after;
    char text[2][TIME_TEXT_MAX];
    if (expiry == 0 || (renew > 0 && renew < expiry))
        return 0;
    duration_to_text(expiry, text[0]);
    duration_to_text(renew, text[1]);
    return error_set(
        error, ERROR_INPUT,
        "order.renew_after of %s: '%s'; live.order_expiry is %s: expected more than 0 and "
        "less than that (half of it is well), so that orders are placed anew before the "
        "venue ends them",
        venue, text[1], text[0]);
}

static int load_credentials(struct live_venues *venues, size_t v,
                            const struct live_venues_options *options, struct error *error)
{
    const char *warning = NULL;
    if (venues->credentials[v])
        return 0;
    int code = keys_guard(error);
    if (!code)
        code = credentials_load(&venues->credentials[v], venues->wanted.names[v],
                                text_or_null(&venues->settings.venues[v].live_credentials),
                                &warning, error);
    if (!code && warning)
        log_write(options->log, LOG_WARN, "capstan.live", clock_now(options->clock), warning, NULL,
                  0);
    return code;
}

static int open_venue(struct live_venues *venues, size_t v,
                      const struct live_venues_options *options, struct error *error)
{
    const struct settings_venue *settings = &venues->settings.venues[v];
    const struct settings_global *global = &venues->settings.global;
    const struct wanted_venue *wanted = venues->wanted.venues[v];
    bool wants_credentials = options->trades || wanted->kind->needs_credentials;
    int code = options->trades ? check_expiry(settings, venues->wanted.names[v], error) : 0;
    if (code)
        return code;
    code = wants_credentials ? load_credentials(venues, v, options, error) : 0;
    if (code)
        return code;
    raw_hide(options->raw, venues->credentials[v]);
    const struct live_io_options io = {
        .kind = wanted->kind,
        .adapter = {.name = venues->wanted.names[v],
                    .rest_url = text_or_null(&settings->live_rest_url),
                    .stream_url = text_or_null(&settings->live_stream_url),
                    .private_url = text_or_null(&settings->live_private_url),
                    .symbols = wanted->symbols,
                    .symbol_count = wanted->symbol_count,
                    .credentials = venues->credentials[v],
                    .market_only = !options->trades,
                    .session = global->live_session.text,
                    .request_timeout_ns = settings->live_request_timeout,
                    .expiry_ns = settings->live_order_expiry,
                    .seed = (uint64_t)global->seed + v},
        .ca_file = text_or_null(&settings->live_ca_file),
        .clock = options->clock,
        .engine = options->engine,
        .log = options->log,
        .raw = options->raw};
    code = live_io_open(&venues->ios[v], &io, error);
    venues->count += code == 0;
    return code;
}

int live_venues_open(struct live_venues *venues, const struct live_venues_options *options,
                     struct error *error)
{
    venues->credentials = options->credentials ? options->credentials : venues->own;
    int code = live_venues_resolve(venues, options->config, error);
    for (size_t v = 0; !code && v < venues->wanted.count; v++)
        code = open_venue(venues, v, options, error);
    for (size_t v = 0; !code && v < venues->count; v++)
        code = live_io_await_ready(venues->ios[v], DISCOVERY_NS, options->stop, error);
    return code;
}

void live_venues_close(struct live_venues *venues)
{
    for (size_t v = 0; v < venues->count; v++)
        live_io_close(&venues->ios[v]);
    for (size_t v = 0; v < LIVE_VENUES_MAX; v++)
        credentials_free(&venues->own[v]);
    config_resolved_free(&venues->settings);
    wanted_free(&venues->wanted);
    *venues = (struct live_venues){0};
}
