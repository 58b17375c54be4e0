/* A folder of its own for each test of a chain of tapes, and the tapes in it. */
#ifndef CAPSTAN_TESTS_UNIT_CHAIN_FOLDER_H
#define CAPSTAN_TESTS_UNIT_CHAIN_FOLDER_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/rotation.h"

enum { PATH_BYTES = 128, TAPES_MAX = 40 };

static struct error error;
static char folder[PATH_BYTES], base[2 * PATH_BYTES]; /* base: of the chain's first tape */

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "chain_folder.%ld", (long)getpid());
    snprintf(base, sizeof base, "%s/session.tape", folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
}

static void remove_folder(void)
{
    char path[2 * PATH_BYTES + 256];
    DIR *all = opendir(folder);
    for (const struct dirent *entry; all && (entry = readdir(all)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (all)
        closedir(all);
    rmdir(folder);
}

/* Stays where it is until the test ends. */
static const char *path_of(uint64_t number)
{
    static char paths[TAPES_MAX][ROTATION_PATH_BYTES];
    cr_assert_lt(number, TAPES_MAX);
    cr_assert_eq(rotation_path(base, number, paths[number], &error), 0, "%s", error.text);
    return paths[number];
}

static uint64_t newest(void)
{
    uint64_t number;
    cr_assert_eq(rotation_newest(base, &number, &error), 0, "%s", error.text);
    return number;
}

#endif
