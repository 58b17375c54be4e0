/* Fills the dashboard from /api/events and gives commands. Everything is set as text: nothing that a venue sends
   becomes markup. Figures are shown as the engine's own decimal text; numbers are made of them for drawing only. */
'use strict';
(() => {
    const ROWS = 14;
    const byId = (id) => document.getElementById(id);
    const state = { told: null, session: null, chosen: null, at: 0, points: new Map() };

    const text = (value) => (value === null || value === undefined || value === '' ? '–' : String(value));

    const make = (name, value, className) => {
        const made = document.createElement(name);
        if (value !== undefined) made.textContent = text(value);
        if (className) made.className = className;
        return made;
    };
    const cell = (value, className) => make('td', value, className);
    const figure = (value, className) => make('td', value, className ? `figure ${className}` : 'figure');
    const row = (...cells) => {
        const made = make('tr');
        made.append(...cells);
        return made;
    };
    const put = (element, value) => {
        if (element.textContent !== text(value)) element.textContent = text(value);
    };
    const sign = (value) => (!value || Number(value) === 0 ? '' : String(value).startsWith('-') ? 'bad' : 'good');
    const clock = (ms) => new Date(ms).toISOString().slice(11, 23);

    /* tick x millitick / 1,000 as decimal text, digit by digit. */
    const priceOf = (tick, millitick) => {
        const [whole, fraction = ''] = tick.split('.');
        const decimals = fraction.length + 3;
        const units = BigInt(whole + fraction) * BigInt(millitick);
        const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
        const trimmed = `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '');
        return (units < 0n ? '-' : '') + trimmed;
    };

    const nanoseconds = (ns) => {
        if (ns === null) return '–';
        if (ns < 1e4) return `${ns} ns`;
        if (ns < 1e7) return `${(ns / 1e3).toFixed(1)} µs`;
        return ns < 1e10 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(1)} s`;
    };

    /* --- the head ------------------------------------------------------------------------------ */

    const showHead = (told) => {
        const { session, readiness } = told;
        put(byId('mode'), session.mode);
        const ready = byId('readiness');
        put(ready, readiness.ready ? 'ready' : `not ready: ${readiness.reasons.join(', ')}`);
        ready.className = `badge ${readiness.ready ? 'good' : 'bad'}`;
        const gates = readiness.gates.length ? `; blocked by ${readiness.gates.join(', ')}` : '';
        put(byId('session'), `${session.tape}, version ${told.build.version}, epoch ${session.epoch}${gates}`);
        put(byId('time'), `${told.time.slice(0, 10)} ${told.time.slice(11, 19)} UTC`);
        const paused = told.instruments.filter((each) => each.paused).length;
        byId('paused').hidden = paused === 0;
        put(byId('paused'), `${paused} paused`);
        byId('shutdown').hidden = session.shutdown === 'running';
        put(byId('shutdown'), `shutdown: ${session.shutdown}`);
        showPlayback(session.playback);
        byId('trading').hidden = session.playback !== null || session.mode === 'record';
        byId('token-form').hidden = session.mode === 'record'; /* it takes no commands */
        document.title = `Capstan ${session.mode}${readiness.ready ? '' : ' (not ready)'}`;
    };

    const showPlayback = (playback) => {
        byId('playback').hidden = playback === null;
        if (!playback) return;
        byId('play-pause').disabled = playback.paused || playback.ended;
        byId('play-resume').disabled = !playback.paused || playback.ended;
        byId('play-step').disabled = byId('play-steps').disabled = playback.ended;
        if (playback.ended) put(byId('readiness'), 'ended');
        else if (playback.paused) put(byId('readiness'), 'paused');
        const speed = byId('play-speed'), value = playback.speed.replace(/\.?0+$/, '') || playback.speed;
        if (document.activeElement === speed) return;
        if (![...speed.options].some((option) => option.value === value)) speed.add(new Option(value));
        speed.value = value;
    };

    /* --- account ------------------------------------------------------------------------------- */

    const tile = (name, value, className) => {
        const made = make('div', undefined, 'tile');
        made.append(make('div', value, `value ${className || ''}`), make('div', name, 'name'));
        return made;
    };

    const showAccount = (told) => {
        const { account, counters } = told, currency = account.currency ? `, ${account.currency}` : '';
        const assets = new Set(told.instruments.filter((each) => each.known).map((each) => each.profit_asset));
        const profit = account.profit === null && assets.size > 1 ? 'in several currencies' : account.profit;
        byId('account').replaceChildren(
            tile(`Profit${currency}`, profit, sign(account.profit)),
            tile(`Today${currency}`, account.day_profit, sign(account.day_profit)),
            tile(`Drawdown${account.drawn_down ? ': paused' : ''}${currency}`, account.drawdown,
                 account.drawn_down ? 'bad' : ''),
            tile(`Equity, USD${account.equity_stale ? ', by old marks' : ''}`, account.equity_usd),
            tile('Open orders', counters.open_orders), tile('Fills', counters.fills),
            tile('Placed', counters.placed),
            tile('Violations', counters.invariant_violations,
                 counters.invariant_violations ? 'bad' : ''));
        byId('balances').replaceChildren(...account.balances.map((balance) =>
            row(cell(balance.exchange), cell(balance.asset), figure(balance.total))));
    };

    /* --- charts -------------------------------------------------------------------------------- */

    const charts = {};
    const draw = (id, times, values, fill) => {
        const data = [times.map((ms) => ms / 1e3), values];
        if (charts[id]) charts[id].set(data);
        else charts[id] = capstanCharts.add(byId(id), [{ name: id.split('-')[0], fill, few: false }], data,
                                            { height: 180 });
    };

    const showCourse = (told) => {
        for (const sample of told.series) state.points.set(sample.time_ms, sample);
        const kept = [...state.points.keys()].sort((a, b) => b - a).slice(3600);
        kept.forEach((ms) => state.points.delete(ms));
        const inProfit = told.account.profit !== null;
        put(byId('profit-title'), inProfit ? `Profit, ${text(told.account.currency)}` : 'Equity, USD');
        const times = [...state.points.keys()].sort((a, b) => a - b);
        const values = times.map((ms) => state.points.get(ms)[inProfit ? 'profit' : 'equity_usd'])
            .map((value) => (value === null ? null : Number(value)));
        const fallen = inProfit && told.account.drawdown !== null; /* else the engine keeps no peak */
        let peak = -Infinity; /* of what is shown here */
        const below = fallen ? times.map((ms) => state.points.get(ms).drawdown).map((value) => (value === null ? null : -Number(value)))
            : values.map((value) => {
                if (value === null) return null;
                peak = Math.max(peak, value);
                return value - peak;
            });
        put(byId('drawdown-title'), fallen ? `Below its peak, ${text(told.account.currency)}` : 'Below the highest point shown here');
        draw('profit-chart', times, values, false);
        draw('drawdown-chart', times, below, true);
    };

    /* --- instruments --------------------------------------------------------------------------- */

    const stateOf = (instrument) => {
        if (!instrument.known) return ['not known yet', 'soft'];
        if (!instrument.quoted) return ['not quoted', 'soft'];
        const tripped = Object.entries(instrument.breakers).filter(([, is]) => is !== 'clear')
            .map(([name, is]) => `${name} breaker: ${is.replace('_', ' ')}`);
        const words = [...(instrument.paused ? ['paused'] : []), ...(instrument.pulled ? ['pulled'] : []),
            ...(instrument.synchronised ? [] : ['book not in sync']),
            ...(instrument.trading === 'open' ? [] : [`trading ${instrument.trading}`]),
            ...tripped, ...instrument.alarms.map((alarm) => `alarm: ${alarm}`),
            ...instrument.gates.filter((gate) => gate !== 'breaker' && (gate !== 'paused' || !instrument.paused))
                .map((gate) => `gate: ${gate}`)];
        return words.length ? [words.join(', '), 'warn'] : ['quoting', 'good'];
    };

    const bestOwn = (instrument, side) => {
        const prices = (instrument.orders || []).filter((order) => order.side === side).map((order) => order.price);
        prices.sort((a, b) => (side === 'buy' ? Number(b) - Number(a) : Number(a) - Number(b)));
        return prices[0];
    };

    const rows = new Map(); /* kept, so that the keyboard's place in them stays */
    const rowOf = (name) => {
        if (rows.has(name)) return rows.get(name);
        const made = make('tr'), head = make('th'), button = make('button', name);
        head.scope = 'row';
        button.type = 'button';
        button.addEventListener('click', () => choose(name));
        head.append(button);
        made.append(head, cell('', 'state'), figure(''), figure(''), cell(''),
            ...Array.from({ length: 5 }, () => figure('')));
        byId('instruments').append(made);
        byId('scope').add(new Option(name, name));
        rows.set(name, made);
        return made;
    };

    /* Of another session at this address nothing that was shown before stands. */
    const forget = (told) => {
        const names = new Set(told.instruments.map((each) => each.instrument));
        const others = [...rows.keys()].filter((name) => !names.has(name));
        const before = state.session;
        if (others.length || (before && (before.session.mode !== told.session.mode || before.account.currency !== told.account.currency
            || (told.session.mode === 'replay' && told.uptime_seconds < before.uptime_seconds))))
            state.points.clear();
        for (const name of others) {
            if (byId('scope').value === name) tell(`${name} is no instrument of this session: commands are for all.`, 'bad');
            [...byId('scope').options].filter((option) => option.value === name).forEach((option) => option.remove());
            rows.get(name).remove();
            rows.delete(name);
        }
        if (!names.has(state.chosen)) state.chosen = null;
        state.session = told;
    };

    const showInstrument = (instrument) => {
        const made = rowOf(instrument.instrument), cells = made.children;
        const [words, className] = stateOf(instrument);
        const best = (levels) => (levels && levels.length ? levels[0][0] : null);
        made.className = instrument.instrument === state.chosen ? 'chosen' : '';
        made.querySelector('button').setAttribute('aria-pressed', String(instrument.instrument === state.chosen));
        cells[1].className = `state ${className}`;
        [words, instrument.position, instrument.profit, instrument.profit_asset, best(instrument.bids),
            best(instrument.asks), bestOwn(instrument, 'buy'), bestOwn(instrument, 'sell'), instrument.position_limit]
            .forEach((value, i) => put(cells[i + 1], value));
        cells[3].className = `figure ${sign(instrument.profit)}`;
    };

    const choose = (name) => {
        state.chosen = name;
        if (state.told) {
            state.told.instruments.forEach(showInstrument);
            showBook(state.told);
        }
    };

    /* --- the book, with our own orders in it --------------------------------------------------- */

    const ladder = (instrument) => {
        const prices = new Map();
        const level = (price) => {
            if (!prices.has(price)) prices.set(price, { price, bid: null, ask: null, buy: 0, sell: 0 });
            return prices.get(price);
        };
        (instrument.bids || []).forEach(([price, quantity]) => { level(price).bid = quantity; });
        (instrument.asks || []).forEach(([price, quantity]) => { level(price).ask = quantity; });
        const own = new Map();
        (instrument.orders || []).forEach((order) => {
            const key = `${order.price} ${order.side}`;
            own.set(key, [...(own.get(key) || []), order.leaves]);
            level(order.price)[order.side] = own.get(key).join(' + ');
        });
        return [...prices.values()].sort((a, b) => Number(b.price) - Number(a.price));
    };

    const depth = (quantity, most, side) => {
        const made = figure(undefined, `depth ${side}`);
        if (quantity === null) return made;
        const bar = make('div', undefined, 'bar');
        bar.style.width = `${Math.min(100, (100 * Number(quantity)) / most)}%`;
        made.append(bar, make('span', quantity));
        return made;
    };

    const showBook = (told) => {
        const instrument = told.instruments.find((each) => each.instrument === state.chosen);
        if (!instrument || !instrument.known) {
            byId('book').replaceChildren();
            put(byId('book-title'), instrument ? `Book, ${instrument.instrument}` : 'Book');
            put(byId('book-note'), 'not known yet');
            return;
        }
        const levels = ladder(instrument);
        const most = Math.max(1e-300, ...levels.map((level) => Number(level.bid || level.ask || 0)));
        const trade = instrument.last_trade;
        put(byId('book-title'), `Book, ${instrument.instrument}`);
        put(byId('book-note'), `fair ${text(instrument.fair)}, mark ${text(instrument.mark)}${
            instrument.mark_stale ? ' (stale)' : ''}, last trade ${trade ? `${trade.side} ${trade.quantity} at ${trade.price}` : '–'}`);
        let belowAsks = false;
        byId('book').replaceChildren(...levels.map((level) => {
            const made = row(figure(level.buy || '', 'own'), depth(level.bid, most, 'bid'), figure(level.price),
                             depth(level.ask, most, 'ask'), figure(level.sell || '', 'own'));
            [0, 4].forEach((i) => { if (made.children[i].textContent === '–') made.children[i].textContent = ''; });
            if (level.bid !== null && !belowAsks) {
                belowAsks = true;
                made.className = 'first-bid';
            }
            return made;
        }));
    };

    /* --- decisions, fills, notices --------------------------------------------------------------- */

    const after = (entry) => (entry.after
        ? `after ${entry.after.kind.replaceAll('_', ' ')}${entry.after.instrument ? ` of ${entry.after.instrument}` : ''}` : '');

    const whyOf = (entry, tick) => {
        if (entry.kind === 'cancel') return [`why: ${entry.why}`, after(entry)];
        const why = [`level ${entry.level}`];
        if (tick) {
            why.push(`fair ${priceOf(tick, entry.fair)}`, `skew ${priceOf(tick, entry.skew)}`,
                     `distance ${priceOf(tick, entry.distance)}`);
        }
        return [...why, after(entry)];
    };

    const item = (entry, words, why) => {
        const made = make('li');
        made.append(make('span', clock(entry.time_ms), 'when'), document.createTextNode(words));
        if (why) made.append(make('span', why, 'why'));
        return made;
    };

    const showDecision = (ticks) => (entry) => {
        const what = entry.kind === 'cancel' ? `cancel ${entry.order}`
            : `${entry.kind} ${entry.order}: ${entry.side} ${entry.quantity || entry.leaves} at ${entry.price}`;
        return item(entry, `${what}, ${entry.instrument}`,
                    whyOf(entry, ticks.get(entry.instrument)).filter(Boolean).join(', '));
    };

    const OWN = ['number', 'time_ms', 'kind', 'after'];
    const showNotice = (entry) => {
        const fields = Object.entries(entry).filter(([name, value]) => !OWN.includes(name) && value !== null)
            .map(([name, value]) => `${name.replaceAll('_', ' ')} ${value === true ? 'yes' : value === false ? 'no' : value}`);
        return item(entry, `${entry.kind.replaceAll('_', ' ')}: ${fields.join(', ')}`, after(entry));
    };

    const none = (list, words) => (list.length ? list : [make('li', words, 'soft')]);

    const showLists = (told) => {
        const ticks = new Map(told.instruments.map((each) => [each.instrument, each.tick]));
        byId('decisions').replaceChildren(...none(told.decisions.slice(0, ROWS).map(showDecision(ticks)), 'None yet.'));
        byId('notices').replaceChildren(...none(told.notices.slice(0, ROWS).map(showNotice), 'None yet.'));
        byId('no-fills').hidden = told.fills.length > 0;
        byId('fills').replaceChildren(...told.fills.slice(0, ROWS).map((fill) => row(
            cell(clock(fill.time_ms)), cell(fill.instrument), cell(fill.side), figure(fill.quantity),
            figure(fill.price), cell(fill.cause), figure(fill.fee), cell(fill.fee_asset))));
    };

    /* --- health ---------------------------------------------------------------------------------- */

    const showDatabase = (database) => {
        if (!database) return [];
        const failed = database.last_failure_ms === null ? '' : `, last failure ${clock(database.last_failure_ms)}`;
        const words = `Database: breaker ${database.state.replace('_', '-')}, ${database.failures} failures in a row${failed}`;
        return [make('li', words, database.well ? 'good' : 'bad')];
    };

    const showBreakers = (told) => {
        const words = [];
        for (const each of told.instruments.filter((one) => one.known)) {
            const [is, className] = stateOf(each);
            if (className === 'warn') words.push(make('li', `${each.instrument}: ${is}`, 'warn'));
        }
        for (const each of told.exchanges) {
            if (each.breaker && each.breaker !== 'closed')
                words.push(make('li', `${each.exchange}: requests' breaker ${each.breaker}, ${each.failures_in_a_row} failures`, 'bad'));
            (each.alarms || []).forEach((alarm) => words.push(make('li', `${each.exchange}: alarm ${alarm}`, 'bad')));
        }
        const clear = told.database && !told.database.well ? words
            : none(words, 'All clear: nothing blocks, no breaker is open, no alarm is raised.');
        byId('breakers').replaceChildren(...clear, ...showDatabase(told.database));
    };

    const LATENCIES = [['event_age', 'Venue to engine'], ['loop_lag', 'Wait for the loop'], ['loop_step', 'Step of the loop'],
        ['tick_to_order', 'Message to order'], ['order_to_answer', 'Order to answer'], ['tape_write', 'Write to the tape']];

    const showHealth = (told) => {
        const flag = (value, yes, no) => (value === undefined ? cell('', 'soft') : cell(value ? yes : no, value ? 'good' : 'bad'));
        byId('venues').replaceChildren(...told.exchanges.map((each) => row(
            cell(each.exchange), flag(each.market_data, 'in sync', 'not in sync'), flag(each.orders_stream, 'up', 'down'),
            flag(each.reconciled, 'reconciled', 'not reconciled'),
            cell(each.breaker || '', !each.breaker ? 'soft' : each.breaker === 'closed' ? 'good' : 'bad'), figure(each.rate_left ?? ''),
            figure(each.waiting_bytes))));
        byId('latency').replaceChildren(...LATENCIES.filter(([key]) => told.latency[key].count > 0).map(([key, name]) => {
            const of = told.latency[key];
            return row(cell(name), figure(of.count), ...['p50_ns', 'p90_ns', 'p99_ns', 'p999_ns'].map((p) => figure(nanoseconds(of[p]))));
        }));
    };

    /* --- all ------------------------------------------------------------------------------------- */

    const show = (told) => {
        state.told = told;
        state.at = Date.now();
        document.body.classList.remove('old');
        if (!told.session) {
            put(byId('readiness'), 'no session');
            byId('readiness').className = 'badge bad';
            put(byId('session'), 'The session is over, or has not begun.');
            return;
        }
        forget(told);
        state.chosen = state.chosen || (told.instruments.find((each) => each.quoted) || told.instruments[0] || {}).instrument;
        showHead(told);
        showAccount(told);
        showCourse(told);
        told.instruments.forEach(showInstrument);
        showBook(told);
        showLists(told);
        showBreakers(told);
        showHealth(told);
        document.body.dataset.shown = String(told.time_ms);
    };

    const silent = () => {
        if (Date.now() - state.at < 3000) return;
        document.body.classList.add('old');
        put(byId('readiness'), 'the engine does not answer');
        byId('readiness').className = 'badge bad';
    };

    const events = new EventSource('/api/events');
    events.onmessage = (event) => show(JSON.parse(event.data));
    setInterval(silent, 1000);

    /* --- commands -------------------------------------------------------------------------------- */

    const tell = (words, className) => {
        put(byId('told'), words);
        byId('told').className = className;
    };

    const command = async (path, name, body) => {
        const token = sessionStorage.getItem('token');
        if (!token) {
            tell('Type the token first: commands need it.', 'bad');
            byId('token').focus();
            return;
        }
        const headers = { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) };
        try {
            const answer = await fetch(path, { method: 'POST', headers, body: body && JSON.stringify(body) });
            const said = await answer.json();
            if (answer.ok) tell(`${name}: taken`, 'good');
            else tell(`${name}: ${said.error}`, 'bad');
            if (answer.status === 401) byId('token').focus();
        } catch {
            tell(`${name}: the engine does not answer`, 'bad');
        }
    };

    /* A click that can't be taken back is asked for twice. */
    const sure = (id, then) => {
        const button = byId(id), words = button.textContent;
        let timer = null;
        const calm = () => {
            timer = null;
            button.textContent = words;
            button.classList.remove('sure');
        };
        button.addEventListener('click', () => {
            if (timer === null) {
                button.textContent = `${words}: sure?`;
                button.classList.add('sure');
                timer = setTimeout(calm, 4000);
                return;
            }
            clearTimeout(timer);
            calm();
            then();
        });
    };

    const scope = () => (byId('scope').value ? { instrument: byId('scope').value } : undefined);
    const on = (id, then) => byId(id).addEventListener('click', then);
    on('pause', () => command('/api/command/pause', 'pause', scope()));
    on('resume', () => command('/api/command/resume', 'resume', scope()));
    sure('cancel-all', () => command('/api/command/cancel-all', 'cancel all', scope()));
    on('play-pause', () => command('/api/playback/pause', 'pause'));
    on('play-resume', () => command('/api/playback/resume', 'resume'));
    on('play-step', () => command('/api/playback/step', 'step'));
    on('play-steps', () => command('/api/playback/step', 'step 100', { messages: '100' }));
    sure('play-stop', () => command('/api/command/shutdown', 'stop'));
    byId('play-speed').addEventListener('change', (event) =>
        command('/api/playback/speed', 'speed', { speed: event.target.value }));

    const keepToken = (token) => {
        if (token) sessionStorage.setItem('token', token);
        else sessionStorage.removeItem('token');
        byId('token').value = '';
        byId('token').placeholder = token ? 'kept until this tab closes' : '';
    };
    byId('token-form').addEventListener('submit', (event) => {
        event.preventDefault();
        keepToken(byId('token').value.trim());
        tell(sessionStorage.getItem('token') ? 'The token is kept until this tab closes.' : 'No token.', 'soft');
    });
    /* capstan replay --serve prints an address with a token behind '#', which no request carries. */
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    if (given) {
        keepToken(given);
        history.replaceState(null, '', location.pathname);
    } else if (sessionStorage.getItem('token')) {
        keepToken(sessionStorage.getItem('token'));
    }
})();
