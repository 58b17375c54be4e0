#!/usr/bin/env python3
"""OANDA's own schema as the judge of capstan exchange: each answer and each line of a stream is checked against
the OpenAPI description (types, enumerations, and no member that it does not know).

Usage: exchange_oanda.py DIR OPENAPI.json, the folder of an exchange that is ready. Prints one line a step; exit 1
where one fails. Run by scripts/exchange-clients, in an environment that has jsonschema.
"""
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.request

import jsonschema

FOLDER, OPENAPI = sys.argv[1:3]
with open(OPENAPI, encoding="utf-8") as source:
    API = json.load(source)
with open(os.path.join(FOLDER, "oanda.json"), encoding="utf-8") as source:
    KEYS = json.load(source)
with open(os.path.join(FOLDER, "live.yaml"), encoding="utf-8") as source:
    CONFIG = source.read()
URL = re.search(r"rest_url: (\S+)", CONFIG[CONFIG.index("\n  oanda:\n"):])[1]
TRUST = ssl.create_default_context(cafile=os.path.join(FOLDER, "ca.pem"))
ACCOUNT = f"/accounts/{KEYS['key']}"
# A definition that stands for one of several, by the member "type".
BY_TYPE = {
    "Transaction": {
        "LIMIT_ORDER": "LimitOrderTransaction", "MARKET_ORDER": "MarketOrderTransaction",
        "LIMIT_ORDER_REJECT": "LimitOrderRejectTransaction",
        "MARKET_ORDER_REJECT": "MarketOrderRejectTransaction", "ORDER_FILL": "OrderFillTransaction",
        "ORDER_CANCEL": "OrderCancelTransaction",
        "ORDER_CANCEL_REJECT": "OrderCancelRejectTransaction",
        "TRANSFER_FUNDS": "TransferFundsTransaction"},
    "Order": {"LIMIT": "LimitOrder", "MARKET": "MarketOrder"},
}
failures = 0


def step(title, problems, note=""):
    global failures
    failures += bool(problems)
    print(f"{'FAILED' if problems else 'ok'}: {title} {note}", flush=True)
    for problem in problems[:5]:
        print("  ", problem)


def resolve(schema, value):
    """A schema with its reference followed; the definition that a value's type names."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].split("/")[-1]
    if name in BY_TYPE and isinstance(value, dict):
        name = BY_TYPE[name].get(value.get("type"), name)
    return API["definitions"][name]


def unknown_members(schema, value, path="$"):
    """Members that the schema does not name, wherever they stand."""
    schema = resolve(schema, value)
    if isinstance(value, list):
        return [found for i, item in enumerate(value)
                for found in unknown_members(schema.get("items", {}), item, f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{path}.{name} is not in the schema" for name in value if name not in known]
    for name, item in value.items():
        if name in known:
            found += unknown_members(known[name], item, f"{path}.{name}")
    return found


def wrong_values(schema, value, path="$"):
    """What jsonschema says of each object by its own definition."""
    schema = resolve(schema, value)
    flat = {name: part for name, part in schema.items() if name in ("type", "enum")}
    found = [f"{path}: {error.message}" for error in jsonschema.Draft4Validator(flat).iter_errors(value)]
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += wrong_values(schema.get("items", {}), item, f"{path}[{i}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            found += wrong_values(schema.get("properties", {}).get(name, {}), item, f"{path}.{name}")
    return found


def judge(schema, value):
    return unknown_members(schema, value) + wrong_values(schema, value)


def ask(method, path, body=None, query=""):
    """(status, JSON) of a request."""
    request = urllib.request.Request(
        URL + "/v3" + path + query, method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEYS['secret']}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=TRUST, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check(title, status, method, path, pattern, body=None, query=""):
    """Ask, and judge the answer by the schema of its status; returns the answer."""
    found, answer = ask(method, path, body, query)
    responses = API["paths"][pattern][method.lower()]["responses"]
    problems = [] if found == status else [f"status {found}, expected {status}: {answer}"]
    schema = responses[str(status)].get("schema", {})
    step(title, problems + judge(schema, answer))
    return answer


def lines(path, query, count):
    """The first lines of a stream."""
    request = urllib.request.Request(URL + "/v3" + path + query,
                                     headers={"Authorization": f"Bearer {KEYS['secret']}"})
    with urllib.request.urlopen(request, context=TRUST, timeout=20) as answer:
        return [json.loads(answer.readline()) for _ in range(count)]


def order(units, price=None, client=None):
    made = {"type": "LIMIT" if price else "MARKET", "instrument": "EUR_USD", "units": units}
    if price:
        made["price"] = price
    if client:
        made["clientExtensions"] = {"id": client, "tag": "t", "comment": "c"}
    return {"order": made}


def judge_reading():
    one = "/accounts/{accountID}"
    check("accounts", 200, "GET", "/accounts", "/accounts")
    check("account", 200, "GET", ACCOUNT, one)
    check("summary", 200, "GET", ACCOUNT + "/summary", one + "/summary")
    check("instruments", 200, "GET", ACCOUNT + "/instruments", one + "/instruments")
    check("pricing", 200, "GET", ACCOUNT + "/pricing", one + "/pricing",
          query="?instruments=EUR_USD")
    check("positions", 200, "GET", ACCOUNT + "/positions", one + "/positions")
    check("open positions", 200, "GET", ACCOUNT + "/openPositions", one + "/openPositions")
    check("position", 200, "GET", ACCOUNT + "/positions/EUR_USD", one + "/positions/{instrument}")
    check("trades", 200, "GET", ACCOUNT + "/trades", one + "/trades")
    check("open trades", 200, "GET", ACCOUNT + "/openTrades", one + "/openTrades")
    check("orders", 200, "GET", ACCOUNT + "/orders", one + "/orders", query="?state=ALL")
    check("pending orders", 200, "GET", ACCOUNT + "/pendingOrders", one + "/pendingOrders")
    found = check("transactions", 200, "GET", ACCOUNT + "/transactions/sinceid",
                  one + "/transactions/sinceid", query="?id=0")
    ids = [int(transaction["id"]) for transaction in found["transactions"]]
    step("ids have no gaps", [] if ids == list(range(1, len(ids) + 1)) else [str(ids)])


def judge_trading():
    orders, spec = "/accounts/{accountID}/orders", "/accounts/{accountID}/orders/{orderSpecifier}"
    made = check("place", 201, "POST", ACCOUNT + "/orders", orders, order("1000", "1.05", "j-1"))
    number = made["orderCreateTransaction"]["id"]
    check("read by id", 200, "GET", f"{ACCOUNT}/orders/{number}", spec)
    check("read by client id", 200, "GET", f"{ACCOUNT}/orders/@j-1", spec)
    check("the same id again", 400, "POST", ACCOUNT + "/orders", orders,
          order("1000", "1.05", "j-1"))
    check("too many decimals", 400, "POST", ACCOUNT + "/orders", orders, order("1000", "1.050001"))
    check("replace", 201, "PUT", f"{ACCOUNT}/orders/@j-1", spec, order("2000", "1.06", "j-1"))
    check("cancel", 200, "PUT", f"{ACCOUNT}/orders/@j-1/cancel", spec + "/cancel")
    check("cancel again", 404, "PUT", f"{ACCOUNT}/orders/@j-1/cancel", spec + "/cancel")
    check("take", 201, "POST", ACCOUNT + "/orders", orders, order("1000", "1.2", "j-2"))
    check("turn around", 201, "POST", ACCOUNT + "/orders", orders, order("-1500", client="j-3"))
    check("no margin", 201, "POST", ACCOUNT + "/orders", orders, order("50000000"))
    check("a far order rests", 201, "POST", ACCOUNT + "/orders", orders, order("-10", "1.5", "j-4"))


def judge_streams():
    found = lines(ACCOUNT + "/pricing/stream", "?instruments=EUR_USD%2CBTC_USD", 8)
    kinds = {"PRICE": "ClientPrice", "HEARTBEAT": "PricingHeartbeat"}
    step("prices", [problem for line in found for problem in
                    judge({"$ref": f"#/definitions/{kinds[line['type']]}"}, line)])
    found = lines(ACCOUNT + "/transactions/stream", "", 1)
    step("heartbeat of transactions",
         judge({"$ref": "#/definitions/TransactionHeartbeat"}, found[0]))


def main():
    judge_reading()
    judge_trading()
    judge_reading()
    judge_streams()
    print(f"OANDA by its schema: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
