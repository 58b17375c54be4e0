/* capstan simulate: seeds past the engine, on several processes. */
#include "config.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/scenario.h"
#include "simulate/simulate.h"

enum { JOBS_MAX = 64, EVENTS_MAX = 1000000, REPEAT_EVERY = 32, PATH_BYTES = 1024 };

static const char name[] = "simulate";

struct simulate_command {
    int64_t seed, seeds, events, jobs;
    const char *output, *write, *gate;
    bool counts, plain, goes_on, complete;
    struct simulate_options options;
};

/* What one process does, where its parent sees it. */
struct job {
    struct simulate_counts counts;
    struct simulate_failure failure;
    uint64_t failed_seed; /* where failure.invariant is not 0 */
    uint64_t failures;    /* seeds that failed, where the others run all the same */
    uint64_t seed;        /* that runs now */
    int code;             /* of `error` */
    struct error error;
};

struct board {
    _Atomic uint64_t next;   /* seeds taken */
    _Atomic uint64_t done;   /* seeds run */
    _Atomic uint64_t lowest; /* seed that failed; later ones need not run */
    struct job jobs[JOBS_MAX];
};

/* --- in the child ----------------------------------------------------------------------------------- */

static void report(struct board *board, struct job *job, uint64_t seed)
{
    uint64_t lowest = atomic_load(&board->lowest);
    job->failed_seed = seed;
    while (seed < lowest && !atomic_compare_exchange_weak(&board->lowest, &lowest, seed))
        continue;
}

static void run_job(const struct simulate_command *command, struct board *board, struct job *job)
{
    struct simulation *simulation = NULL;
    job->code = simulate_open(&simulation, &command->options, &job->error);
    while (!job->code) {
        uint64_t at = atomic_fetch_add(&board->next, 1);
        job->seed = (uint64_t)command->seed + at;
        if (at >= (uint64_t)command->seeds || job->seed > atomic_load(&board->lowest))
            break;
        bool twice = command->seeds == 1 || job->seed % REPEAT_EVERY == 0;
        job->code =
            simulate_seed(simulation, job->seed, twice, &job->counts, &job->failure, &job->error);
        atomic_fetch_add(&board->done, 1);
        if (!job->code && job->failure.invariant != 0 && command->goes_on) {
            job->failures++;
            fprintf(stderr, "capstan simulate: seed %" PRIu64 " breaks invariant %u: %s\n",
                    job->seed, job->failure.invariant, job->failure.what);
            continue;
        }
        if (job->code || job->failure.invariant != 0)
            report(board, job, job->seed);
        if (job->failure.invariant != 0)
            break;
    }
    simulate_close(&simulation);
}

/* --- in the parent ------------------------------------------------------------------------------------ */

static int start_jobs(const struct simulate_command *command, struct board *board, pid_t *children,
                      struct error *error)
{
    fflush(NULL);
    for (int64_t i = 0; i < command->jobs; i++) {
        children[i] = fork();
        if (children[i] < 0)
            return error_set(error, ERROR_SYSTEM, "no new process: %s", strerror(errno));
        if (children[i] == 0) {
            run_job(command, board, &board->jobs[i]);
            _exit(0);
        }
    }
    return 0;
}

/* A process that ended otherwise than by its own will: its seed is the failure. */
static void take_crash(struct board *board, struct job *job, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    job->failure = (struct simulate_failure){.invariant = UINT32_MAX};
    snprintf(job->failure.what, sizeof job->failure.what, "the program stopped (signal %d)",
             WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    report(board, job, job->seed);
}

static void wait_for_jobs(const struct simulate_command *command, struct board *board,
                          const pid_t *children)
{
    struct cmd_progress progress;
    int64_t running = command->jobs;
    cmd_progress_start(&progress, name);
    for (int64_t i = 0; i < command->jobs; i++)
        running -= children[i] <= 0;
    while (running > 0) {
        int status;
        pid_t child = waitpid(-1, &status, WNOHANG);
        for (int64_t i = 0; child > 0 && i < command->jobs; i++)
            if (children[i] == child)
                take_crash(board, &board->jobs[i], status);
        running -= child > 0;
        if (child < 0)
            break;
        if (child == 0)
            usleep(20000);
        uint64_t done = atomic_load(&board->done);
        cmd_progress_show(&progress, done, done, (uint64_t)command->seeds);
    }
    cmd_progress_end(&progress);
}

/* --- results ------------------------------------------------------------------------------------------- */

static void print_line(const struct simulate_counts *counts, uint64_t failures)
{
    printf("%" PRIu64 " seeds, %" PRIu64 " events, %" PRIu64 " messages, %" PRIu64
           " orders, %" PRIu64 " fills; faults:",
           counts->seeds, counts->events, counts->messages, counts->placed, counts->fills);
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
        printf(" %s %" PRIu64, fault_word((enum fault_kind)kind), counts->faults[kind]);
    printf("; gates:");
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        printf(" %s %" PRIu64, event_enum_text(FIELD_GATE, gate), counts->gates[gate]);
    printf("; invariants: %" PRIu64 " checks, %" PRIu64 " violations\n", counts->checks, failures);
}

static void print_counts(const struct simulate_counts *counts)
{
    printf("decisions %" PRIu64 ", cancels %" PRIu64 ", modifies %" PRIu64
           ", seeds run again %" PRIu64 ", shutdowns %" PRIu64 " (%" PRIu64 " by force, %" PRIu64
           " orders unconfirmed), restarts %" PRIu64 ", rotations %" PRIu64 ", adoptions %" PRIu64
           ", tables full %" PRIu64 "\nbreakers:",
           counts->decisions, counts->cancelled, counts->modified, counts->repeated,
           counts->shutdowns, counts->forced, counts->unconfirmed, counts->restarts,
           counts->rotations, counts->adoptions, counts->full);
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++)
        printf(" %s %" PRIu64, event_enum_text(FIELD_BREAKER, breaker), counts->breakers[breaker]);
    printf("\norder table (state, event, how often):\n");
    for (unsigned state = 0; state < ORDER_STATE_COUNT; state++)
        for (unsigned event = 0; event < ORDER_EVENT_COUNT; event++) {
            struct order_transition row =
                order_transition((enum order_state)state, (enum order_event)event);
            if (row.effect != EFFECT_SURPRISE || counts->order_events[state][event] > 0)
                printf("%-15s %-16s %" PRIu64 "%s\n", order_state_name((enum order_state)state),
                       simulate_event_name((enum order_event)event),
                       counts->order_events[state][event],
                       row.effect == EFFECT_SURPRISE ? " (a surprise)" : "");
        }
}

/* The scenario that was written must fail in the same way. */
static const char *reproduces(const struct simulate_command *command, const char *path,
                              const struct simulate_failure *failure)
{
    char wanted[64];
    struct error error = {0};
    const struct scenario_options options = {.gates_off = command->options.gates_off};
    if (!failure->by_messages)
        return "it needs the venue itself, so the scenario only shows the way there";
    if (failure->invariant == 11) /* the scenario tries a restart after each of its messages */
        snprintf(wanted, sizeof wanted, "a restart: ");
    else
        snprintf(wanted, sizeof wanted, "invariant %u is violated", failure->invariant);
    return scenario_run(path, &options, &error) == ERROR_DIFFERENT && strstr(error.text, wanted)
               ? "it fails in the same way"
               : "but it does not fail in the same way";
}

static int tell_failure(const struct simulate_command *command, const struct job *job)
{
    const struct simulate_failure *failure = &job->failure;
    struct simulation *simulation = NULL;
    struct error error = {0};
    char path[PATH_BYTES];
    size_t left = 0;
    if (failure->invariant == UINT32_MAX)
        return cmd_fail_with(name, ERROR_DIFFERENT, "seed %" PRIu64 ": %s", job->failed_seed,
                             failure->what);
    if (command->plain)
        return cmd_fail_with(name, ERROR_DIFFERENT, "seed %" PRIu64 " breaks invariant %u: %s",
                             job->failed_seed, failure->invariant, failure->what);
    snprintf(path, sizeof path, "%s/seed_%" PRIu64 ".scn", command->output, job->failed_seed);
    int code = simulate_open(&simulation, &command->options, &error);
    if (!code)
        code = simulate_shrink(simulation, job->failed_seed, path, failure, &left, &error);
    simulate_close(&simulation);
    if (code)
        return cmd_fail_with(name, ERROR_DIFFERENT,
                             "seed %" PRIu64 " breaks invariant %u: %s; no scenario: %s",
                             job->failed_seed, failure->invariant, failure->what, error.text);
    return cmd_fail_with(name, ERROR_DIFFERENT,
                         "seed %" PRIu64 " breaks invariant %u: %s; after %" PRIu64
                         " messages, shrunk to %zu in %s (%s)",
                         job->failed_seed, failure->invariant, failure->what, failure->messages,
                         left, path, reproduces(command, path, failure));
}

static int tell(const struct simulate_command *command, const struct board *board)
{
    struct simulate_counts sum;
    uint64_t lowest = atomic_load(&board->lowest), failures = 0;
    memset(&sum, 0, sizeof sum);
    for (int64_t i = 0; i < command->jobs; i++) {
        const struct job *job = &board->jobs[i];
        if (job->failed_seed == lowest && job->failure.invariant != 0)
            return tell_failure(command, job);
        if (job->code && (job->failed_seed == lowest || lowest == UINT64_MAX)) {
            struct error error = job->error;
            error_prefix(&error, "seed %" PRIu64, job->failed_seed);
            return cmd_fail(name, &error);
        }
        simulate_counts_add(&sum, &job->counts);
        failures += job->failures;
    }
    print_line(&sum, failures);
    if (command->counts)
        print_counts(&sum);
    unsigned missing = command->complete ? simulate_print_missing(&sum) : 0;
    return failures > 0 || missing > 0 ? ERROR_DIFFERENT : ERROR_NONE;
}

static int run_all(const struct simulate_command *command, struct error *error)
{
    pid_t children[JOBS_MAX] = {0};
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return error_set(error, ERROR_SYSTEM, "no memory to share: %s", strerror(errno));
    atomic_store(&board->lowest, UINT64_MAX);
    int code = start_jobs(command, board, children, error);
    wait_for_jobs(command, board, children);
    int status = code ? cmd_fail(name, error) : tell(command, board);
    munmap(board, sizeof *board);
    return status;
}

static int write_seed(const struct simulate_command *command, struct error *error)
{
    char tape[PATH_BYTES], config[PATH_BYTES];
    struct simulation *simulation = NULL;
    snprintf(tape, sizeof tape, "%s/seed_%" PRId64 ".tape", command->write, command->seed);
    snprintf(config, sizeof config, "%s/seed_%" PRId64 ".yaml", command->write, command->seed);
    int code = simulate_open(&simulation, &command->options, error);
    if (!code)
        code = simulate_write(simulation, (uint64_t)command->seed, tape, config, error);
    simulate_close(&simulation);
    if (code)
        return cmd_fail(name, error);
    printf("%s\n%s\n", tape, config);
    return ERROR_NONE;
}

int cmd_simulate(int argc, char **argv)
{
    struct simulate_command command = {
        .seed = 1, .seeds = 1, .events = 10000, .jobs = 1, .output = "."};
    const struct cmd_option table[] = {
        CMD_COUNT("seed", 0, 0, INT64_MAX / 2, "the first seed (default 1)", &command.seed),
        CMD_COUNT("seeds", 0, 1, INT64_MAX / 2, "how many seeds (default 1)", &command.seeds),
        CMD_COUNT("events", 0, 10, EVENTS_MAX, "market messages of each seed (default 10000)",
                  &command.events),
        CMD_COUNT("jobs", 0, 1, JOBS_MAX, "processes that share the seeds (default 1)",
                  &command.jobs),
        CMD_FLAG("counts", 0, "print how often each row of the order table was used",
                 &command.counts),
        CMD_FLAG("no-scenario", 0, "only name a failing seed, without shrinking it",
                 &command.plain),
        CMD_FLAG("all", 0, "run every seed, also after one that failed, and only name those",
                 &command.goes_on),
        CMD_FLAG(
            "complete", 0,
            "fail where a fault, a restart, an adoption, a gate or a row of the order table never "
            "happened",
            &command.complete),
        CMD_TEXT("output", 'o', "FOLDER", "where the scenario of a failing seed goes (default .)",
                 &command.output),
        CMD_TEXT("write", 0, "FOLDER", "run nothing: write the seed's market and settings there",
                 &command.write),
        CMD_TEXT("without-gate", 0, "NAME",
                 "for tests: that gate never blocks; shows that it is needed (docs/gates.md)",
                 &command.gate),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "--seed N [--seeds COUNT] [--events M]",
        .opening =
            "Make a market, settings, a bad connection and restarts from a seed, run the engine "
            "through\n"
            "them against the simulated venue, and check every invariant after every message.\n",
        .closing = "A seed that breaks an invariant is shrunk to a scenario that breaks it too.\n"
                   "Exit status: 0 all held, 1 a seed broke an invariant, 2 bad input.\n\n"
                   "Example:\n  capstan simulate --seed 1 --seeds 1000 --events 10000 --jobs 2\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (!cmd_gate(name, command.gate, &command.options.gates_off))
        return ERROR_INPUT;
    command.options.events = (uint64_t)command.events;
    return command.write ? write_seed(&command, &error) : run_all(&command, &error);
}
