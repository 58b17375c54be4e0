#!/usr/bin/env python3
"""An independent client against capstan exchange: ccxt loads markets, reads book and balance, places, reads and
cancels an order, fetches its trades, and hears books, trades and its orders on streams, at Binance.US and Coinbase.

Usage: exchange_ccxt.py DIR, the folder of an exchange that is ready. Prints one line a step; exit 1 where one fails.
Run by scripts/exchange-clients, in an environment that has ccxt.
"""
import asyncio
import json
import os
import re
import sys

import ccxt
import ccxt.pro

FOLDER = sys.argv[1]
failures = 0


def step(title, good, note=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: {title} {note}", flush=True)


def url_of(venue):
    """The venue's address as live.yaml has it."""
    with open(os.path.join(FOLDER, "live.yaml"), encoding="utf-8") as file:
        text = file.read()
    block = text[text.index(f"\n  {venue}:\n"):]
    return re.search(r"rest_url: (\S+)", block)[1]


def credentials_of(venue):
    with open(os.path.join(FOLDER, f"{venue}.json"), encoding="utf-8") as file:
        found = json.load(file)
    return found["key"], found["secret"]


def moved(urls, address):
    """ccxt's table of addresses with each host replaced by ours."""
    if isinstance(urls, dict):
        return {name: moved(value, address) for name, value in urls.items()}
    if isinstance(urls, str):
        return re.sub(r"://[^/]+", "://" + address.split("//")[1], urls)
    return urls


def client_of(kind, venue, **options):
    key, secret = credentials_of(venue)
    client = kind({"apiKey": key, "secret": secret, "options": options})
    client.urls["api"] = moved(client.urls["api"], url_of(venue))
    client.session.trust_env = True  # so that it reads REQUESTS_CA_BUNDLE
    return client


def trade(name, client, symbol):
    """The whole of what a client does, and that each answer is right."""
    markets = client.load_markets()
    step(f"{name}: markets", symbol in markets, f"{len(markets)} of them")
    book = client.fetch_order_book(symbol, 10)
    bid, ask = book["bids"][0][0], book["asks"][0][0]
    step(f"{name}: book", bid < ask, f"{bid} / {ask}")
    before = client.fetch_balance()
    step(f"{name}: balance", before["USD"]["free"] > 0, f"{before['USD']['free']} USD")
    amount = 0.01
    price = round(bid * 0.99, 2)
    placed = client.create_order(symbol, "limit", "buy", amount, price, {"postOnly": True})
    step(f"{name}: place", bool(placed["id"]), placed["id"])
    read = client.fetch_order(placed["id"], symbol)
    step(f"{name}: read", read["status"] == "open" and read["price"] == price and
         read["amount"] == amount and read["filled"] == 0, read["status"])
    held = client.fetch_balance()
    step(f"{name}: hold", held["USD"]["used"] > price * amount * 0.999999, held["USD"]["used"])
    opened = [order["id"] for order in client.fetch_open_orders(symbol)]
    step(f"{name}: open orders", opened == [placed["id"]], opened)
    client.cancel_order(placed["id"], symbol)
    read = client.fetch_order(placed["id"], symbol)
    step(f"{name}: cancel", read["status"] == "canceled", read["status"])
    taken = client.create_order(symbol, "limit", "buy", amount, round(ask * 1.01, 2),
                                {"timeInForce": "IOC"})
    read = client.fetch_order(taken["id"], symbol)
    step(f"{name}: take", read["status"] == "closed" and read["filled"] == amount, read["status"])
    trades = [one for one in client.fetch_my_trades(symbol) if one["order"] == taken["id"]]
    filled = sum(one["amount"] for one in trades)
    step(f"{name}: my trades", abs(filled - amount) < 1e-12 and trades[0]["fee"]["cost"] > 0, filled)
    after = client.fetch_balance()
    step(f"{name}: balance after", after["BTC"]["total"] > before["BTC"]["total"],
         after["BTC"]["total"] - before["BTC"]["total"])
    try:
        client.create_order(symbol, "limit", "buy", 1000, price)
        step(f"{name}: funds", False)
    except ccxt.InsufficientFunds as error:
        step(f"{name}: funds", True, type(error).__name__)
    try:
        client.create_order(symbol, "limit", "buy", amount, round(ask * 1.01, 2), {"postOnly": True})
        step(f"{name}: post-only", False)
    except ccxt.BaseError as error:
        step(f"{name}: post-only", True, type(error).__name__)


async def hear(name, kind, venue, symbol, **options):
    """Streams: books that keep their sequence (ccxt checks it), trades, and the account's orders."""
    key, secret = credentials_of(venue)
    client = kind({"apiKey": key, "secret": secret, "options": options,
                   "cafile": os.path.join(FOLDER, "ca.pem")})
    client.urls["api"] = moved(client.urls["api"], url_of(venue))
    try:
        await client.load_markets()
        for _ in range(10):
            book = await asyncio.wait_for(client.watch_order_book(symbol), 20)
        bid, ask = book["bids"][0][0], book["asks"][0][0]
        step(f"{name}: book on a stream", bid < ask, f"{bid} / {ask}")
        trades = await asyncio.wait_for(client.watch_trades(symbol), 20)
        step(f"{name}: trades on a stream", trades[-1]["price"] > 0, trades[-1]["price"])
        told = asyncio.create_task(client.watch_orders(symbol))
        await asyncio.sleep(1)
        placed = await client.create_order(symbol, "limit", "buy", 0.01, round(bid * 0.99, 2),
                                           {"postOnly": True})
        orders = await asyncio.wait_for(told, 20)
        step(f"{name}: our order on a stream", orders[-1]["id"] == placed["id"], orders[-1]["status"])
        await client.cancel_order(placed["id"], symbol)
        while orders[-1]["status"] != "canceled":
            orders = await asyncio.wait_for(client.watch_orders(symbol), 20)
        step(f"{name}: its end on a stream", orders[-1]["id"] == placed["id"])
    finally:
        await client.close()


def main():
    os.environ["REQUESTS_CA_BUNDLE"] = os.path.join(FOLDER, "ca.pem")
    trade("Binance.US", client_of(ccxt.binanceus, "binance_us"), "BTC/USD")
    # Balances by default come from the older API, of the wallets, which is not played.
    brokerage = {"fetchBalance": "v3PrivateGetBrokerageAccounts"}
    trade("Coinbase", client_of(ccxt.coinbase, "coinbase", **brokerage), "BTC/USD")
    asyncio.run(hear("Binance.US", ccxt.pro.binanceus, "binance_us", "BTC/USD"))
    asyncio.run(hear("Coinbase", ccxt.pro.coinbase, "coinbase", "BTC/USD", **brokerage))
    print(f"ccxt {ccxt.__version__}: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
