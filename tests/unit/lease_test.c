/* The lease of an account: one holder a session and venue, all venues or none, and its end with its holder. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/lease.h"

TestSuite(lease, .timeout = 60);

static char folder[] = "/tmp/capstan-lease-XXXXXX";
static char tape[64], other_tape[64];
static const char *const both[] = {"binance_us", "coinbase"};

static void make_folder(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(tape, sizeof tape, "%s/one.tape", folder);
    snprintf(other_tape, sizeof other_tape, "%s/two.tape", folder);
}

static void remove_folder(void)
{
    char command[128];
    static const char *const names[] = {"mm1.binance_us", "mm1.coinbase", "mm2.binance_us"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(command, sizeof command, "%s/%s.lease", folder, names[i]);
        unlink(command);
    }
    rmdir(folder);
}

/* True where it was taken; else `holder` names who has it. */
static bool try(struct lease *lease, const char *path, const char *session, size_t first,
                size_t count, struct error *holder)
{
    struct error error = {0};
    const struct lease_options options = {
        .tape = path, .session = session, .venues = both + first, .venue_count = count};
    cr_assert_eq(lease_try(lease, &options, holder, &error), 0, "%s", error.text);
    cr_assert_eq(lease->count, lease->count ? count : 0);
    return lease->count > 0;
}

Test(lease, one_of_a_name_at_a_venue, .init = make_folder, .fini = remove_folder)
{
    struct lease first, second, other;
    struct error holder;
    cr_expect(try(&first, tape, "mm1", 0, 1, &holder));
    cr_expect(!try(&second, other_tape, "mm1", 0, 1, &holder), "another tape is no other account");
    cr_expect(strstr(holder.text, "mm1.binance_us.lease"), "%s", holder.text);
    char process[32];
    snprintf(process, sizeof process, "process %ld", (long)getpid());
    cr_expect(strstr(holder.text, process), "%s", holder.text);
    cr_expect(try(&other, tape, "mm2", 0, 1, &holder), "another name");
    lease_release(&first);
    cr_expect(try(&second, other_tape, "mm1", 0, 1, &holder));
    lease_release(&second);
    lease_release(&second);
    lease_release(&other);
}

Test(lease, all_venues_or_none, .init = make_folder, .fini = remove_folder)
{
    struct lease coinbase, all, binance;
    struct error holder;
    cr_expect(try(&coinbase, tape, "mm1", 1, 1, &holder));
    cr_expect(!try(&all, tape, "mm1", 0, 2, &holder));
    cr_expect(strstr(holder.text, "coinbase"), "%s", holder.text);
    cr_expect(try(&binance, tape, "mm1", 0, 1, &holder), "the other one was given back");
    lease_release(&binance);
    lease_release(&coinbase);
    cr_expect(try(&all, tape, "mm1", 0, 2, &holder));
    lease_release(&all);
}

Test(lease, the_kernel_gives_it_back, .init = make_folder, .fini = remove_folder)
{
    int ends[2];
    struct lease lease;
    struct error holder;
    char byte = 0;
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        byte = try(&lease, tape, "mm1", 0, 2, &holder) ? 'y' : 'n';
        _exit(write(ends[1], &byte, 1) == 1 ? pause() : 1);
    }
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    cr_expect(!try(&lease, tape, "mm1", 0, 1, &holder));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_expect(try(&lease, tape, "mm1", 0, 1, &holder));
    lease_release(&lease);
}

Test(lease, a_folder_that_is_not_there)
{
    struct lease lease;
    struct error holder, error = {0};
    const struct lease_options options = {.tape = "/tmp/capstan-no-such-folder/one.tape",
                                          .session = "mm1",
                                          .venues = both,
                                          .venue_count = 1};
    cr_expect_eq(lease_try(&lease, &options, &holder, &error), ERROR_SYSTEM);
    cr_expect(strstr(error.text, "mm1.binance_us.lease"), "%s", error.text);
    cr_expect_eq(lease.count, 0);
}
