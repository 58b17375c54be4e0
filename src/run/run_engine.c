/* Resolves a configuration and lays an engine out for it. */
#include "run/run_engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { ENGINE_ALIGNMENT = 64 };

static size_t memory_size(const struct run_engine *run)
{
    size_t size = engine_size(&run->config);
    return (size + ENGINE_ALIGNMENT - 1) / ENGINE_ALIGNMENT * ENGINE_ALIGNMENT;
}

static int lay_out(struct run_engine *run, const struct event_names *names, struct error *error)
{
    unsigned instrument;
    const char *problem = engine_config_problem(&run->config, &instrument);
    if (problem && instrument == EVENT_NONE_16)
        return error_set(error, ERROR_INPUT, "%s: more than the engine takes", problem);
    if (problem) {
        char name[EVENT_INSTRUMENT_NAME_MAX];
        event_instrument_name(names, instrument, name);
        return error_set(error, ERROR_INPUT, "%s: does not fit instrument %s", problem, name);
    }
    size_t size = memory_size(run);
    run->memory = aligned_alloc(ENGINE_ALIGNMENT, size);
    if (!run->memory)
        return error_set(error, ERROR_SYSTEM, "no memory for an engine of %zu bytes", size);
    /* Every page is there before the first message comes. */
    memset(run->memory, 0, size);
    run->engine = engine_init(run->memory, size, &run->config);
    return 0;
}

int run_engine_open(struct run_engine *run, const struct config *config,
                    const struct event_names *names, bool allow_unknown, bool audit_each_message,
                    struct error *error)
{
    int code = config_resolve(config, names, allow_unknown, &run->resolved, error);
    if (!code)
        code = config_to_tape_text(config, &run->config_text, error);
    if (code)
        return code;
    run->config_hash = hash_64(run->config_text, strlen(run->config_text));
    run->account =
        (struct engine_account){.named = run->resolved.global.account_currency.text[0] != '\0',
                                .currency = run->resolved.account_currency,
                                .rates = run->resolved.account_rates};
    run->config = (struct engine_config){.global = &run->resolved.global,
                                         .venue_count = names->venue_count,
                                         .asset_count = names->asset_count,
                                         .instrument_count = names->instrument_count,
                                         .venues = run->resolved.venues,
                                         .instruments = run->resolved.instruments,
                                         .definitions = names->definitions,
                                         .account = &run->account,
                                         .audit_each_message = audit_each_message,
                                         .gates_off = run->gates_off};
    return lay_out(run, names, error);
}

int run_engine_open_told(struct run_engine *run, const char *path, const struct tape_header *header,
                         struct error *error)
{
    struct config *config = NULL;
    int code = config_from_tape(&config, path, header->config, error);
    if (!code)
        code = run_engine_open(run, config, &header->names, true, false, error);
    config_free(&config);
    return code;
}

void run_engine_renew(struct run_engine *run)
{
    run->engine = engine_init(run->memory, memory_size(run), &run->config);
}

void run_engine_close(struct run_engine *run)
{
    free(run->memory);
    free(run->config_text);
    config_resolved_free(&run->resolved);
    memset(run, 0, sizeof *run);
}
