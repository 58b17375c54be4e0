// Fills the dashboard from /api/events. Everything is set as text: nothing that a venue sends becomes markup.
"use strict";

const byId = (id) => document.getElementById(id);

function element(name, text, bad) {
  const made = document.createElement(name);
  made.textContent = text === null || text === undefined ? "–" : String(text);
  if (bad) made.className = "bad";
  return made;
}

function showAccount(account) {
  const pairs = [["profit", account.profit], ["today", account.day_profit], ["drawdown", account.drawdown],
    ["equity, USD", account.equity_usd], ["currency", account.currency]];
  byId("account").replaceChildren(...pairs.map(([name, value]) => {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", value));
    return pair;
  }));
}

function stateOf(instrument) {
  if (!instrument.known) return "not known yet";
  const tripped = Object.entries(instrument.breakers).filter(([, state]) => state !== "clear")
    .map(([name, state]) => `${name}: ${state}`);
  const words = [...(instrument.paused ? ["paused"] : []), ...tripped, ...instrument.gates, ...instrument.alarms];
  return words.length ? words.join(", ") : "quoting";
}

function showInstrument(instrument) {
  const row = document.createElement("tr");
  const best = (levels) => levels && levels.length ? levels[0][0] : null;
  const state = stateOf(instrument);
  row.append(element("td", instrument.instrument), element("td", best(instrument.bids)),
    element("td", best(instrument.asks)), element("td", instrument.position), element("td", instrument.profit),
    element("td", instrument.orders ? instrument.orders.length : null), element("td", state, state !== "quoting"));
  return row;
}

function show(told) {
  const session = told.session;
  byId("session").textContent = session ? `${session.mode}, ${session.tape}, ${told.build.version}` : "starting";
  if (!session) return;
  byId("readiness").textContent = told.readiness.ready ? "ready" : `not ready: ${told.readiness.reasons.join(", ")}`;
  byId("readiness").className = told.readiness.ready ? "" : "bad";
  showAccount(told.account);
  byId("instruments").replaceChildren(...told.instruments.map(showInstrument));
  byId("exchanges").replaceChildren(...told.exchanges.map((exchange) =>
    element("li", `${exchange.exchange}: ${exchange.connected ? "connected" : "not connected"}`, !exchange.connected)));
  byId("notices").replaceChildren(...told.notices.slice(0, 12).map((notice) =>
    element("li", `${new Date(notice.time_ms).toISOString()} ${notice.kind} ${notice.instrument || ""}`)));
}

const events = new EventSource("/api/events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = () => { byId("session").textContent = "the engine does not answer"; };
