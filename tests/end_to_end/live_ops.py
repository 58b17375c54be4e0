#!/usr/bin/env python3
"""Health, metrics, commands and the dashboard of real sessions against the exchange of this machine. Prints TAP."""
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

sys.dont_write_bytecode = True
from live_common import CAPSTAN, Skip, main, port_of, run, started, test, until  # noqa: E402

TOKEN = "a-token-for-this-test-only"


class Session:
    """A session, and what is asked of it."""

    def __init__(self, folder, venue, mode="live", *more):
        self.port = None
        self.tape = folder / "session.tape"
        self.log = folder / "session.log"
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        command = [CAPSTAN, mode, "-c", venue.config, "--tape", self.tape, "--json", "--set", f"ops.token_file={token}", *more]
        self.process = started(list(map(str, command)), stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True,
                               env={**os.environ, "CAPSTAN_LOG": "info,capstan.ops=debug"})

    def ask(self, path, method="GET", body=None, headers=None):
        """Status and text; (0, "") where nobody answers."""
        self.port = self.port or port_of(self.log)
        if not self.port:
            return 0, ""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=headers or {},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""

    def command(self, name, instrument=None):
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        status, text = self.ask(f"/api/command/{name}", "POST", {"instrument": instrument} if instrument else {}, headers)
        assert status == 202, f"{name}: {status} {text}"

    def dashboard(self):
        return json.loads(self.ask("/api/dashboard")[1] or "{}")

    def instrument(self, name):
        return next(i for i in self.dashboard()["instruments"] if i["instrument"] == name)

    def metric(self, line):
        """The value of the sample that begins so."""
        for text in self.ask("/metrics")[1].splitlines():
            if text.startswith(line + " "):
                return Decimal(text.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {line}")

    def until(self, what, condition):
        until(condition, lambda: f"{what}: {self.log.read_text()[-1500:]}", process=self.process, every=0.05)

    def is_ready(self):
        return self.ask("/readyz")[0] == 200

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=120)
        return self.process.returncode, out


@test
def it_lives_before_it_is_ready_and_becomes_ready(folder, venue):
    session = Session(folder, venue)
    session.until("/healthz", lambda: session.ask("/healthz")[0] == 200)
    session.until("/readyz", session.is_ready)
    ready = {"ready": True, "checks": {"database": None, "redis": None,
                                       "exchanges": {"coinbase": None, "binance_us": True, "oanda": None}}}

    def says_so():
        status, text = session.ask("/health/ready")
        return status == 200 and json.loads(text) == ready

    session.until("/health/ready", says_so)
    live = json.loads(session.ask("/health/live")[1])
    assert live["status"] == "ok" and set(live) == {"status", "version", "uptime_seconds"}, live
    environment = {**os.environ, "CAPSTAN_OPS__PORT": str(session.port)}
    session.until("capstan health", lambda: run("health", env=environment).returncode == 0)
    other = run("live", "-c", venue.config, "--tape", folder / "other.tape", "--set", f"ops.port={session.port}",
                "--set", "live.session=other")
    assert other.returncode == 3 and "ops.port" in other.stderr and "in use" in other.stderr, other.stderr[-500:]
    assert not (folder / "other.tape").exists()
    assert session.end()[0] == 0
    assert run("health", env=environment).returncode == 1


@test
def promtool_has_no_complaint(folder, venue):
    if not shutil.which("promtool"):
        raise Skip("no promtool (package prometheus)")
    session = Session(folder, venue, "live", "--db", folder / "run.db")
    session.until("a fill", lambda: '"fills":[{' in session.ask("/api/dashboard")[1])
    session.until("the database", lambda: (session.dashboard().get("database") or {}).get("well"))
    assert session.metric("capstan_database_breaker_state") == 0
    assert session.metric("capstan_log_lines_dropped_total") == 0
    text = session.ask("/metrics")[1]
    assert session.end()[0] == 0
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked.stdout + checked.stderr


@test
def figures_agree_with_each_other_and_with_the_tape(folder, venue):
    session = Session(folder, venue)
    session.until("fills", lambda: len(session.dashboard().get("fills", [])) >= 3)
    session.command("pause")  # else it quotes again at once
    session.command("cancel-all")

    def is_calm():
        """Nothing is sent any more, and what was has ended."""
        shown = session.dashboard()
        return shown["counters"]["open_orders"] == 0 and all(one["paused"] for one in shown["instruments"])

    session.until("no orders", is_calm)
    shown = session.dashboard()
    for one in shown["instruments"]:
        name = one["instrument"]
        assert session.metric(f'capstan_position{{instrument="{name}"}}') == Decimal(one["position"])
        parts = Decimal(one["realised"]) + Decimal(one["unrealised"]) - Decimal(one["fees"]) + Decimal(one["funding"])
        assert Decimal(one["profit"]) == parts, one
        if Decimal(one["position"]) == 0:  # no price moves it any more
            assert session.metric(f'capstan_instrument_profit{{instrument="{name}",asset="USD"}}') == parts
    count = sum(session.metric(f'capstan_fills_total{{exchange="binance_us",side="{side}",liquidity="{liquidity}"}}')
                for side in ("buy", "sell") for liquidity in ("maker", "taker"))
    assert count == shown["counters"]["fills"], (count, shown["counters"])
    placed = sum(session.metric(f'capstan_orders_placed_total{{exchange="binance_us",side="{side}",type="limit"}}')
                 for side in ("buy", "sell"))
    status, out = session.end()
    assert status == 0, session.log.read_text()[-1500:]
    result = json.loads(out)
    assert result["fills"] == count, (result, count)
    text = run("tape", "cat", session.tape).stdout
    accepted = {line.split("order=")[1].split()[0] for line in text.splitlines() if " order_accepted " in line}
    assert placed == len(accepted), (placed, sorted(accepted))
    positions = {line.split()[2]: line.split("position=")[1].split()[0] for line in text.splitlines()
                 if " final_position " in line}
    for one in shown["instruments"]:
        assert Decimal(positions[one["instrument"]]) == Decimal(one["position"]), (positions, one)


@test
def a_pause_stands_on_the_tape_and_a_resume_ends_it(folder, venue):
    name = "binance_us:BTCUSD"
    session = Session(folder, venue)
    session.until("quotes", lambda: session.is_ready() and session.instrument(name)["orders"])
    assert session.ask("/api/command/pause", "POST")[0] == 401
    session.command("cancel-all", name)
    session.until("pulled", lambda: session.instrument(name)["pulled"] and not session.instrument(name)["orders"])
    assert session.instrument("binance_us:ETHUSD")["paused"] is False
    assert "paused" in session.instrument(name)["gates"]
    session.command("resume", name)
    session.until("quotes again", lambda: session.instrument(name)["orders"])
    session.until("the notice", lambda: any(n["kind"] == "command" and n["command"] == "resume"
                                            for n in session.dashboard()["notices"]))
    session.command("trip")
    session.until("tripped", lambda: session.instrument(name)["breakers"]["operator"] == "cancel_all")
    session.command("clear")
    session.until("clear", lambda: session.instrument(name)["breakers"]["operator"] == "clear")
    assert session.end()[0] == 0
    text = run("tape", "cat", session.tape).stdout
    for command in ("cancel_all", "resume", "trip", "reset"):
        assert f"command={command}" in text, f"{command} is not on the tape"
    verified = run("verify", session.tape)
    assert verified.returncode == 0 and "identical" in verified.stdout, verified.stdout + verified.stderr


@test
def a_shutdown_by_command_is_not_ready_first(folder, venue):
    session = Session(folder, venue)
    session.until("/readyz", session.is_ready)
    session.command("shutdown")
    status, text = session.ask("/readyz")
    assert status in (0, 503), text
    assert session.process.wait(120) == 0
    assert " shutdown " in run("tape", "cat", session.tape).stdout
    log = session.log.read_text()
    assert "an operator's command: shutting down" in log and TOKEN not in log
    assert '"request_id"' in log


@test
def a_shutdown_that_is_commanded_again_is_not_forced(folder, venue):
    session = Session(folder, venue)
    session.until("orders", lambda: session.dashboard().get("counters", {}).get("open_orders", 0) > 0)
    session.command("shutdown")
    try:
        session.command("shutdown")
    except (OSError, AssertionError):
        pass  # it has ended already
    if session.process.poll() is None:
        session.process.send_signal(signal.SIGTERM)
    assert session.process.wait(120) == 0, session.log.read_text()[-1500:]
    assert not Path(f"{session.tape}.unconfirmed").exists()
    assert run("tape", "cat", session.tape).stdout.count(" shutdown ") == 1


@test
def paper_and_record_serve_too(folder, venue):
    for mode in ("paper", "record"):
        within = folder / mode
        within.mkdir()
        session = Session(within, venue, mode)
        session.until("messages", lambda: session.dashboard().get("session") and
                      session.metric('capstan_messages_total{class="market"}') > 50)
        assert session.dashboard()["session"]["mode"] == mode
        if mode == "record":
            status, text = session.ask("/readyz")
            assert status == 503 and "recording" in text, text
            session.until("/health/ready", lambda: session.ask("/health/ready")[0] == 200)
        else:
            session.until("/readyz", session.is_ready)
        session.command("shutdown")
        assert session.process.wait(120) == 0, session.log.read_text()[-1500:]


if __name__ == "__main__":
    sys.exit(main())
