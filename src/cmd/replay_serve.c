/* A replay that is watched and paced from the dashboard. */
#include "config.h"

#include "cmd/replay_serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/time.h"
#include "live/signals.h"
#include "ops/ops.h"
#include "run/playback.h"

enum { TOKEN_BYTES = 16 };

struct replay_serve {
    struct log log;
    struct playback *playback;
    struct signals *signals;
    struct ops *ops;
    char token[2 * TOKEN_BYTES + 1];
};

static void stop(void *context)
{
    playback_stop(((struct replay_serve *)context)->playback);
}

static void caught(void *context, int signal)
{
    (void)signal;
    stop(context);
}

static void command(void *context, enum ops_playback_command what, int64_t value)
{
    struct playback *playback = ((struct replay_serve *)context)->playback;
    switch (what) {
    case OPS_PLAYBACK_PAUSE:
        playback_pause(playback);
        break;
    case OPS_PLAYBACK_RESUME:
        playback_resume(playback);
        break;
    case OPS_PLAYBACK_STEP:
        playback_step(playback, value);
        break;
    case OPS_PLAYBACK_SPEED:
        playback_set_speed(playback, value);
        break;
    }
}

static void tell_state(void *context, struct ops_playback *out)
{
    const struct playback_state state = playback_state(((struct replay_serve *)context)->playback);
    *out =
        (struct ops_playback){.paused = state.paused, .ended = state.ended, .speed = state.speed};
}

/* Speed and whether it begins paused. */
static int read_speed(const char *text, int64_t *speed, bool *paused, struct error *error)
{
    const struct number number = number_from_text(text, strlen(text), -3);
    *paused = false;
    *speed = 0;
    if (strcmp(text, "max") == 0)
        return 0;
    if (number.status != NUMBER_VALUE || number.units < 0 || number.units > OPS_SPEED_MOST)
        return error_set(error, ERROR_INPUT,
                         "--speed: '%.40s' is none; expected how many times the tape's own, from "
                         "0.001 to 1,000,000, or max, or 0 to begin paused",
                         text);
    *paused = number.units == 0;
    *speed = *paused ? 1000 : number.units;
    return 0;
}

static int make_token(struct replay_serve *serve, struct error *error)
{
    unsigned char bytes[TOKEN_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(error, ERROR_SYSTEM, "the system gives no random bytes for a token");
    for (int i = 0; i < TOKEN_BYTES; i++)
        snprintf(serve->token + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int open_server(struct replay_serve *serve, const struct settings_global *settings,
                       struct error *error)
{
    const bool own = settings->ops_token_file.text[0] == 0;
    const struct ops_options options = {.settings = settings,
                                        .log = &serve->log,
                                        .clock = playback_clock(serve->playback),
                                        .token = own ? serve->token : NULL,
                                        .stop = stop,
                                        .context = serve};
    if (!settings->ops_enabled)
        return error_set(error, ERROR_INPUT, "--serve: ops.enabled is no; expected yes");
    int code = own ? make_token(serve, error) : 0;
    return code ? code : ops_open(&serve->ops, &options, error);
}

static void tell_address(const struct replay_serve *serve, const struct settings_global *settings)
{
    const bool own = settings->ops_token_file.text[0] == 0;
    const char *address = settings->ops_address.text;
    fprintf(stderr,
            strchr(address, ':') ? "dashboard    http://[%s]:%u/%s%s\n"
                                 : "dashboard    http://%s:%u/%s%s\n",
            address, ops_port(serve->ops), own ? "#token=" : "", own ? serve->token : "");
}

static int attach(struct replay_serve *serve, const char *tape, struct backtest *backtest,
                  struct error *error)
{
    const struct settings_global *settings = &backtest->engine.resolved.global;
    const struct ops_session session = {.mode = "replay",
                                        .tape = tape,
                                        .engine = backtest->engine.engine,
                                        .names = &backtest->header->names,
                                        .orders_capacity = (size_t)settings->orders_capacity,
                                        .clock = playback_clock(serve->playback),
                                        .playback = command,
                                        .playback_state = tell_state,
                                        .context = serve};
    int code = ops_attach(serve->ops, &session, error);
    if (code)
        return code;
    backtest_add_sink(backtest, ops_sink(serve->ops));
    backtest_add_sink(backtest, playback_sink(serve->playback));
    /* The pace comes first: nothing sees a message before its time. */
    struct loop *loop = &backtest->loop;
    memmove(loop->sinks + 1, loop->sinks, (loop->sink_count - 1) * sizeof loop->sinks[0]);
    loop->sinks[0] = playback_sink(serve->playback);
    return 0;
}

int replay_serve_open(struct replay_serve **out, const char *speed, struct error *error)
{
    int64_t milli;
    bool paused;
    int code = read_speed(speed, &milli, &paused, error);
    if (code)
        return code;
    struct replay_serve *serve = calloc(1, sizeof *serve);
    if (!serve)
        return error_set(error, ERROR_SYSTEM, "no memory for a watched replay");
    *out = serve;
    const char *filter = getenv("CAPSTAN_LOG");
    code = log_init(&serve->log, stderr, filter && filter[0] ? filter : "warn", error);
    if (!code)
        code = playback_open(&serve->playback, milli, paused, error);
    return code ? code : signals_open(&serve->signals, TIME_NEVER, caught, serve, error);
}

int replay_serve_attach(struct replay_serve *serve, const char *tape, struct backtest *backtest,
                        struct error *error)
{
    int code = open_server(serve, &backtest->engine.resolved.global, error);
    if (!code)
        code = attach(serve, tape, backtest, error);
    if (!code)
        tell_address(serve, &backtest->engine.resolved.global);
    return code;
}

void replay_serve_wait(struct replay_serve *serve)
{
    fflush(stdout);
    playback_wait(serve->playback);
}

void replay_serve_close(struct replay_serve **out)
{
    struct replay_serve *serve = *out;
    if (!serve)
        return;
    *out = NULL;
    if (serve->ops)
        ops_detach(serve->ops);
    ops_close(&serve->ops);
    signals_close(&serve->signals);
    playback_close(&serve->playback);
    free(serve);
}
