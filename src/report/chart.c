/* Which charts there are, and their points. */
#include "report/chart.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "report/write.h"

/* Past this many points, the first, lowest, highest and last of each of CHART_PARTS parts. */
enum { CHART_POINTS_MAX = 1600, CHART_PARTS = 400 };

static struct chart *chart_of(struct chart *charts, size_t *count, size_t capacity,
                              const char *title)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(charts[i].title, title) == 0)
            return &charts[i];
    if (*count == capacity)
        return NULL;
    charts[*count] = (struct chart){.title = title};
    return &charts[(*count)++];
}

size_t chart_equities(const struct run *runs, unsigned count, struct chart *charts, size_t capacity)
{
    size_t made = 0;
    for (unsigned run = 0; run < count; run++)
        for (size_t i = 0; i < runs[run].asset_count; i++) {
            const struct run_asset *asset = &runs[run].assets[i];
            struct chart *chart =
                asset->equity.count ? chart_of(charts, &made, capacity, asset->name) : NULL;
            if (chart)
                chart->series[run] = &asset->equity;
        }
    return made;
}

static bool was_held(const struct run_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (series->amount[i].atto != 0)
            return true;
    return false;
}

size_t chart_inventories(const struct run *runs, unsigned count, struct chart *charts,
                         size_t capacity)
{
    size_t made = 0;
    for (unsigned run = 0; run < count; run++)
        for (size_t i = 0; i < runs[run].instrument_count; i++) {
            const struct run_instrument *instrument = &runs[run].instruments[i];
            struct chart *chart = was_held(&instrument->inventory)
                                      ? chart_of(charts, &made, capacity, instrument->name)
                                      : NULL;
            if (chart)
                chart->series[run] = &instrument->inventory;
        }
    return made;
}

/* The places of one part that are drawn, in order; returns how many. */
static size_t part_points(const struct run_series *series, size_t first, size_t end,
                          size_t points[4])
{
    size_t low = first, high = first, count = 0;
    for (size_t i = first; i < end; i++) {
        if (money_compare(series->amount[i], series->amount[low]) < 0)
            low = i;
        if (money_compare(series->amount[i], series->amount[high]) > 0)
            high = i;
    }
    const size_t wanted[4] = {first, low < high ? low : high, low < high ? high : low, end - 1};
    for (int i = 0; i < 4; i++)
        if (count == 0 || wanted[i] > points[count - 1])
            points[count++] = wanted[i];
    return count;
}

/* Call `write` for each point that is drawn. */
static void each_point(FILE *stream, const struct run_series *series, int64_t zero_ns,
                       void (*write)(FILE *, const struct run_series *, size_t, int64_t))
{
    size_t parts = series->count > CHART_POINTS_MAX ? CHART_PARTS : series->count;
    for (size_t part = 0; part < parts; part++) {
        size_t points[4];
        size_t first = series->count * part / parts, end = series->count * (part + 1) / parts;
        size_t count = part_points(series, first, end, points);
        for (size_t i = 0; i < count; i++) {
            if (part > 0 || i > 0)
                fputc(',', stream);
            write(stream, series, points[i], zero_ns);
        }
    }
}

static void write_time(FILE *stream, const struct run_series *series, size_t point, int64_t zero_ns)
{
    int64_t us = (series->at_ns[point] - zero_ns) / NS_PER_US;
    fprintf(stream, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "", (us < 0 ? -us : us) / 1000000,
            (us < 0 ? -us : us) % 1000000);
}

static void write_amount(FILE *stream, const struct run_series *series, size_t point,
                         int64_t zero_ns)
{
    char text[MONEY_TEXT_MAX];
    (void)zero_ns;
    money_to_text(series->amount[point], text);
    fputs(text, stream);
}

void chart_json(FILE *stream, const struct chart *chart, size_t number,
                const struct chart_style *style, const struct run *runs, unsigned count)
{
    bool any = false;
    fprintf(stream, "{\"id\":\"%s-%zu\",\"step\":%s,\"drawdown\":%s,\"series\":[", style->prefix,
            number, style->step ? "true" : "false", style->drawdown ? "true" : "false");
    for (unsigned run = 0; run < count; run++) {
        const struct run_series *series = chart->series[run];
        if (!series)
            continue;
        /* Two runs are compared from their beginnings on. */
        int64_t zero_ns = count > 1 ? runs[run].provenance.first_ns : 0;
        fprintf(stream, "%s{\"name\":", any ? "," : "");
        if (count > 1)
            fprintf(stream, "\"%c\"", 'A' + (int)run);
        else
            write_json(stream, chart->title);
        fputs(",\"x\":[", stream);
        each_point(stream, series, zero_ns, write_time);
        fputs("],\"y\":[", stream);
        each_point(stream, series, zero_ns, write_amount);
        fputs("]}", stream);
        any = true;
    }
    fputs("]}", stream);
}
