/* Folds along while another engine lives, as a process that starts after its death would fold the tape. */
#include "replay/successor.h"

#include "replay/scenario_tape.h"

int successor_open(struct successor *successor, const struct scenario *scenario,
                   const char *defaults, uint32_t gates_off, struct error *error)
{
    if (scenario->restart_epoch == 0)
        return 0;
    successor->epoch = scenario->restart_epoch;
    successor->run.gates_off = gates_off;
    int code = scenario_configure(scenario, defaults, true, &successor->config, error);
    return code ? code
                : run_engine_open(&successor->run, successor->config, &scenario->names, false, true,
                                  error);
}

void successor_close(struct successor *successor)
{
    run_engine_close(&successor->run);
    config_free(&successor->config);
}

void successor_fold(struct successor *successor, const struct message *message)
{
    if (successor->run.engine != NULL && !successor->lives)
        engine_fold(successor->run.engine, message);
}

bool successor_begins(const struct successor *successor, const struct message *message)
{
    return successor->epoch != 0 && message->kind == EVENT_start &&
           message->record->start.epoch == successor->epoch;
}
