/* From start() to READY: the account, then the instruments with their precisions. */
#include "venue/live/oanda.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum {
    STEP_ACCOUNT,
    STEP_INSTRUMENTS,
    STEP_DONE,
    FAILURES_MAX = 8, /* of one step in a row: with the back-off about a minute */
    SYMBOLS_TEXT_MAX = 512
};

static void retry(struct v20 *v20, const char *why)
{
    const char *what[] = {"the account", "the instruments"};
    v20->step_failures++;
    if (v20->step_failures >= FAILURES_MAX) {
        adapter_fail(&v20->adapter, &v20->out,
                     "%s: could not ask for %s %u times in a row, last: %s", v20->settings.name,
                     what[v20->step], v20->step_failures, why);
        return;
    }
    v20->step_at = v20->now + adapter_backoff_wait(&v20->step_backoff, &v20->random);
    adapter_log(&v20->out, LOG_WARN, "could not ask for %s: %s", what[v20->step], why);
}

/* "/instruments?instruments=EUR_USD%2CUSD_JPY" */
static void instruments_path(const struct v20 *v20, char *out, size_t capacity)
{
    size_t length = (size_t)snprintf(out, capacity, "/instruments?instruments=");
    for (size_t i = 0; i < v20->names.count && length < capacity; i++)
        length += (size_t)snprintf(out + length, capacity - length, "%s%s", i ? "%2C" : "",
                                   v20->settings.symbols[i]);
}

void v20_discovery_due(struct v20 *v20)
{
    char path[ADAPTER_URL_MAX] = "";
    if (v20->adapter.state != ADAPTER_DISCOVERING || v20->now < v20->step_at)
        return;
    v20->step_at = TIME_NEVER;
    if (v20->step == STEP_INSTRUMENTS)
        instruments_path(v20, path, sizeof path);
    enum v20_sent sent =
        v20_send(v20, v20->step == STEP_ACCOUNT ? V20_ASK_ACCOUNT : V20_ASK_INSTRUMENTS, path, NULL,
                 NULL, &(struct adapter_asked){0});
    if (sent == V20_HELD_BACK)
        v20->step_at = v20->now + NS_PER_SECOND;
    else if (sent != V20_SENT)
        retry(v20, "the request could not be made");
}

static void next_step(struct v20 *v20, int step)
{
    v20->step = step;
    v20->step_at = v20->now;
    v20->step_failures = 0;
    v20->step_backoff.failures = 0;
    if (step == STEP_DONE) {
        v20->step_at = TIME_NEVER;
        v20->adapter.state = ADAPTER_READY;
        return;
    }
    v20_discovery_due(v20);
}

/* Long and short at once would make positions that no engine of ours means. */
static void take_account(struct v20 *v20, const struct v20_answer *answer)
{
    struct v20_account *account = &v20->snapshot.account;
    struct error error = {0};
    if (v20_read_account(answer->body, answer->length, account, &error) != 0) {
        retry(v20, error.text);
        return;
    }
    if (account->hedging && v20->trades) {
        adapter_refuse(&v20->adapter, &v20->out,
                       "%s: this account hedges (hedgingEnabled is true): expected one that nets",
                       v20->settings.name);
        return;
    }
    snprintf(v20->home, sizeof v20->home, "%s", account->currency);
    v20->margin_available = account->margin_available;
    v20_log_begin(v20);
    next_step(v20, STEP_INSTRUMENTS);
}

/* True where all that are wanted are there. */
static bool all_present(struct v20 *v20)
{
    char missing[SYMBOLS_TEXT_MAX] = "";
    for (size_t i = 0; i < v20->names.count; i++) {
        if (v20->present[i] ||
            strlen(missing) + strlen(v20->settings.symbols[i]) + 2 >= sizeof missing)
            continue;
        strcat(missing, " ");
        strcat(missing, v20->settings.symbols[i]);
    }
    if (missing[0] == '\0')
        return true;
    adapter_refuse(&v20->adapter, &v20->out,
                   "%s: has no%s (expected the venue's names, as EUR_USD)", v20->settings.name,
                   missing);
    return false;
}

static void take_instruments(struct v20 *v20, const struct v20_answer *answer)
{
    struct error error = {0};
    if (v20_read_instruments(answer->body, answer->length, v20->settings.symbols, v20->names.count,
                             v20->found, v20->present, &error) != 0) {
        retry(v20, error.text);
        return;
    }
    if (!all_present(v20))
        return;
    for (size_t i = 0; i < v20->names.count; i++)
        if (strcmp(v20->found[i].quote, v20->home) != 0)
            adapter_log(&v20->out, LOG_WARN,
                        "%s: profit in %s is booked as such; the account is in %s",
                        v20->settings.symbols[i], v20->found[i].quote, v20->home);
    next_step(v20, STEP_DONE);
}

void v20_discovery_answer(struct v20 *v20, const struct adapter_asked *asked,
                          const struct v20_answer *answer)
{
    char words[ADAPTER_NO_ANSWER_MAX];
    bool expected =
        asked->kind == (v20->step == STEP_ACCOUNT ? V20_ASK_ACCOUNT : V20_ASK_INSTRUMENTS);
    if (v20->adapter.state != ADAPTER_DISCOVERING || !expected)
        return;
    if (answer->status == 401 || answer->status == 403) {
        adapter_refuse(&v20->adapter, &v20->out, "%s: account or token are refused (HTTP %ld): %s",
                       v20->settings.name, answer->status, answer->error.text);
    } else if (answer->outcome == V20_DENIED && answer->status != 429 &&
               v20->step == STEP_INSTRUMENTS) {
        adapter_fail(&v20->adapter, &v20->out, "%s: the instruments are refused: %s",
                     v20->settings.name, answer->error.text);
    } else if (answer->outcome == V20_DENIED) {
        retry(v20, answer->error.text);
    } else if (answer->outcome != V20_GOOD) {
        adapter_no_answer(answer->failure, answer->status, words);
        retry(v20, words);
    } else if (v20->step == STEP_ACCOUNT) {
        take_account(v20, answer);
    } else {
        take_instruments(v20, answer);
    }
}
