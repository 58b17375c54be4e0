/* Charts as every page of Capstan draws them: uPlot in the page's colours, in UTC, as wide as its place. */
'use strict';
const capstanCharts = (() => {
    const charts = [];

    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1e3), 'Etc/UTC');

    /* Axis figures short enough for a phone. */
    const short = (value) => {
        if (value === 0) return '0';
        const size = Math.abs(value);
        if (size >= 1e5 && size < 1e10) return value.toFixed(0);
        if (size >= 1e10 || size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, 'e');
        return String(Number(value.toPrecision(6)));
    };

    const pad = (n) => String(n).padStart(2, '0');

    const elapsed = (seconds) => {
        const s = Math.abs(seconds), whole = Math.floor(s);
        if (s < 60) return `${Number(seconds.toFixed(3))} s`;
        return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
    };

    /* Clock times; the date under the first and where it changes. */
    const clock = (_, ticks, __, ___, step) => ticks.map((seconds, i) => {
        const at = new Date(seconds * 1e3), text = at.toISOString();
        const day = text.slice(0, 10);
        if (step >= 86400) return day;
        const time = step < 1 ? text.slice(11, 23) : step < 60 ? text.slice(11, 19) : text.slice(11, 16);
        const before = i > 0 && new Date(ticks[i - 1] * 1e3).toISOString().slice(0, 10);
        return before === day ? time : `${time}\n${day}`;
    });

    const steps = [1e-3, 1e-2, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
        7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000];

    const axis = (more) => ({
        stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 },
        ticks: { stroke: colour('--line'), width: 1 }, font: '11px system-ui, sans-serif', ...more,
    });

    const series = (line, index) => ({
        label: line.name, stroke: colour(index === 0 && !line.second ? '--accent' : '--second'),
        width: 1.5, fill: line.fill ? colour('--fill') : undefined, spanGaps: true,
        points: { show: line.few }, paths: line.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
        value: (_, value) => value === null || value === undefined ? '–' : short(value),
    });

    const options = (chart) => ({
        width: Math.max(chart.place.clientWidth, 200), height: chart.height || 230, tzDate: utc,
        cursor: { y: false }, legend: { live: true },
        scales: { x: { time: !chart.elapsed } },
        axes: [
            axis({ incrs: steps,
                   space: (_, __, least, most) => (most - least < 8 ? 90 : 58),
                   values: chart.elapsed ? (_, ticks) => ticks.map(elapsed) : clock }),
            axis({ size: 66, values: (_, ticks) => ticks.map(short) }),
        ],
        series: [
            { label: chart.elapsed ? 'after' : 'time',
              value: chart.elapsed ? (_, v) => v === null || v === undefined ? '–' : elapsed(v)
                                   : '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' },
            ...chart.lines.map(series),
        ],
    });

    const draw = (chart) => {
        if (chart.plot) chart.plot.destroy();
        chart.plot = new uPlot(options(chart), chart.data, chart.place);
    };

    const redraw = () => charts.forEach(draw);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

    return {
        /* place: an element; lines: [{name, step, fill, few, second}], where a line alone is the second of two, too; data: [x, y…], x in seconds. */
        add(place, lines, data, more = {}) {
            const chart = { place, lines, data, ...more };
            charts.push(chart);
            draw(chart);
            new ResizeObserver(() => {
                const width = place.clientWidth;
                if (width > 0 && Math.abs(width - chart.plot.width) > 1)
                    chart.plot.setSize({ width, height: chart.plot.height });
            }).observe(place);
            return { set(newer) { chart.data = newer; chart.plot.setData(newer); } };
        },
    };
})();
