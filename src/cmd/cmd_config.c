/* Configuration from each -c, the environment and --set, in that order, and --without-gate. See cmd/cmd.h. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "event/event.h"

extern char **environ;

int cmd_load_config(const struct cmd_config_options *options, struct config **config,
                    struct error *error)
{
    struct config *loaded = NULL;
    int status = config_create(&loaded, error);
    for (size_t i = 0; status == ERROR_NONE && i < options->files.count; i++)
        status = config_read_file(loaded, options->files.items[i], error);
    if (status == ERROR_NONE)
        status = config_read_environment(loaded, environ, error);
    for (size_t i = 0; status == ERROR_NONE && i < options->settings.count; i++)
        status = config_set(loaded, options->settings.items[i], error);
    if (status != ERROR_NONE) {
        config_free(&loaded);
        return status;
    }
    *config = loaded;
    return ERROR_NONE;
}

static void warn(void *context, const char *line)
{
    fprintf(stderr, "capstan %s: warning: %s\n", (const char *)context, line);
}

int cmd_check_config(const char *command, const struct config *config, struct error *error)
{
    char name[32];
    snprintf(name, sizeof name, "%s", command);
    return config_check(config, &(struct config_warner){warn, name}, error);
}

void cmd_config_options_free(struct cmd_config_options *options)
{
    cmd_list_free(&options->files);
    cmd_list_free(&options->settings);
}

int cmd_check_config_output(const char *option, const char *output,
                            const struct cmd_config_options *options, const char *other,
                            struct error *error)
{
    int status = cmd_check_output(option, output, &other, 1, error);
    if (status == ERROR_NONE)
        status =
            cmd_check_output(option, output, options->files.items, options->files.count, error);
    return status;
}

bool cmd_gate(const char *command, const char *name, uint32_t *bit)
{
    *bit = 0;
    if (name == NULL)
        return true;
    int gate = event_enum_value(FIELD_GATE, name, strlen(name));
    if (gate < 0) {
        cmd_fail_with(command, ERROR_INPUT,
                      "--without-gate=%s: there is no such gate; docs/gates.md lists them", name);
        return false;
    }
    *bit = UINT32_C(1) << gate;
    return true;
}
