/* See credentials.h. The file is read by a small reader of its own, into memory that is locked: a general
 * parser would leave copies of the secret on the heap. */
#include "config.h" /* POSIX and Linux names */

#include "venue/live/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#ifdef __APPLE__
#include <mach/vm_inherit.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX_BYTES = 4 * CREDENTIALS_TEXT_MAX, /* both texts with every byte escaped, and room */
    NAME_MAX_BYTES = 64 /* of a member, or of a variable of the environment */
};

/* --- memory ------------------------------------------------------------------------------------ */

/* Not dumped, and not handed to a child. */
static bool keep_private(void *memory, size_t size)
{
#ifdef MADV_DONTDUMP
    return madvise(memory, size, MADV_DONTDUMP) == 0 && madvise(memory, size, MADV_DONTFORK) == 0;
#else
    return minherit(memory, size, VM_INHERIT_NONE) ==
           0; /* a core is written by nobody unless asked for */
#endif
}

/* Zeroed pages that are not swapped, not dumped and not handed to a child. */
static void *locked_new(size_t size, struct error *error)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        error_set(error, ERROR_SYSTEM, "no memory for credentials");
        return NULL;
    }
    if (mlock(memory, size) != 0 || !keep_private(memory, size)) {
        error_set(error, ERROR_SYSTEM,
                  "memory for credentials can't be locked (%s): raise the limit on locked memory "
                  "(ulimit -l, LimitMEMLOCK=)",
                  strerror(errno));
        munmap(memory, size);
        return NULL;
    }
    return memory;
}

static void locked_free(void *memory, size_t size)
{
    if (!memory)
        return;
    explicit_bzero(memory, size);
    munmap(memory, size);
}

/* --- members of the file ----------------------------------------------------------------------- */

/* Names of the two texts, by venue; a venue that is not listed has the first row's. */
struct member_names {
    const char *venue;
    const char *key[3], *secret[2];
};

static const struct member_names all_names[] = {
    {NULL, {"key"}, {"secret"}},
    {"coinbase", {"key", "name", "id"}, {"secret", "privateKey"}},
    {"oanda", {"key", "account"}, {"secret", "token"}},
};

static const struct member_names *names_of(const char *venue)
{
    for (size_t i = 1; i < sizeof all_names / sizeof *all_names; i++)
        if (strcmp(all_names[i].venue, venue) == 0)
            return &all_names[i];
    return &all_names[0];
}

static bool is_one_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count && names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A place in the file's text. */
struct reader {
    const char *at, *end;
};

static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at != '\0')
        reader->at++;
}

static bool take_byte(struct reader *reader, char byte)
{
    skip_spaces(reader);
    if (reader->at == reader->end || *reader->at != byte)
        return false;
    reader->at++;
    return true;
}

static int hex_digit(char byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* The byte that an escape stands for, 0 where it is none; \u only for ASCII, which is all that keys are
 * made of. */
static char read_escape(struct reader *reader)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return 0;
    char letter = *reader->at++;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found)
        return bytes[found - letters];
    if (letter != 'u' || reader->end - reader->at < 4)
        return 0;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*reader->at++);
        if (digit < 0)
            return 0;
        value = value * 16 + digit;
    }
    return value < 0x80 ? (char)value : 0;
}

/* A text in quotes into `out`; with `out` NULL it is only passed over. */
static bool read_quoted(struct reader *reader, char *out, size_t capacity)
{
    size_t length = 0;
    if (!take_byte(reader, '"'))
        return false;
    while (reader->at < reader->end && *reader->at != '"') {
        char byte = *reader->at++;
        if (byte == '\\')
            byte = read_escape(reader);
        if (byte == '\0')
            return false;
        if (out) {
            if (length + 1 >= capacity)
                return false;
            out[length++] = byte;
        }
    }
    if (out)
        out[length] = '\0';
    return take_byte(reader, '"');
}

/* A number, true, false or null: nothing that we need. */
static bool skip_word(struct reader *reader)
{
    static const char letters[] = "+-.0123456789Eabcdefghijklmnopqrstuvwxyz";
    const char *first = reader->at;
    while (reader->at < reader->end && *reader->at && strchr(letters, *reader->at))
        reader->at++;
    return reader->at > first;
}

/* One "name": value of the object. */
static bool read_member(struct reader *reader, const struct member_names *names,
                        struct credentials *out)
{
    char name[NAME_MAX_BYTES];
    if (!read_quoted(reader, name, sizeof name) || !take_byte(reader, ':'))
        return false;
    skip_spaces(reader);
    if (is_one_of(names->key, 3, name))
        return read_quoted(reader, out->key, sizeof out->key);
    if (is_one_of(names->secret, 2, name))
        return read_quoted(reader, out->secret, sizeof out->secret);
    return reader->at < reader->end && *reader->at == '"' ? read_quoted(reader, NULL, 0)
                                                          : skip_word(reader);
}

static bool read_object(struct reader reader, const struct member_names *names,
                        struct credentials *out)
{
    if (!take_byte(&reader, '{'))
        return false;
    do
        if (!read_member(&reader, names, out))
            return false;
    while (take_byte(&reader, ','));
    bool closed = take_byte(&reader, '}');
    skip_spaces(&reader);
    return closed && reader.at == reader.end;
}

/* --- the file ---------------------------------------------------------------------------------- */

static int check_file(int file, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: expected a regular file", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: belongs to another user; expected a file of this user's or of root "
                         "(chown)",
                         path);
    if ((status.st_mode & 0177) != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: others may read or write it (mode %04o); expected 0600 or 0400 "
                         "(chmod 600)",
                         path, (unsigned)status.st_mode & 07777);
    if (status.st_size > FILE_MAX_BYTES)
        return error_set(error, ERROR_INPUT,
                         "%s: longer than %d bytes; expected a key and a secret", path,
                         FILE_MAX_BYTES);
    return 0;
}

static int read_bytes(int file, const char *path, char *out, size_t *length, struct error *error)
{
    *length = 0;
    while (*length < FILE_MAX_BYTES) {
        ssize_t got = read(file, out + *length, FILE_MAX_BYTES - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        *length += (size_t)got;
    }
    return 0;
}

static int read_file(int file, const char *path, const struct member_names *names,
                     struct credentials *out, struct error *error)
{
    size_t length;
    char *text = locked_new(FILE_MAX_BYTES, error);
    if (!text)
        return ERROR_SYSTEM;
    int code = read_bytes(file, path, text, &length, error);
    if (!code && !read_object((struct reader){text, text + length}, names, out))
        code = error_set(error, ERROR_INPUT,
                         "%s: expected one JSON object of texts with \"%s\" and \"%s\"", path,
                         names->key[0], names->secret[0]);
    locked_free(text, FILE_MAX_BYTES);
    return code;
}

static int load_file(const char *path, const struct member_names *names, struct credentials *out,
                     struct error *error)
{
    /* O_NONBLOCK: a pipe of that name must not make us wait. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    int code = check_file(file, path, error);
    if (!code)
        code = read_file(file, path, names, out, error);
    close(file);
    return code;
}

/* --- the environment --------------------------------------------------------------------------- */

static void variable_name(const char *venue, const char *what, char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "CAPSTAN_%s_%s", venue, what);
    for (char *at = out; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
}

/* Take a variable out of the environment: also out of the place where the system shows it. */
static int take_variable(const char *name, char *out, struct error *error)
{
    char *value = getenv(name);
    size_t length = value ? strlen(value) : 0;
    if (!value)
        return error_set(error, ERROR_INPUT, "%s is not set", name);
    bool fits = length < CREDENTIALS_TEXT_MAX;
    if (fits)
        memcpy(out, value, length + 1);
    explicit_bzero(value, length);
    unsetenv(name);
    return fits ? 0
                : error_set(error, ERROR_INPUT, "%s: longer than %d bytes", name,
                            CREDENTIALS_TEXT_MAX - 1);
}

static int load_environment(const char *venue, char key[NAME_MAX_BYTES],
                            char secret[NAME_MAX_BYTES], struct credentials *out,
                            struct error *error)
{
    variable_name(venue, "KEY", key);
    variable_name(venue, "SECRET", secret);
    if (!getenv(key) && !getenv(secret))
        return error_set(error, ERROR_INPUT,
                         "no credentials for %s: expected a file (live.credentials), a credential "
                         "of the service named %s, or %s and %s in the environment",
                         venue, venue, key, secret);
    int code = take_variable(key, out->key, error);
    int other = take_variable(secret, out->secret, code ? NULL : error);
    return code ? code : other;
}

/* --- checks ------------------------------------------------------------------------------------ */

/* What stands in examples instead of a key. */
static bool is_placeholder(const char *text)
{
    size_t length = strlen(text);
    return length == 0 || strcasecmp(text, "changeme") == 0 || strncasecmp(text, "your-", 5) == 0 ||
           strncasecmp(text, "your_", 5) == 0 || (text[0] == '<' && text[length - 1] == '>');
}

/* A key goes into a header: printable ASCII. A secret may be a PEM text of several lines. */
static bool is_plain(const char *text, bool lines)
{
    for (const char *at = text; *at; at++)
        if ((*at < ' ' || *at > '~') && !(lines && (*at == '\n' || *at == '\r')))
            return false;
    return true;
}

static int check(const char *where, const char *what, const char *text, bool lines,
                 struct error *error)
{
    if (is_placeholder(text))
        return error_set(error, ERROR_INPUT,
                         "%s: the %s is missing or a placeholder; expected the venue's own", where,
                         what);
    if (!is_plain(text, lines))
        return error_set(error, ERROR_INPUT, "%s: the %s has bytes that no %s has", where, what,
                         what);
    return 0;
}

/* --- loading ----------------------------------------------------------------------------------- */

/* The file that the service manager hands over, where there is one. */
static bool service_file(const char *venue, char out[PATH_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder || snprintf(out, PATH_MAX, "%s/%s", folder, venue) >= PATH_MAX)
        return false;
    return access(out, F_OK) == 0;
}

int credentials_load(struct credentials **credentials, const char *venue, const char *path,
                     const char **warning, struct error *error)
{
    char service[PATH_MAX], key[NAME_MAX_BYTES], secret[NAME_MAX_BYTES];
    const char *of_key = path ? path : service, *of_secret = of_key;
    *credentials = NULL;
    *warning = NULL;
    struct credentials *out = locked_new(sizeof *out, error);
    if (!out)
        return ERROR_SYSTEM;
    int code;
    if (path || service_file(venue, service)) {
        code = load_file(of_key, names_of(venue), out, error);
    } else {
        of_key = key;
        of_secret = secret;
        code = load_environment(venue, key, secret, out, error);
        *warning = code ? NULL
                        : "credentials are taken from the environment, which other processes of "
                          "this user may have seen; a file or the service manager's credentials "
                          "are safer";
    }
    if (!code)
        code = check(of_key, "key", out->key, false, error);
    if (!code)
        code = check(of_secret, "secret", out->secret, true, error);
    if (code)
        credentials_free(&out);
    *credentials = out;
    return code;
}

void credentials_free(struct credentials **credentials)
{
    locked_free(*credentials, sizeof **credentials);
    *credentials = NULL;
}
