/* The bodies of the ops server's answers, by docs/operate.md. */
#ifndef CAPSTAN_OPS_ANSWERS_H
#define CAPSTAN_OPS_ANSWERS_H

#include "base/json.h"
#include "ops/series.h"
#include "ops/view.h"

/* /health/live (D4). */
void ops_answer_live(struct json *json, int64_t uptime_ns);
/* /health/ready (D5). True: 200. */
bool ops_answer_checks(struct json *json, const struct ops_view *view);
/* /readyz (D3). True: 200. */
bool ops_answer_ready(struct json *json, const struct ops_view *view);
/* /api/dashboard; of the series only samples from `since` on. */
void ops_answer_dashboard(struct json *json, const struct ops_view *view,
                          const struct ops_series *series, int64_t since, int64_t uptime_ns);

/* instrument.c: the parts of one instrument; an entry of a ring as an object. */
void ops_show_instrument(struct json *json, const struct ops_view *view, unsigned index);
void ops_show_entry(struct json *json, const struct ops_view *view, const struct ops_entry *entry);

#endif
