/* capstan exchange: venues on loopback, to try live mode against. */
#include "config.h"

#include "cmd/background.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "exchange/host.h"
#include "synth/synth.h"
#include "tape/tape.h"

static const char name[] = "exchange";

enum { HOSTS_MAX = 3, FAULTS_BYTES_MAX = 1 << 20, BALANCES_MAX = 256 };

struct exchange_command {
    const char *folder, *tape, *faults;
    struct cmd_list venues, balances;
    int64_t synth, seed, port, rate;
    bool verbose, background;
};

/* Where a venue's market comes from: each has one of its own. */
struct market {
    struct tape_reader *reader;
    struct feed *feed;
    struct synth *synth;
};

struct served {
    struct market market;
    unsigned venue;
    struct exchange_credentials credentials;
    char balances[BALANCES_MAX];
    struct host *host;
};

struct exchange {
    const struct exchange_command *command;
    struct exchange_folder folder;
    const struct event_names *names; /* of the first market */
    struct market names_market;      /* and what they stand in */
    char *faults_text;
    struct served served[HOSTS_MAX];
    size_t count;
};

/* --- the market -------------------------------------------------------------------------------- */

static const struct message *next_of_tape(void *context, struct error *error)
{
    struct feed *feed = ((struct market *)context)->feed;
    return feed->next(feed, error);
}

static const struct message *next_of_synth(void *context, struct error *error)
{
    (void)error;
    return synth_next(((struct market *)context)->synth);
}

static int open_tape(struct market *market, const char *path, struct error *error)
{
    const struct tape_feed_options options = {
        .classes = FEED_MARKET, .from = INT64_MIN, .to = INT64_MAX, .threads = 1};
    int code = tape_reader_open(&market->reader, path, error);
    return code ? code : tape_feed_open(&market->feed, market->reader, &options, error);
}

static int open_market(struct market *market, const struct exchange_command *command,
                       struct error *error)
{
    if (command->tape)
        return open_tape(market, command->tape, error);
    struct synth_options options = synth_defaults;
    options.seed = (uint64_t)command->synth;
    options.live = true;
    options.instruments = SYNTH_LIVE_INSTRUMENTS;
    options.rate = command->rate;
    return synth_create(&market->synth, &options, error);
}

static void close_market(struct market *market)
{
    if (market->feed)
        market->feed->close(market->feed);
    tape_reader_close(&market->reader);
    synth_free(&market->synth);
}

static const struct event_names *names_of(const struct market *market)
{
    return market->reader ? &tape_reader_header(market->reader)->names : synth_names(market->synth);
}

/* --- what is served ---------------------------------------------------------------------------- */

static bool is_wanted(const struct exchange_command *command, const char *venue)
{
    for (size_t i = 0; i < command->venues.count; i++)
        if (strcmp(command->venues.items[i], venue) == 0)
            return true;
    return command->venues.count == 0;
}

/* Every venue of --venue, or all that the market and the exchange have. */
static int choose_venues(struct exchange *exchange, struct error *error)
{
    const struct exchange_command *command = exchange->command;
    for (unsigned v = 0; v < exchange->names->venue_count; v++) {
        const char *venue = exchange->names->venues[v];
        if (protocol_by_venue(venue) && is_wanted(command, venue))
            exchange->served[exchange->count++].venue = v;
    }
    for (size_t i = 0; i < command->venues.count; i++) {
        bool found = false;
        for (size_t s = 0; s < exchange->count; s++)
            found |= strcmp(exchange->names->venues[exchange->served[s].venue],
                            command->venues.items[i]) == 0;
        if (!found && !protocol_by_venue(command->venues.items[i]))
            return error_set(error, ERROR_INPUT,
                             "--venue %s: expected binance_us, coinbase or oanda",
                             command->venues.items[i]);
        if (!found)
            return error_set(error, ERROR_INPUT, "--venue %s: the market has no instrument of it",
                             command->venues.items[i]);
    }
    if (exchange->count == 0)
        return error_set(error, ERROR_INPUT,
                         "%s: expected instruments of binance_us, coinbase or oanda",
                         command->tape);
    return 0;
}

static bool is_money(const char *asset)
{
    static const char *const names[] = {"USD", "USDT", "USDC", "EUR", "GBP"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], asset) == 0)
            return true;
    return false;
}

/* What an account holds where nothing else is said: 100,000 USD at a venue of contracts, else a million of each
 * money and 100 of all else that the venue's instruments are of. */
static void default_balances(const struct exchange *exchange, struct served *served)
{
    const struct event_names *names = exchange->names;
    size_t used = 0;
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        bool has = false, contracts = false;
        for (unsigned i = 0; i < names->instrument_count; i++) {
            const struct event_definition *definition = &names->definitions[i];
            if (definition->venue != served->venue)
                continue;
            contracts |= definition->contract != CONTRACT_SPOT;
            has |= definition->quote == asset ||
                   (definition->base == asset && definition->contract == CONTRACT_SPOT);
        }
        if (!has || used + EVENT_NAME_MAX + 16 > BALANCES_MAX)
            continue;
        used += (size_t)snprintf(served->balances + used, BALANCES_MAX - used, "%s%d %s",
                                 used ? ", " : "",
                                 contracts                        ? 100000
                                 : is_money(names->assets[asset]) ? 1000000
                                                                  : 100,
                                 names->assets[asset]);
    }
}

/* --balances VENUE=AMOUNTS wins. */
static int read_balances(const struct exchange *exchange, struct served *served,
                         struct error *error)
{
    const struct cmd_list *list = &exchange->command->balances;
    const char *venue = exchange->names->venues[served->venue];
    size_t length = strlen(venue);
    default_balances(exchange, served);
    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->items[i], venue, length) != 0 || list->items[i][length] != '=')
            continue;
        int written = snprintf(served->balances, BALANCES_MAX, "%s", list->items[i] + length + 1);
        if (written < 0 || written >= BALANCES_MAX)
            return error_set(error, ERROR_INPUT, "--balances of %s: expected at most %d bytes",
                             venue, BALANCES_MAX - 1);
    }
    return 0;
}

static int check_balances(const struct exchange *exchange, struct error *error)
{
    const struct cmd_list *list = &exchange->command->balances;
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        char venue[EVENT_NAME_MAX + 1] = "";
        if (equals && equals - list->items[i] <= EVENT_NAME_MAX)
            memcpy(venue, list->items[i], (size_t)(equals - list->items[i]));
        if (!protocol_by_venue(venue))
            return error_set(error, ERROR_INPUT,
                             "--balances %s: expected VENUE=AMOUNTS, as binance_us=\"1000 USD\"",
                             list->items[i]);
    }
    return 0;
}

static int read_faults(struct exchange *exchange, struct error *error)
{
    const char *path = exchange->command->faults;
    if (!path)
        return 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    exchange->faults_text = malloc(FAULTS_BYTES_MAX + 2);
    ASSERT(exchange->faults_text);
    size_t length = fread(exchange->faults_text, 1, FAULTS_BYTES_MAX + 1, file);
    bool failed = ferror(file);
    int cause = errno; /* of a folder: it can be opened, not read */
    fclose(file);
    if (failed)
        return error_set(error, ERROR_INPUT, "%s: %s; expected a script of faults", path,
                         strerror(cause));
    if (length > FAULTS_BYTES_MAX)
        return error_set(error, ERROR_INPUT, "%s: expected a script of at most %d bytes", path,
                         FAULTS_BYTES_MAX);
    exchange->faults_text[length] = '\0';
    return 0;
}

/* --- opening ----------------------------------------------------------------------------------- */

static int64_t wall_clock(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    ASSERT(!failed);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int open_host(struct exchange *exchange, struct served *served, size_t place,
                     int64_t wall_start, int64_t monotonic_start, struct error *error)
{
    const struct exchange_command *command = exchange->command;
    const char *venue = exchange->names->venues[served->venue];
    if (open_market(&served->market, command, error) ||
        folder_credentials(&exchange->folder, venue, &served->credentials, error) ||
        read_balances(exchange, served, error))
        return error->code;
    const struct host_options options = {
        .folder = &exchange->folder,
        .names = exchange->names,
        .venue = served->venue,
        .source = {command->tape ? next_of_tape : next_of_synth, &served->market},
        .credentials = &served->credentials,
        .balances = served->balances,
        .seed = (uint64_t)command->seed,
        .port = (uint16_t)(command->port ? command->port + (int64_t)place : 0),
        .faults_name = command->faults,
        .faults_text = exchange->faults_text,
        .verbose = command->verbose,
        .wall_start = wall_start,
        .monotonic_start = monotonic_start};
    if (host_open(&served->host, &options, error))
        return error_prefix(error, "%s", venue);
    return 0;
}

static int write_live_config(const struct exchange *exchange, struct error *error)
{
    struct folder_venue venues[HOSTS_MAX];
    int64_t *prices = calloc(exchange->names->instrument_count + 1, sizeof *prices);
    ASSERT(prices);
    for (size_t i = 0; i < exchange->count; i++) {
        const struct served *served = &exchange->served[i];
        venues[i] = (struct folder_venue){exchange->names->venues[served->venue], served->venue,
                                          host_port(served->host)};
        host_prices(served->host, prices);
        fprintf(stderr, "%s: https://127.0.0.1:%u\n", venues[i].name, venues[i].port);
    }
    int code = folder_live_config(&exchange->folder, venues, exchange->count, exchange->names,
                                  prices, error);
    free(prices);
    return code;
}

static int open_exchange(struct exchange *exchange, struct error *error)
{
    const struct exchange_command *command = exchange->command;
    int64_t wall = wall_clock(), monotonic = clock_now(&clock_monotonic);
    if (read_faults(exchange, error) || check_balances(exchange, error) ||
        open_market(&exchange->names_market, command, error))
        return error->code;
    exchange->names = names_of(&exchange->names_market);
    if (choose_venues(exchange, error) || folder_open(&exchange->folder, command->folder, error) ||
        folder_certificates(&exchange->folder, wall, error))
        return error->code;
    for (size_t i = 0; i < exchange->count; i++)
        if (open_host(exchange, &exchange->served[i], i, wall, monotonic, error))
            return error->code;
    if (write_live_config(exchange, error))
        return error->code;
    for (size_t i = 0; i < exchange->count; i++)
        if (host_start(exchange->served[i].host, error))
            return error->code;
    return 0;
}

static void close_exchange(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++) {
        host_close(&exchange->served[i].host);
        close_market(&exchange->served[i].market);
    }
    close_market(&exchange->names_market);
    free(exchange->faults_text);
}

/* --- running ----------------------------------------------------------------------------------- */

/* DIR/state.json: one object a venue. */
static int write_state(struct exchange *exchange, struct error *error)
{
    struct json json = {0};
    json_open(&json, NULL, '{');
    for (size_t i = 0; i < exchange->count; i++) {
        char *state = host_state(exchange->served[i].host);
        json_raw(&json, exchange->names->venues[exchange->served[i].venue], state);
        free(state);
    }
    json_close(&json, '}');
    json_append(&json, "\n", 1);
    int code = folder_write(&exchange->folder, "state.json", json.bytes, json.length, 0600, error);
    json_free(&json);
    return code;
}

static bool any_failed(const struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++)
        if (host_has_failed(exchange->served[i].host))
            return true;
    return false;
}

static volatile sig_atomic_t end_wanted, state_wanted;

static void on_end(int number)
{
    (void)number;
    end_wanted = 1;
}

static void on_state(int number)
{
    (void)number;
    state_wanted = 1;
}

/* The signals that are taken: blocked while threads are made, so that this thread alone gets them. */
static void take_signals(bool block)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
    if (!block)
        return;
    struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_state;
    sigaction(SIGUSR1, &action, NULL);
}

/* Until a signal ends it, or a venue fails. */
static int wait_for_end(struct exchange *exchange, struct error *error)
{
    const struct timespec pause = {.tv_nsec = 50 * NS_PER_MS};
    int code = 0;
    while (!code && !end_wanted && !any_failed(exchange)) {
        nanosleep(&pause, NULL); /* a signal ends it sooner */
        if (state_wanted) {
            state_wanted = 0;
            code = write_state(exchange, error);
        }
    }
    return code;
}

static int end(struct exchange *exchange, struct error *error)
{
    int code = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        int failed = host_stop(exchange->served[i].host, code ? NULL : error);
        code = code ? code : failed;
        host_print_faults(exchange->served[i].host);
    }
    struct error later = {0};
    int written = write_state(exchange, &later);
    if (!code && written) {
        *error = later;
        code = written;
    }
    return code;
}

static int tell_ready(const struct exchange *exchange, struct background *background,
                      struct error *error)
{
    char log[FOLDER_PATH_MAX + 64];
    if (!exchange->command->background) {
        puts("ready");
        return cmd_flush(stdout, "standard output", error);
    }
    folder_file(&exchange->folder, "exchange.log", log);
    return background_ready(background, log, error);
}

static int serve(const struct exchange_command *command, struct error *error)
{
    struct exchange exchange = {.command = command};
    struct background background = {0};
    int code = command->background ? background_split(&background, error) : 0;
    if (code || background.is_parent)
        return code ? code : background.status;
    take_signals(true);
    code = open_exchange(&exchange, error);
    take_signals(false);
    if (!code)
        code = tell_ready(&exchange, &background, error);
    if (!code)
        code = wait_for_end(&exchange, error);
    if (!code)
        code = end(&exchange, error);
    close_exchange(&exchange);
    return code;
}

/* --- the command ------------------------------------------------------------------------------- */

static const char closing[] =
    "DIR gets ca.pem and server.pem (made anew where they are not there), VENUE.json with the\n"
    "account's key and secret, live.yaml for live mode, and at the end, or on SIGUSR1,\n"
    "state.json: orders with their history, fills, balances, positions, requests seen by kind\n"
    "and client order id, faults done. SIGTERM and SIGINT end it. A tape's market is played\n"
    "once, from its first book on, so that it happens now.\n"
    "\n"
    "A script of faults has one fault a line, as in\n"
    "  drop_answer  venue=binance_us request=place nth=3\n"
    "  accept_late  venue=coinbase request=place nth=1 by=7s\n"
    "  status       venue=any request=any code=429 retry_after=5 at=30s until=40s\n"
    "  gap          venue=binance_us message=depthUpdate every=500\n"
    "  stall        venue=oanda message=PRICE chance=0.1% for=15s\n"
    "  disconnect   venue=any at=24h\n"
    "docs/exchange.md has all of them, and every kind of request and message.\n"
    "\n"
    "Example:\n"
    "  capstan exchange --dir venue --synth 7 --background >exchange.pid\n"
    "  capstan live -c venue/live.yaml --tape session.tape --for 1m\n"
    "  kill $(cat exchange.pid)\n";

int cmd_exchange(int argc, char **argv)
{
    struct exchange_command command = {.synth = -1, .seed = 1, .rate = synth_defaults.rate};
    const struct cmd_option table[] = {
        CMD_TEXT("dir", 0, "DIR", "folder for certificates, credentials and configuration",
                 &command.folder),
        CMD_LIST("venue", 0, "NAME", "a venue to be: binance_us, coinbase, oanda; all by default",
                 &command.venues),
        CMD_TEXT("tape", 0, "TAPE", "play the market of this tape", &command.tape),
        CMD_COUNT("synth", 0, 0, INT64_MAX, "play a market made from this seed (default 1)",
                  &command.synth),
        CMD_COUNT("rate", 0, 1, SYNTH_RATE_MAX,
                  "order events a second and instrument of a made market (default 50)",
                  &command.rate),
        CMD_LIST("balances", 0, "VENUE=AMOUNTS",
                 "what the account holds, as binance_us=\"1000 USD, 1 BTC\"", &command.balances),
        CMD_TEXT("faults", 0, "FILE", "what is to go wrong, and when", &command.faults),
        CMD_COUNT("seed", 0, 0, INT64_MAX, "seed of ids and of chance in faults (default 1)",
                  &command.seed),
        CMD_COUNT("port", 0, 1, 65500,
                  "port of the first venue, the next ones follow; any by default", &command.port),
        CMD_FLAG("background", 0,
                 "print the process id and end once it listens; it goes on behind, and tells in\n"
                 "DIR/exchange.log what it has to tell",
                 &command.background),
        CMD_FLAG("verbose", 'v', "tell on standard error what is done", &command.verbose),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "--dir DIR",
        .opening =
            "Be Binance.US, Coinbase and OANDA on this machine: their protocols over TLS, with a\n"
            "test authority, matching against a played market, and faults by script.\n",
        .closing = closing,
        .options = table,
        .option_count = sizeof table / sizeof table[0],
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE && !command.folder)
        status = cmd_fail_with(name, ERROR_INPUT, "expected --dir DIR, the folder to work in");
    else if (status == CMD_CONTINUE && command.tape && command.synth >= 0)
        status = cmd_fail_with(name, ERROR_INPUT, "expected --tape or --synth, not both");
    else if (status == CMD_CONTINUE) {
        command.synth = command.synth < 0 ? 1 : command.synth;
        status = serve(&command, &error);
        if (error.code != ERROR_NONE)
            status = cmd_fail(name, &error);
    }
    cmd_list_free(&command.venues);
    cmd_list_free(&command.balances);
    return status;
}
