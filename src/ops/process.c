/* Figures of the process, from /proc; what can't be read there has no sample. */
#include "config.h" /* POSIX names */

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ops/metrics.h"

enum { FILE_BYTES = 8192 };

void ops_text_put(struct json *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        json_append(text, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static bool read_file(const char *path, char out[FILE_BYTES])
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(out, 1, FILE_BYTES - 1, file);
    out[length] = '\0';
    fclose(file);
    return length > 0;
}

static bool read_cpu(double *out)
{
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
        return false;
    *out = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    return true;
}

/* Pages in all, and resident. */
static bool read_memory(bool resident, double *out)
{
    char text[FILE_BYTES];
    unsigned long all, here;
    if (!read_file("/proc/self/statm", text) || sscanf(text, "%lu %lu", &all, &here) != 2)
        return false;
    *out = (double)(resident ? here : all) * (double)sysconf(_SC_PAGESIZE);
    return true;
}

static bool read_resident(double *out)
{
    return read_memory(true, out);
}

static bool read_virtual(double *out)
{
    return read_memory(false, out);
}

#ifdef CLOCK_BOOTTIME
/* When the system began, by the difference of two clocks: /proc/stat, which tells it, is hidden from a service whose
 * unit says ProcSubset=pid. */
static bool read_boot(double *out)
{
    struct timespec now, up;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return false;
    *out = (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9;
    return true;
}

/* The 22nd field of stat, in clock ticks since the system began. Asked once: the wall clock is moved now and then, and
 * a start that moves would look like a restart. One thread writes metrics. */
static bool read_start(double *out)
{
    static double start;
    char text[FILE_BYTES];
    unsigned long long ticks;
    double boot;
    if (start > 0) {
        *out = start;
        return true;
    }
    if (!read_file("/proc/self/stat", text))
        return false;
    const char *rest = strrchr(text, ')');
    if (!rest ||
        sscanf(rest + 2,
               "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &ticks) != 1 ||
        !read_boot(&boot))
        return false;
    start = boot + (double)ticks / (double)sysconf(_SC_CLK_TCK);
    *out = start;
    return true;
}
#else
static bool read_start(double *out)
{
    (void)out;
    return false;
}
#endif

static bool read_open_files(double *out)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return false;
    double count = -3; /* itself, and two names that are no files */
    while (readdir(folder))
        count++;
    closedir(folder);
    *out = count;
    return true;
}

static bool read_most_files(double *out)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    *out = (double)limit.rlim_cur;
    return true;
}

/* Of IPv4: a figure of the line pair "IpExt: NAME…" and "IpExt: VALUE…". */
static bool read_octets_4(const char *name, double *out)
{
    char text[FILE_BYTES], *names_rest, *values_rest;
    if (!read_file("/proc/self/net/netstat", text))
        return false;
    char *names = strstr(text, "IpExt:");
    char *values = names ? strstr(names + 1, "IpExt:") : NULL;
    if (!values)
        return false;
    values[-1] = '\0';
    values[strcspn(values, "\n")] = '\0';
    char *word = strtok_r(names, " \n", &names_rest), *value = strtok_r(values, " ", &values_rest);
    for (; word && value;
         word = strtok_r(NULL, " \n", &names_rest), value = strtok_r(NULL, " ", &values_rest))
        if (strcmp(word, name) == 0) {
            *out = strtod(value, NULL);
            return true;
        }
    return false;
}

/* A figure of the lines "NAME VALUE"; 0 where the system has no IPv6. */
static double read_octets_6(const char *name)
{
    char text[FILE_BYTES], *rest;
    if (!read_file("/proc/self/net/snmp6", text))
        return 0;
    for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        if (strcmp(word, name) == 0)
            return strtod(rest, NULL);
    return 0;
}

static bool read_octets(const char *name_4, const char *name_6, double *out)
{
    if (!read_octets_4(name_4, out))
        return false;
    *out += read_octets_6(name_6);
    return true;
}

static bool read_received(double *out)
{
    return read_octets("InOctets", "Ip6InOctets", out);
}

static bool read_sent(double *out)
{
    return read_octets("OutOctets", "Ip6OutOctets", out);
}

void ops_process_write(struct json *text)
{
    double value;
#define P(id, type, name, help)                                                                    \
    ops_text_put(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, #type);                   \
    if (read_##id(&value))                                                                         \
        ops_text_put(text, "%s %.17g\n", name, value);
    OPS_PROCESS_METRICS(P)
#undef P
}
