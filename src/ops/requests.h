/* The paths that the ops server knows, and how long their answers take. */
#ifndef CAPSTAN_OPS_REQUESTS_H
#define CAPSTAN_OPS_REQUESTS_H

#include "ops/histogram.h"

/* E(id, path, reads): `reads`: GET and HEAD, else POST. */
#define OPS_ENDPOINTS(E)                                                                           \
    E(ALIVE, "/healthz", true)                                                                     \
    E(READY, "/readyz", true)                                                                      \
    E(HEALTH_LIVE, "/health/live", true)                                                           \
    E(HEALTH_READY, "/health/ready", true)                                                         \
    E(METRICS, "/metrics", true)                                                                   \
    E(DASHBOARD, "/api/dashboard", true)                                                           \
    E(EVENTS, "/api/events", true)                                                                 \
    E(PAUSE, "/api/command/pause", false)                                                          \
    E(RESUME, "/api/command/resume", false)                                                        \
    E(CANCEL_ALL, "/api/command/cancel-all", false)                                                \
    E(TRIP, "/api/command/trip", false)                                                            \
    E(CLEAR, "/api/command/clear", false)                                                          \
    E(ADOPT, "/api/command/adopt", false)                                                          \
    E(SHUTDOWN, "/api/command/shutdown", false)                                                    \
    E(PLAYBACK_PAUSE, "/api/playback/pause", false)                                                \
    E(PLAYBACK_RESUME, "/api/playback/resume", false)                                              \
    E(PLAYBACK_STEP, "/api/playback/step", false)                                                  \
    E(PLAYBACK_SPEED, "/api/playback/speed", false)                                                \
    E(PAGE, "/", true)                                                                             \
    E(OTHER, "other", true)

enum ops_endpoint {
#define E(id, path, reads) OPS_ENDPOINT_##id,
    OPS_ENDPOINTS(E)
#undef E
        OPS_ENDPOINT_COUNT
};

enum ops_method { OPS_GET, OPS_HEAD, OPS_POST, OPS_METHOD_OTHER, OPS_METHOD_COUNT };

/* The server's thread alone. */
struct ops_requests {
    struct ops_histogram durations[OPS_ENDPOINT_COUNT][OPS_METHOD_COUNT];
};

extern const char *const ops_endpoint_paths[OPS_ENDPOINT_COUNT];
extern const char *const ops_method_names[OPS_METHOD_COUNT];
/* It is read by GET and HEAD; else it is changed by POST. */
bool ops_endpoint_reads(enum ops_endpoint endpoint);
/* OPS_ENDPOINT_OTHER, OPS_METHOD_OTHER where it is none. Files of the page are OPS_ENDPOINT_PAGE. */
enum ops_endpoint ops_endpoint_of(const char *path);
enum ops_method ops_method_of(const char *method);
void ops_requests_init(struct ops_requests *requests);

#endif
