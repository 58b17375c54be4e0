/* See requests.h. */
#include "ops/requests.h"

#include <string.h>

#include "ops/page.h"

const char *const ops_endpoint_paths[OPS_ENDPOINT_COUNT] = {
#define E(id, path, reads) path,
    OPS_ENDPOINTS(E)
#undef E
};

const char *const ops_method_names[OPS_METHOD_COUNT] = {"GET", "HEAD", "POST", "other"};

bool ops_endpoint_reads(enum ops_endpoint endpoint)
{
    static const bool all[OPS_ENDPOINT_COUNT] = {
#define E(id, path, reads) reads,
        OPS_ENDPOINTS(E)
#undef E
    };
    return all[endpoint];
}

enum ops_endpoint ops_endpoint_of(const char *path)
{
    for (unsigned i = 0; i < OPS_ENDPOINT_OTHER; i++)
        if (strcmp(path, ops_endpoint_paths[i]) == 0)
            return (enum ops_endpoint)i;
    return ops_page_of(path) ? OPS_ENDPOINT_PAGE : OPS_ENDPOINT_OTHER;
}

enum ops_method ops_method_of(const char *method)
{
    for (unsigned i = 0; i < OPS_METHOD_OTHER; i++)
        if (strcmp(method, ops_method_names[i]) == 0)
            return (enum ops_method)i;
    return OPS_METHOD_OTHER;
}

void ops_requests_init(struct ops_requests *requests)
{
    for (unsigned endpoint = 0; endpoint < OPS_ENDPOINT_COUNT; endpoint++)
        for (unsigned method = 0; method < OPS_METHOD_COUNT; method++)
            requests->durations[endpoint][method].bounds = &ops_bounds_request;
}
