/* Draws the report's charts from the data that stands in the page. All figures stand in its tables. */
'use strict';
(() => {
    const report = JSON.parse(document.getElementById('data').textContent);

    /* How far below its highest point so far, 0 at the beginning, a line stands. */
    const drawdown = (values) => {
        let peak = 0;
        return values.map((value) => {
            peak = Math.max(peak, value);
            return value - peak;
        });
    };

    for (const chart of report.charts) {
        const place = document.getElementById(chart.id);
        if (!place) continue;
        const tables = chart.series.map((line) => [
            line.x, chart.drawdown ? drawdown(line.y) : line.y]);
        const data = tables.length === 1 ? tables[0] : uPlot.join(tables);
        const lines = chart.series.map((line) => ({
            name: report.elapsed ? line.name : chart.id.split('-')[0], step: chart.step, fill: chart.drawdown && tables.length === 1, few: line.x.length < 3,
            second: report.elapsed && line.name === 'B' }));
        capstanCharts.add(place, lines, data, { elapsed: report.elapsed });
    }
})();
