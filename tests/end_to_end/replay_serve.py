#!/usr/bin/env python3
"""capstan replay --serve: the same result as without, a pace that commands change, and what is refused. Speaks TAP."""
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, plan  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")
RELAXED = [part for setting in ("warm_up.trades=0", "warm_up.book_messages=0", "warm_up.samples=0", "breaker.edge=0",
                                "risk.position_limit=100lot") for part in ("--set", setting)]
WITHIN = 120

class Served:
    """A replay that is served, at a port of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([CAPSTAN, "replay", *arguments, "--serve", "--set", "ops.port=0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.search(r"(http://\S+?/)#token=(\w+)", line)
        assert found, line + self.process.stderr.read()
        self.url, self.token = found.groups()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def dashboard(self):
        with urllib.request.urlopen(self.url + "api/dashboard", timeout=WITHIN) as answer:
            return json.load(answer)

    def post(self, path, body=None, token=None):
        """The status that a command is answered with."""
        headers = {"Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "api/" + path, data=data, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=WITHIN) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def until(self, true):
        """The dashboard once that is true of it."""
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            told = self.dashboard()
            if true(told):
                return told
            time.sleep(0.02)
        raise AssertionError("it never came: " + json.dumps(told["session"]))

    def end(self):
        """Stop it, and what it printed."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=WITHIN)


def ended(told):
    return told["session"]["playback"]["ended"]


def same_result(folder, tape):
    plain = subprocess.run([CAPSTAN, "replay", tape, *RELAXED, "--json", "--journal", f"{folder}/plain.journal",
                            "-o", f"{folder}/plain.db"], capture_output=True, text=True, check=True)
    with Served(tape, *RELAXED, "--json", "--journal", f"{folder}/served.journal", "-o", f"{folder}/served.db",
                "--speed", "0") as served:
        # Stepped, hurried, paused in the middle, hurried again.
        for command, body in (("step", None), ("step", {"messages": "500"}), ("speed", {"speed": "500"}),
                              ("resume", None), ("pause", None), ("resume", None), ("speed", {"speed": "max"})):
            check(f"{command} is taken", served.post("playback/" + command, body) == 202)
        told = served.until(ended)
        output, _ = served.end()
        status = served.process.returncode
    one, other = json.loads(plain.stdout), json.loads(output)
    differs = [key for key in one if one[key] != other[key]]
    check("the result is that of a replay that nobody watches",
          status == 0 and set(differs) <= {"wall_seconds", "events_per_second"} and one["fills"] > 100, status, differs)
    with open(f"{folder}/plain.journal", "rb") as a, open(f"{folder}/served.journal", "rb") as b:
        check("so is the journal, byte for byte", a.read() == b.read())
    tables = []
    for name in ("plain", "served"):
        with sqlite3.connect(f"{folder}/{name}.db") as database:
            tables.append([database.execute(f"SELECT * FROM {table}").fetchall() for table in (
                "order_event", "fill", "fill_mid", "gate_block", "spell", "gate_interval", "position",
                "balance")])
        database.close()
    check("and the database", tables[0] == tables[1] and all(tables[0]))
    shown = {each["instrument"]: (each["realised"], each["unrealised"], each["fees"], each["position"])
             for each in told["instruments"]}
    check("the dashboard shows the end as the result has it", shown == {
        name: (each["realized_pnl"], each["unrealized_pnl"], each["fees"], each["position"])
        for name, each in one["instruments"].items()}, shown)


def pace(tape):
    with Served(tape, *RELAXED, "--speed", "0") as served:
        told = served.dashboard()
        check("speed 0 begins paused, before the first message",
              told["session"]["playback"] == {"paused": True, "ended": False, "speed": "1.000"}
              and told["counters"]["market_messages"] == 0, told["session"])
        for step, count in ((None, 1), ({"messages": "1"}, 2), ({"messages": "40"}, 42)):
            status = served.post("playback/step", step)
            told = served.until(lambda told, count=count: told["counters"]["market_messages"] >= count)
            check(f"a step gives so many messages of the market and waits: {count}",
                  status == 202 and served.dashboard()["counters"]["market_messages"] == count
                  and told["session"]["playback"]["paused"], told["counters"])
        check("the time shown is the tape's", told["time"].startswith("2024-01-01T00:00:0"), told["time"])
        for path, body in (("step", {"messages": 1}), ("step", {"messages": "0"}), ("step", {"messages": "1000001"}),
                           ("step", {"other": "1"}), ("speed", None), ("speed", {"speed": "0"}), ("speed", {"speed": "-1"}),
                           ("speed", {"speed": "nan"}), ("speed", {"speed": "1e12"}), ("speed", {"speed": "0.0001"}),
                           ("pause", {"a": "b"})):
            check(f"{path} {body} is refused", served.post("playback/" + path, body) == 400)
        check("a wrong token is refused", served.post("playback/resume", token="0" * 32) == 401)
        check("the engine is not commanded: that would make another run", served.post("command/pause") == 409)
        check("another speed", served.post("playback/speed", {"speed": "2.5"}) == 202
              and served.until(lambda told: told["session"]["playback"]["speed"] == "2.500"))
        check("still 42 messages", served.dashboard()["counters"]["market_messages"] == 42)
        before = served.dashboard()["time_ms"]
        began = time.monotonic()
        served.post("playback/resume")
        told = served.until(lambda told: told["time_ms"] - before >= 1500)
        took = time.monotonic() - began
        # 1.5 s of the tape at 2.5 times its speed; a slow machine may take longer, none may take less.
        check("time passes no faster than at that speed", took >= 0.9 * (told["time_ms"] - before) / 2500, took)
        _, errors = served.end()
        check("a signal in the middle ends it and says so", served.process.returncode == 3
              and "stopped before the end of the tape" in errors, served.process.returncode, errors)


def pace_from(tape):
    """Two minutes of books that are built before the engine starts are not waited for."""
    with Served(tape, *RELAXED, "--speed", "1", "--from", "2024-01-01T00:02:00Z") as served:
        told = served.until(lambda told: told["time"] >= "2024-01-01T00:02:00")
        check("what comes before --from passes at once", told["time"] < "2024-01-01T00:02:30", told["time"])
    with Served(tape, *RELAXED, "--speed", "0", "--from", "2024-01-01T00:02:00Z") as served:
        told = served.until(lambda told: told["time"] >= "2024-01-01T00:01:59")
        check("paused, it waits where the engine starts", told["time"] <= "2024-01-01T00:02:00.000"
              and told["session"]["playback"]["paused"], told["time"])


def stop_by_command(tape):
    with Served(tape, *RELAXED, "--speed", "max") as served:
        served.until(ended)
        status = served.post("command/shutdown")
        output, _ = served.process.communicate(timeout=WITHIN)
        check("the page's stop ends it, with its result", status == 202 and served.process.returncode == 0
              and "fingerprint" in output, status, output)


def refused(tape):
    for title, words, arguments in (
            ("a speed that is none", "--speed: 'fast' is none", ("--speed", "fast")),
            ("a speed below 0", "--speed: '-2' is none", ("--speed", "-2")),
            ("a server that is turned off", "ops.enabled is no", ("--set", "ops.enabled=no"))):
        done = subprocess.run([CAPSTAN, "replay", tape, "--serve", *arguments], capture_output=True, text=True,
                              timeout=WITHIN)
        check(title, done.returncode == 2 and words in done.stderr and not done.stdout, done.stderr)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run([CAPSTAN, "replay", tape, "--serve", "--set", f"ops.port={taken.getsockname()[1]}"],
                              capture_output=True, text=True, timeout=WITHIN)
        check("a port that is taken", done.returncode == 3 and "ops.port" in done.stderr, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        tape = f"{folder}/market.tape"
        subprocess.run([CAPSTAN, "synth", "-o", tape, "--seed", "7", "--events", "60000", "--instruments", "3"],
                       check=True, stdout=subprocess.DEVNULL)
        same_result(folder, tape)
        pace(tape)
        pace_from(tape)
        stop_by_command(tape)
        refused(tape)
    plan()


main()
