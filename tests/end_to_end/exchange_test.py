#!/usr/bin/env python3
"""`capstan exchange` from outside: TLS by its test authority, requests and streams of the three venues, every fault
of the script as a client sees it, the state that is written, and bad input. Speaks TAP."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, plan  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")

# --- the exchange ---------------------------------------------------------------------------------


class Exchange:
    """One that runs, with a script of faults."""

    def __init__(self, folder, faults="", *arguments):
        self.folder = folder
        script = folder + ".faults"
        with open(script, "w", encoding="utf-8") as file:
            file.write(faults)
        self.errors = open(folder + ".err", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [CAPSTAN, "exchange", "--dir", folder, "--synth", "3", "--faults", script, "-v",
             *arguments], stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.ready = self.process.stdout.readline() == "ready\n"
        self.ports = {}
        for line in self.said().splitlines():
            venue, separator, address = line.partition(": https://127.0.0.1:")
            if separator:
                self.ports[venue] = int(address)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def trust(self):
        return ssl.create_default_context(cafile=os.path.join(self.folder, "ca.pem"))

    def keys(self, venue):
        with open(os.path.join(self.folder, venue + ".json"), encoding="utf-8") as file:
            return json.load(file)

    def state(self):
        path = os.path.join(self.folder, "state.json")
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def write_state(self):
        """Have the state written while it runs."""
        path = os.path.join(self.folder, "state.json")
        if os.path.exists(path):
            os.unlink(path)
        self.process.send_signal(signal.SIGUSR1)
        for _ in range(1200):
            if os.path.exists(path):
                return self.state()
            time.sleep(0.05)
        return {}

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Connection:
    """TLS over a plain socket whose errors are the system's: Python's own can't tell a reset from an end."""

    def __init__(self, exchange, venue, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", exchange.ports[venue]), timeout=timeout)
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = exchange.trust().wrap_bio(self.received, self.to_send, server_hostname="localhost")
        self.run(self.tls.do_handshake)

    def run(self, action, *arguments):
        """Do it, with as many bytes of the socket as it needs."""
        while True:
            try:
                done = action(*arguments)
                self.socket.sendall(self.to_send.read())
                return done
            except ssl.SSLWantReadError:
                self.socket.sendall(self.to_send.read())
            found = self.socket.recv(65536)
            if not found:
                raise EOFError("the connection ended")
            self.received.write(found)

    def sendall(self, content):
        self.run(self.tls.write, content)

    def recv(self, count):
        return self.run(self.tls.read, count)

    def close(self):
        self.socket.close()


class Client:
    """Requests to one venue, one connection each; `timeout` for an answer."""

    def __init__(self, exchange, venue, timeout=60):
        self.exchange, self.venue, self.timeout = exchange, venue, timeout
        self.trust, self.keys = exchange.trust(), exchange.keys(venue)

    def connect(self):
        connection = http.client.HTTPSConnection("localhost", self.exchange.ports[self.venue],
                                                 context=self.trust, timeout=60)
        connection.connect()
        connection.sock.settimeout(self.timeout)
        return connection

    def ask(self, method, path, body=None, headers=()):
        """(status, headers, text)."""
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()
        finally:
            connection.close()

    def sign(self, **parameters):
        """Signed parameters of Binance.US."""
        parameters.update(timestamp=int(time.time() * 1000), recvWindow=60000)
        total = urllib.parse.urlencode(parameters)
        total += "&signature=" + hmac.new(self.keys["secret"].encode(), total.encode(),
                                          hashlib.sha256).hexdigest()
        return total

    def signed(self, method, path, **parameters):
        """A signed request of Binance.US: the parameters in the query."""
        return self.ask(method, f"{path}?{self.sign(**parameters)}",
                        headers={"X-MBX-APIKEY": self.keys["key"]}.items())

    @staticmethod
    def order(client):
        return {"symbol": "BTCUSD", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.001",
                "price": "50000", "newClientOrderId": client}

    def place(self, client):
        return self.signed("POST", "/api/v3/order", **self.order(client))

    def place_plainly(self, client):
        """The same by hand; what the socket says is not hidden."""
        connection = Connection(self.exchange, self.venue, self.timeout)
        connection.sendall(f"POST /api/v3/order?{self.sign(**self.order(client))} HTTP/1.1\r\n"
                           f"Host: localhost\r\nX-MBX-APIKEY: {self.keys['key']}\r\n"
                           "Content-Length: 0\r\n\r\n".encode())
        return connection.recv(65536)

    def open_clients(self):
        status, _, text = self.signed("GET", "/api/v3/openOrders", symbol="BTCUSD")
        return {order["clientOrderId"] for order in json.loads(text)} if status == 200 else set()


class WebSocket:
    """The least of RFC 6455 that a test needs."""

    def __init__(self, exchange, venue, path):
        self.socket = Connection(exchange, venue)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.more()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        self.upgraded = b" 101 " in head.split(b"\r\n")[0]

    def more(self):
        self.bytes += self.socket.recv(65536)

    def take(self, count):
        while len(self.bytes) < count:
            self.more()
        found, self.bytes = self.bytes[:count], self.bytes[count:]
        return found

    def frame(self):
        """(operation, content) of the next frame; messages here are whole frames."""
        first, length = self.take(2)
        length &= 127
        if length == 126:
            length = struct.unpack(">H", self.take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.take(8))[0]
        return first & 15, self.take(length)

    def text(self):
        """The next text; None where the server says good-bye."""
        while True:
            operation, content = self.frame()
            if operation == 8:
                return None
            if operation == 1:
                return content.decode()

    def message(self):
        found = self.text()
        return None if found is None else json.loads(found)

    def say(self, value):
        content = json.dumps(value).encode()
        mask = b"\1\2\3\4"
        head = bytes([0x81, 0x80 | len(content)]) if len(content) < 126 else \
            bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(content))
        self.socket.sendall(head + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(content)))

    def close(self):
        self.socket.close()


def outcome(action):
    """What an action gives, or the name of the exception that it ends in."""
    try:
        return action()
    except (OSError, EOFError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__


def until(holds):
    """Whether it comes to hold; a machine may be slow."""
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


# --- what there is --------------------------------------------------------------------------------


def test_folder(exchange):
    folder = exchange.folder
    check("it is ready", exchange.ready, exchange.said())
    modes = {name: os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)}
    check("credentials and key are for the owner only",
          all(modes[name] == 0o600 for name in
              ("binance_us.json", "coinbase.json", "oanda.json", "server.key", "live.yaml")), modes)
    check("three venues listen", sorted(exchange.ports) == ["binance_us", "coinbase", "oanda"],
          exchange.ports)
    with open(os.path.join(folder, "live.yaml"), encoding="utf-8") as file:
        config = file.read()
    check("live.yaml has the addresses",
          all(f"rest_url: https://127.0.0.1:{port}\n" in config for port in exchange.ports.values()),
          config)
    strangers = ssl.create_default_context()
    connection = http.client.HTTPSConnection("localhost", exchange.ports["oanda"], context=strangers)
    check("without its authority it is not trusted",
          outcome(lambda: connection.request("GET", "/")) == "SSLCertVerificationError")


def test_binance_us(exchange):
    client = Client(exchange, "binance_us")
    status, headers, text = client.ask("GET", "/api/v3/exchangeInfo")
    info = json.loads(text)
    check("Binance.US: exchangeInfo", status == 200 and
          [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSD", "ETHUSD"] and
          int(headers["X-MBX-USED-WEIGHT-1M"]) >= 10, status, headers)
    _, _, text = client.ask("POST", "/api/v3/userDataStream",
                            headers={"X-MBX-APIKEY": client.keys["key"]}.items())
    private = WebSocket(exchange, "binance_us", "/ws/" + json.loads(text)["listenKey"])
    status, _, text = client.place("first")
    check("Binance.US: an order is taken", status == 200 and
          json.loads(text)["clientOrderId"] == "first", status, text)
    report = private.message()
    check("Binance.US: the private stream tells of it",
          (report["e"], report["x"], report["c"]) == ("executionReport", "NEW", "first"), report)
    position = private.message()
    check("Binance.US: and of the balances", position["e"] == "outboundAccountPosition" and
          position["B"][1]["l"] == "50.00000000", position)
    status, _, text = client.signed("DELETE", "/api/v3/order", symbol="BTCUSD",
                                    origClientOrderId="first")
    check("Binance.US: it is cancelled", json.loads(text)["status"] == "CANCELED", status, text)
    private.close()


def test_depth(exchange):
    """The rule of "How to manage a local order book correctly" holds."""
    stream = WebSocket(exchange, "binance_us", "/ws/ethusd@depth@100ms")
    first = stream.message()
    _, _, text = Client(exchange, "binance_us").ask("GET", "/api/v3/depth?symbol=ETHUSD&limit=1000")
    last = json.loads(text)["lastUpdateId"]
    events = [first]
    while events[-1]["u"] <= last:
        events.append(stream.message())
    check("Binance.US: depth goes on from the snapshot",
          events[-1]["U"] <= last + 1 <= events[-1]["u"] and
          all(b["U"] == a["u"] + 1 for a, b in zip(events, events[1:])), last, events)
    stream.close()


def es256_token(keys, uri=None):
    """A token as Coinbase wants it, signed by the openssl program."""
    def encode(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    now = int(time.time()) - 1
    header = {"alg": "ES256", "kid": keys["key"], "nonce": "0" * 64, "typ": "JWT"}
    claims = {"sub": keys["key"], "iss": "cdp", "nbf": now, "exp": now + 120}
    if uri:
        claims["uri"] = uri
    signed = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(keys["secret"])
        file.flush()
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", file.name],
                             input=signed.encode(), capture_output=True, check=True).stdout
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return signed + "." + encode(b"".join(numbers))


def coinbase(client, method, path, body=None):
    token = es256_token(client.keys, f"{method} api.coinbase.com{path.split('?')[0]}")
    status, headers, text = client.ask(method, path, None if body is None else json.dumps(body),
                                       {"Authorization": f"Bearer {token}"}.items())
    return status, headers, json.loads(text)


def test_coinbase(exchange):
    client = Client(exchange, "coinbase")
    status, _, text = client.ask("GET", "/api/v3/brokerage/accounts")
    check("Coinbase: nobody without a token", (status, text) == (401, "Unauthorized\n"), status, text)
    user = WebSocket(exchange, "coinbase", "/")
    user.say({"type": "subscribe", "channel": "user", "jwt": es256_token(client.keys)})
    snapshot, acknowledgement = user.message(), user.message()
    check("Coinbase: the user channel begins with what is open",
          snapshot["events"][0] == {"type": "snapshot", "orders": [], "positions":
                                    {"perpetual_futures_positions": [],
                                     "expiring_futures_positions": []}} and
          acknowledgement["channel"] == "subscriptions", snapshot, acknowledgement)
    status, _, made = coinbase(client, "POST", "/api/v3/brokerage/orders", {
        "client_order_id": "c-1", "product_id": "BTC-USD", "side": "BUY", "order_configuration":
        {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "50000", "post_only": True}}})
    check("Coinbase: an order is taken", status == 200 and made["success"], status, made)
    told = [user.message() for _ in range(2)]
    check("Coinbase: the user channel tells of it, numbered",
          [one["events"][0]["orders"][0]["status"] for one in told] == ["PENDING", "OPEN"] and
          [one["sequence_num"] for one in told] == [2, 3], told)
    order = made["success_response"]["order_id"]
    status, _, done = coinbase(client, "POST", "/api/v3/brokerage/orders/batch_cancel",
                               {"order_ids": [order]})
    check("Coinbase: it is cancelled", done["results"][0]["success"], status, done)
    user.close()


def test_oanda(exchange):
    client = Client(exchange, "oanda")
    account = "/v3/accounts/" + client.keys["key"]
    heads = {"Authorization": "Bearer " + client.keys["secret"], "Accept-Datetime-Format": "UNIX"}
    connection = client.connect()
    connection.request("GET", account + "/pricing/stream?instruments=EUR_USD", headers=heads)
    line = json.loads(connection.getresponse().readline())
    check("OANDA: prices are lines", line["type"] == "PRICE" and line["bids"][0]["price"] <
          line["asks"][0]["price"] and "." in line["time"], line)
    connection.close()
    body = json.dumps({"order": {"type": "LIMIT", "instrument": "EUR_USD", "units": "100",
                                 "price": "1.05", "clientExtensions": {"id": "o-1"}}})
    status, _, text = client.ask("POST", account + "/orders", body, heads.items())
    check("OANDA: an order is taken", status == 201, status, text)
    status, _, text = client.ask("PUT", account + "/orders/@o-1/cancel", "", heads.items())
    check("OANDA: it is cancelled", status == 200 and
          json.loads(text)["orderCancelTransaction"]["reason"] == "CLIENT_REQUEST", status, text)


def test_end(exchange):
    state = exchange.write_state()["binance_us"]
    check("SIGUSR1: the state has orders, requests and intents",
          state["orders"][0]["client"] == "first" and state["open"] == [] and
          [event["what"] for event in state["orders"][0]["history"]] == ["accepted", "cancelled"] and
          state["intents"]["first"] == {"place": 1, "cancel": 1} and state["requests"]["place"] == 1,
          state)
    check("SIGTERM ends it well", exchange.end() == 0, exchange.said())
    check("and the state stands there", "oanda" in exchange.state())


# --- faults ---------------------------------------------------------------------------------------

REQUEST_FAULTS = """
drop_request venue=binance_us request=place client=f-request
drop_answer  venue=binance_us request=place client=f-answer     # taken, not answered
accept_late  venue=binance_us request=place client=f-late by=8s
answer_late  venue=binance_us request=place client=f-slow by=1s
status       venue=binance_us request=place client=f-503 code=503 done=yes
status       venue=binance_us request=place client=f-500 code=500
status       venue=binance_us request=time code=429 retry_after=7 nth=2 count=2
status       venue=binance_us request=time code=418 retry_after=9 nth=4
malformed    venue=binance_us request=place client=f-half
reset        venue=binance_us request=place client=f-reset
reset        venue=binance_us request=place client=f-reset-done done=yes
stall        venue=binance_us request=place client=f-stall for=6s
half_open    venue=binance_us request=place client=f-open done=yes
status       venue=binance_us request=stream code=502 nth=1
clock_skew   venue=coinbase at=0s by=1h
outage       venue=oanda at=1s for=6s
"""


def test_request_faults(folder):
    exchange = Exchange(folder, REQUEST_FAULTS)
    client, hasty = Client(exchange, "binance_us"), Client(exchange, "binance_us", timeout=1.5)
    check("outage: nobody listens", until(lambda: outcome(
        lambda: Client(exchange, "oanda").ask("GET", "/v3/accounts")) == "ConnectionRefusedError"))
    check("drop_request: no answer, no order", outcome(lambda: client.place("f-request")) ==
          "RemoteDisconnected" and "f-request" not in client.open_clients())
    check("drop_answer: no answer, but an order", outcome(lambda: client.place("f-answer")) ==
          "RemoteDisconnected" and "f-answer" in client.open_clients())
    check("accept_late: the client has gone when the order is taken",
          outcome(lambda: hasty.place("f-late")) == "TimeoutError" and
          "f-late" not in client.open_clients())
    began = time.monotonic()
    check("answer_late: taken at once, answered later", client.place("f-slow")[0] == 200 and
          time.monotonic() - began >= 1)
    found = client.place("f-503")
    check("status with done: 503, and an order", found[0] == 503 and
          "f-503" in client.open_clients(), found)
    found = client.place("f-500")
    check("status: 500, and no order", found[0] == 500 and json.loads(found[2])["code"] == -1000 and
          "f-500" not in client.open_clients(), found)
    storm = [client.ask("GET", "/api/v3/time") for _ in range(5)]
    check("a storm of 429 and a 418 with Retry-After",
          [(one[0], one[1].get("Retry-After")) for one in storm] ==
          [(200, None), (429, "7"), (429, "7"), (418, "9"), (200, None)], storm)
    found = client.place("f-half")
    check("malformed: JSON that is none, and an order",
          outcome(lambda: json.loads(found[2])) == "JSONDecodeError" and
          "f-half" in client.open_clients(), found)
    check("reset: no order", outcome(lambda: client.place_plainly("f-reset")) ==
          "ConnectionResetError" and "f-reset" not in client.open_clients())
    check("reset with done: an order", outcome(lambda: client.place_plainly("f-reset-done")) ==
          "ConnectionResetError" and "f-reset-done" in client.open_clients())
    check("stall: time is over for the client, and the order comes",
          outcome(lambda: hasty.place("f-stall")) == "TimeoutError" and
          "f-stall" not in client.open_clients())
    check("half_open: taken, and silence", outcome(lambda: hasty.place("f-open")) == "TimeoutError" and
          "f-open" in client.open_clients())
    check("a websocket's upgrade that is refused",
          not WebSocket(exchange, "binance_us", "/ws/btcusd@trade").upgraded)
    check("what was late has come", until(lambda: {"f-late", "f-stall"} <= client.open_clients()))
    _, _, text = Client(exchange, "coinbase").ask("GET", "/api/v3/brokerage/time")
    check("outage: after it all is as before",
          until(lambda: outcome(lambda: Client(exchange, "oanda").ask("GET", "/v3/accounts")[0]) == 401))
    shown = int(json.loads(text)["epochMillis"]) / 1000 - time.time()
    check("clock_skew", 3590 < shown < 3610, text)
    check("it ends", exchange.end() == 0)
    state = exchange.state()["binance_us"]
    done = {fault["line"]: fault["done"] for fault in state["faults"]}
    check("each fault of a request was done",
          all(count == (2 if line == 8 else 1) for line, count in done.items()) and len(done) == 14,
          done)
    check("one order an intent", all(sum(order["client"] == client for order in state["orders"]) <= 1
                                     for client in state["intents"]), state["intents"])
    check("and the counts are printed", ".faults:2: drop_request: 1 of 1\n" in exchange.said(),
          exchange.said()[-2000:])


MESSAGE_FAULTS = """
gap        venue=binance_us message=depthUpdate nth=3
duplicate  venue=binance_us message=depthUpdate nth=5
reorder    venue=binance_us message=depthUpdate nth=7
malformed  venue=binance_us message=depthUpdate nth=10
stall      venue=binance_us message=depthUpdate nth=12 for=1s
disconnect venue=binance_us message=depthUpdate nth=15
reset      venue=binance_us message=trade nth=1
half_open  venue=binance_us message=bookTicker nth=3
gap        venue=coinbase message=heartbeats nth=2
gap        venue=oanda message=LIMIT_ORDER nth=1
disconnect venue=oanda at=10s
"""


def test_depth_faults(exchange):
    stream = WebSocket(exchange, "binance_us", "/ws/btcusd@depth@100ms")
    texts, times = [], []
    for _ in range(13):
        texts.append(stream.text())
        times.append(time.time())
    ids = [None if outcome(lambda text=text: json.loads(text)) == "JSONDecodeError" else
           (json.loads(text)["U"], json.loads(text)["u"]) for text in texts]
    # Sent: 1 2 4 5 5 6 8 7 9 10(half) 11 12(late) 13 14, then the end
    check("gap: a number is missing", ids[2][0] > ids[1][1] + 1, ids)
    check("duplicate: the same twice", ids[3] == ids[4], ids)
    check("reorder: the next goes first", ids[6][0] == ids[7][1] + 1, ids)
    check("malformed: one can't be read", [i for i, one in enumerate(ids) if one is None] == [9], ids)
    sent = json.loads(texts[11])["E"] / 1000
    check("stall: a second without a word", times[11] - sent >= 0.9, times, sent)
    check("disconnect: the venue ends the stream",
          [stream.text() for _ in range(2)][1] is None)
    stream.close()


def test_transaction_faults(exchange):
    """The connection and its stream, which ends when its moment comes."""
    client = Client(exchange, "oanda")
    account = "/v3/accounts/" + client.keys["key"]
    heads = {"Authorization": "Bearer " + client.keys["secret"]}
    connection = client.connect()
    connection.request("GET", account + "/transactions/stream", headers=heads)
    lines = connection.getresponse()
    last = int(json.loads(lines.readline())["lastTransactionID"])
    body = json.dumps({"order": {"type": "LIMIT", "instrument": "EUR_USD", "units": "100",
                                 "price": "1.05", "clientExtensions": {"id": "o-1"}}})
    client.ask("POST", account + "/orders", body, heads.items())
    client.ask("PUT", account + "/orders/@o-1/cancel", "", heads.items())
    found = {"type": "HEARTBEAT"}
    while found["type"] == "HEARTBEAT":
        found = json.loads(lines.readline())
    check("OANDA: a gap in the transactions", found["type"] == "ORDER_CANCEL" and
          int(found["id"]) == last + 2, found)
    _, _, text = client.ask("GET", f"{account}/transactions/sinceid?id={last}", None, heads.items())
    check("OANDA: which sinceid fills", [one["type"] for one in json.loads(text)["transactions"]] ==
          ["LIMIT_ORDER", "ORDER_CANCEL"], text)
    return connection, lines


def test_message_faults(folder):
    exchange = Exchange(folder, MESSAGE_FAULTS)
    connection, lines = test_transaction_faults(exchange)
    test_depth_faults(exchange)
    trades = WebSocket(exchange, "binance_us", "/ws/btcusd@trade")
    check("reset of a stream", outcome(trades.text) == "ConnectionResetError")
    tops = WebSocket(exchange, "binance_us", "/ws/btcusd@bookTicker")
    heard = [tops.text(), tops.text()]
    tops.socket.socket.settimeout(2)
    check("half_open: it stays and says nothing more", all(heard) and
          outcome(tops.text) == "TimeoutError")
    beats = WebSocket(exchange, "coinbase", "/")
    beats.say({"type": "subscribe", "channel": "heartbeats"})
    numbers = [beats.message()["sequence_num"] for _ in range(3)]
    check("Coinbase: a gap in the sequence of the connection", numbers == [0, 1, 3], numbers)
    rest = list(iter(lines.readline, b""))
    check("OANDA: the stream ends at its moment", all(json.loads(line)["type"] == "HEARTBEAT"
                                                     for line in rest), rest)
    connection.close()
    check("it ends after faults too", exchange.end() == 0)
    left = [(venue, fault) for venue, state in exchange.state().items() for fault in state["faults"]
            if fault["done"] == 0]
    check("each fault of a message was done", not left, left)


# --- bad input, and again -------------------------------------------------------------------------


def refuse(title, text, folder, *arguments):
    done = subprocess.run([CAPSTAN, "exchange", "--dir", folder, *arguments], capture_output=True,
                          text=True, timeout=120, check=False)
    check(title, done.returncode == 2 and text in done.stderr and done.stdout == "",
          done.returncode, done.stderr)


def test_bad_input(work):
    script = os.path.join(work, "bad.faults")
    with open(script, "w", encoding="utf-8") as file:
        file.write("# one line is right\nreset venue=any request=place\nreset venue=any request=jump\n")
    refuse("a script's error names file and line", f"{script}:3: request: there is none of the name",
           os.path.join(work, "x"), "--faults", script)
    refuse("a venue that is none", "expected binance_us, coinbase or oanda", os.path.join(work, "x"),
           "--venue", "kraken")
    refuse("amounts that are none", "sim.balances: 'lots' has an amount without its asset", os.path.join(work, "x"),
           "--balances", "binance_us=lots")
    tape = os.path.join(work, "made.tape")
    subprocess.run([CAPSTAN, "synth", "--events", "2000", "-o", tape], check=True,
                   stdout=subprocess.DEVNULL)
    refuse("a tape without such a venue", "expected instruments of binance_us, coinbase or oanda",
           os.path.join(work, "x"), "--tape", tape)


def test_tape(work):
    """A tape instead of a seed; certificates and credentials of a folder stay."""
    folder, tape = os.path.join(work, "one"), os.path.join(work, "live.tape")
    subprocess.run([CAPSTAN, "synth", "--live", "--events", "20000", "-o", tape], check=True,
                   stdout=subprocess.DEVNULL)
    kept = {}
    for name in ("ca.pem", "server.key", "oanda.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            kept[name] = file.read()
    with open(folder + ".err", "w", encoding="utf-8") as errors:
        process = subprocess.Popen([CAPSTAN, "exchange", "--dir", folder, "--tape", tape, "--venue",
                                    "oanda"], stdout=subprocess.PIPE, stderr=errors, text=True)
        check("a tape is played", process.stdout.readline() == "ready\n")
        process.send_signal(signal.SIGINT)
        check("SIGINT ends it well", process.wait(20) == 0)
    same = True
    for name, text in kept.items():
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            same &= file.read() == text
    check("what was in the folder stays", same)


def main():
    with tempfile.TemporaryDirectory() as work:
        exchange = Exchange(os.path.join(work, "one"))
        test_folder(exchange)
        test_binance_us(exchange)
        test_depth(exchange)
        test_coinbase(exchange)
        test_oanda(exchange)
        test_end(exchange)
        test_request_faults(os.path.join(work, "two"))
        test_message_faults(os.path.join(work, "three"))
        test_bad_input(work)
        test_tape(work)
    plan()


if __name__ == "__main__":
    main()
