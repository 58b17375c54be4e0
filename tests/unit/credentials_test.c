/* Where credentials are read from, what is refused, and client order ids both ways. */
#include "config.h" /* POSIX names */

#include "venue/live/credentials.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "venue/live/adapter.h"

static struct credentials *credentials;
static const char *warning;
static struct error error;
static char folder[64], path[96];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/capstan-credentials-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/binance_us", folder);
    unsetenv("CREDENTIALS_DIRECTORY");
    unsetenv("CAPSTAN_BINANCE_US_KEY");
    unsetenv("CAPSTAN_BINANCE_US_SECRET");
}

static void remove_folder(void)
{
    credentials_free(&credentials);
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(path, mode), 0);
}

static int load(const char *venue, const char *from)
{
    error.text[0] = '\0';
    credentials_free(&credentials);
    return credentials_load(&credentials, venue, from, &warning, &error);
}

static void expect_refused(const char *why)
{
    cr_expect_eq(load("binance_us", path), ERROR_INPUT, "%s", why);
    cr_expect_null(credentials);
    cr_expect(strstr(error.text, why), "%s: %s", why, error.text);
    cr_expect_null(strstr(error.text, "hush"), "the secret is told: %s", error.text);
}

TestSuite(credentials, .init = make_folder, .fini = remove_folder);

Test(credentials, a_file_that_only_we_can_read)
{
    write_file(" {\"comment\": \"mine \\u0041\", \"n\": -1.5e3, \"key\":\"abcKEY\", \"x\": null,\n"
               "\"secret\":\"hu\\\"sh\\u0031\\\\\"}\n",
               0600);
    cr_assert_eq(load("binance_us", path), 0, "%s", error.text);
    cr_expect_str_eq(credentials->key, "abcKEY");
    cr_expect_str_eq(credentials->secret, "hu\"sh1\\");
    cr_expect_null(warning);
    cr_assert_eq(chmod(path, 0400), 0);
    cr_expect_eq(load("binance_us", path), 0);
}

Test(credentials, modes_that_are_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0660, 0666, 0700, 0610};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        write_file("{\"key\":\"abc\",\"secret\":\"hush\"}", modes[i]);
        expect_refused("chmod 600");
    }
}

Test(credentials, only_a_regular_file)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refused("expected a regular file");
}

Test(credentials, another_user_s_file_is_refused)
{
    if (geteuid() != 0)
        cr_skip_test("only root can give a file away");
    write_file("{\"key\":\"abc\",\"secret\":\"hush\"}", 0600);
    cr_assert_eq(chown(path, 12345, 12345), 0);
    expect_refused("belongs to another user");
}

Test(credentials, what_is_no_pair_of_texts)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"key\":\"abc\",\"secret\":\"hush\"",
        "{\"key\":\"abc\" \"secret\":\"hush\"}",
        "{\"key\":\"abc\",\"secret\":\"hush\"} x",
        "{\"key\":1,\"secret\":\"hush\"}",
        "{\"key\":{\"a\":\"b\"},\"secret\":\"hush\"}",
        "{\"x\":{\"a\":\"b\"},\"key\":\"abc\",\"secret\":\"hush\"}",
        "{\"key\":\"ab\\u00e9\",\"secret\":\"hush\"}",
        "{\"key\":\"ab\\q\",\"secret\":\"hush\"}",
        "{\"key\":\"ab\\u0000\",\"secret\":\"hush\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(texts[i], 0600);
        expect_refused("expected one JSON object of texts");
    }
}

Test(credentials, placeholders_are_refused)
{
    static const char *const keys[] = {"",         "changeme", "ChangeMe", "<key>",
                                       "your-key", "YOUR_KEY", "your-"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"key\":\"%s\",\"secret\":\"hush\"}", keys[i]);
        write_file(text, 0600);
        expect_refused("the key is missing or a placeholder");
    }
    write_file("{\"key\":\"abc\"}", 0600);
    expect_refused("the secret is missing");
    write_file("{\"key\":\"a\\nb: c\",\"secret\":\"hush\"}", 0600);
    expect_refused("the key has bytes that no key has");
}

Test(credentials, a_file_that_is_too_long)
{
    char text[3 * CREDENTIALS_TEXT_MAX];
    memset(text, 'a', sizeof text);
    memcpy(text, "{\"secret\":\"hush\",\"key\":\"", 24);
    memcpy(text + CREDENTIALS_TEXT_MAX + 40, "\"}", 3);
    write_file(text, 0600);
    expect_refused("expected one JSON object of texts");
}

Test(credentials, names_by_venue)
{
    write_file("{\"name\":\"organizations/1/apiKeys/2\",\"privateKey\":\"-----BEGIN\\nA\\n\"}",
               0600);
    cr_assert_eq(load("coinbase", path), 0, "%s", error.text);
    cr_expect_str_eq(credentials->key, "organizations/1/apiKeys/2");
    cr_expect_str_eq(credentials->secret, "-----BEGIN\nA\n");
    expect_refused("the key is missing");
    write_file("{\"account\":\"101-001-1\",\"token\":\"t\"}", 0600);
    cr_assert_eq(load("oanda", path), 0, "%s", error.text);
    cr_expect_str_eq(credentials->key, "101-001-1");
    cr_expect_str_eq(credentials->secret, "t");
    write_file("{\"id\":\"x\",\"privateKey\":\"y\"}", 0600);
    cr_expect_eq(load("coinbase", path), 0, "%s", error.text);
}

Test(credentials, the_service_manager_s_folder)
{
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    write_file("{\"key\":\"abc\",\"secret\":\"hush\"}", 0400);
    setenv("CAPSTAN_BINANCE_US_KEY", "other", 1);
    cr_assert_eq(load("binance_us", NULL), 0, "%s", error.text);
    cr_expect_str_eq(credentials->key, "abc");
    cr_expect_null(warning);
}

Test(credentials, the_environment_is_emptied)
{
    setenv("CAPSTAN_BINANCE_US_KEY", "envkey", 1);
    setenv("CAPSTAN_BINANCE_US_SECRET", "hush", 1);
    const char *place = getenv("CAPSTAN_BINANCE_US_SECRET");
    cr_assert_eq(load("binance_us", NULL), 0, "%s", error.text);
    cr_expect_str_eq(credentials->key, "envkey");
    cr_expect_str_eq(credentials->secret, "hush");
    cr_assert_not_null(warning);
    cr_expect(strstr(warning, "environment"));
    cr_expect_null(getenv("CAPSTAN_BINANCE_US_KEY"));
    cr_expect_null(getenv("CAPSTAN_BINANCE_US_SECRET"));
    cr_expect_eq(place[0], '\0', "the value still stands where the system shows it");
    cr_expect_eq(load("binance_us", NULL), ERROR_INPUT);
    cr_expect(strstr(error.text, "CAPSTAN_BINANCE_US_KEY"));
    setenv("CAPSTAN_BINANCE_US_KEY", "envkey", 1);
    cr_expect_eq(load("binance_us", NULL), ERROR_INPUT);
    cr_expect(strstr(error.text, "CAPSTAN_BINANCE_US_SECRET is not set"));
}

Test(credentials, placeholders_of_the_environment_are_named)
{
    setenv("CAPSTAN_BINANCE_US_KEY", "changeme", 1);
    setenv("CAPSTAN_BINANCE_US_SECRET", "hush", 1);
    cr_expect_eq(load("binance_us", NULL), ERROR_INPUT);
    cr_expect(strstr(error.text, "CAPSTAN_BINANCE_US_KEY: the key is missing or a placeholder"),
              "%s", error.text);
    setenv("CAPSTAN_BINANCE_US_KEY", "envkey", 1);
    setenv("CAPSTAN_BINANCE_US_SECRET", "<secret>", 1);
    cr_expect_eq(load("binance_us", NULL), ERROR_INPUT);
    cr_expect(strstr(error.text, "CAPSTAN_BINANCE_US_SECRET: the secret is missing"), "%s",
              error.text);
}

/* The address sanitizer makes mlock do nothing. */
#if defined __has_feature
#if __has_feature(address_sanitizer)
#define LOCKS_NOTHING
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define LOCKS_NOTHING
#endif

/* The flags of the mapping that holds them, as the system tells them. */
static bool mapping_has(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512], wanted[8];
    bool inside = false, found = false;
    snprintf(wanted, sizeof wanted, " %s", flag);
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long first, last;
        if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
            inside = (unsigned long)address >= first && (unsigned long)address < last;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, wanted) != NULL;
    }
    if (maps)
        fclose(maps);
    return found;
}

Test(credentials, memory_is_locked_and_not_dumped)
{
    if (access("/proc/self/smaps", R_OK) != 0)
        cr_skip_test("no /proc/self/smaps here");
    write_file("{\"key\":\"abc\",\"secret\":\"hush\"}", 0600);
    cr_assert_eq(load("binance_us", path), 0, "%s", error.text);
#ifndef LOCKS_NOTHING
    cr_expect(mapping_has(credentials, "lo"), "not locked");
#endif
    cr_expect(mapping_has(credentials, "dd"), "dumped");
    cr_expect(mapping_has(credentials, "dc"), "copied to a child");
}

/* --- client order ids -------------------------------------------------------------------------------- */

Test(order_name, there_and_back)
{
    static const order_id orders[] = {
        1, 17, UINT32_MAX, UINT64_C(3) << 32 | 17, UINT64_C(1) << 32 | 1, UINT64_MAX};
    static const char *const sessions[] = {"m", "mm1", "abcdefgh", "0"};
    char name[ADAPTER_ORDER_NAME_MAX];
    for (size_t s = 0; s < sizeof sessions / sizeof *sessions; s++) {
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
            adapter_order_name(sessions[s], orders[i], name);
            cr_expect_eq(adapter_order_of(sessions[s], name, strlen(name)), orders[i], "%s", name);
            cr_expect_leq(strlen(name), 30);
        }
    }
    adapter_order_name("mm1", UINT64_C(3) << 32 | 17, name);
    cr_expect_str_eq(name, "mm1-3-17");
}

Test(order_name, what_is_none_of_ours)
{
    static const char *const names[] = {
        "",
        "mm1",
        "mm1-",
        "mm1-3",
        "mm1-3-",
        "mm1--17",
        "mm1-3-0",
        "mm1-03-17",
        "mm1-3-017",
        "mm1-3-17 ",
        "mm1-3-17x",
        "mm1-3-17-1",
        "mm2-3-17",
        "mm11-3-17",
        "m-3-17",
        "mm1-x-17",
        "mm1-3--17",
        "mm1-+3-17",
        "MM1-3-17",
        "mm1_3_17",
        "mm1-4294967296-1",
        "mm1-1-4294967296",
        "web_1234",
        "mm1-3-1.7",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_eq(adapter_order_of("mm1", names[i], strlen(names[i])), 0, "%s", names[i]);
    cr_expect_eq(adapter_order_of("mm1", "mm1-0-17", 8), 17);
    cr_expect_eq(adapter_order_of("mm1", "mm1-0-17", 7), 1, "only so many bytes count");
}
