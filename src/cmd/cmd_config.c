/* Configuration from -c, the environment and --set, in that order. See cmd/cmd.h. */
#include "cmd/cmd.h"

extern char **environ;

int cmd_load_config(const struct cmd_config_options *options, struct config **config,
                    struct error *error)
{
    struct config *loaded = NULL;
    int status = config_create(&loaded, error);
    if (status == ERROR_NONE && options->file != NULL)
        status = config_read_file(loaded, options->file, error);
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
