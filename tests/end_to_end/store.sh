#!/bin/sh
# The run database: the rows that a replay writes are those that project makes of the session's tape,
# and they agree with the result that replay prints.
set -u
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
number=0
check()
{
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}
if ! command -v python3 >/dev/null 2>&1; then
    echo "1..0 # SKIP no python3"
    exit 0
fi
echo "1..10"
"$CAPSTAN" synth -o "$folder/market.tape" --seed 7 --events 60000 --instruments 3
check $? "a market tape is made"
"$CAPSTAN" replay "$folder/market.tape" --set quote.size=20lot --set store.sample=100ms \
    --tape "$folder/session.tape" -o "$folder/run.db" --json >"$folder/result.json"
check $? "replay writes a database"
"$CAPSTAN" project "$folder/session.tape" -o "$folder/project.db"
check $? "project writes a database"
"$CAPSTAN" replay "$folder/market.tape" --set sim.reorder=0 -o "$folder/late.db" --json \
    >"$folder/late.json" || echo "# replay of late messages failed"

cat >"$folder/compare.py" <<'PY'
import json, sqlite3, sys
folder, what = sys.argv[1:]
run = sqlite3.connect(folder + "/run.db")
project = sqlite3.connect(folder + "/project.db")
result = json.load(open(folder + "/result.json"))
def one(db, sql):
    return db.execute(sql).fetchone()[0]
if what == "rows":
    tables = [r[0] for r in run.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert len(tables) == 13, tables
    for table in tables:
        if table == "run":
            continue
        a = run.execute(f"SELECT * FROM {table}").fetchall()
        b = project.execute(f"SELECT * FROM {table}").fetchall()
        # Nothing is changed at the venue here, and no breaker trips.
        assert a == b and (a or table in ("modify", "breaker_interval")), (table, len(a), len(b))
elif what == "counts":
    assert one(run, "SELECT count(*) FROM orders") == result["place_requests"] > 0
    assert one(run, "SELECT count(*) FROM fill") == result["fills"] > 0
    for cause, count in result["fills_by_cause"].items():
        assert one(run, f"SELECT count(*) FROM fill WHERE cause = '{cause}'") == count
elif what == "provenance":
    row = run.execute("SELECT fingerprint, tape_grade, seed, length(build_id), events, "
                      "length(tape_identity), length(config) FROM run").fetchone()
    assert row[0] == result["fingerprint"] and row[4] == result["events"], row
    assert row[2] == 1 and row[3] > 0 and row[5] == 32 and row[6] > 100, row
    assert row[0] == one(project, "SELECT fingerprint FROM run")
    counts = "SELECT messages, market_messages, ticks, answers FROM run"
    told = tuple(result[name] for name in ("messages", "market_messages", "ticks", "answers"))
    assert run.execute(counts).fetchone() == project.execute(counts).fetchone() == told, told
    assert told[0] == sum(told[1:]) + 1, told
elif what == "grades":
    sql = "SELECT tape_grade, run_grade, run_grade_reasons FROM run"
    assert run.execute(sql).fetchone() == ("A", "A", ""), run.execute(sql).fetchone()
    late = sqlite3.connect(folder + "/late.db").execute(sql).fetchone()
    told = json.load(open(folder + "/late.json"))
    assert told["late_messages"] > 0 and late[:2] == ("A", "C"), late
    assert late[1] == told["input_grade"] and late[2].split("\n") == told["grade_reasons"], late
elif what == "samples":
    times = [r[0] for r in run.execute("SELECT DISTINCT at_ns FROM position WHERE why = 'sample'")]
    assert times and all(t % 100_000_000 == 0 for t in times)
    assert times == sorted(times)
elif what == "from":
    start = 1_704_067_230_000_000_000
    first, last, events = run.execute("SELECT first_ns, last_ns, events FROM run").fetchone()
    assert start == first < last, (first, last)
    assert events == result["events"] and result["events_before_start"] > 0
    assert one(run, "SELECT min(at_ns) FROM position") >= start
    span = "SELECT first_ns, last_ns, events, messages, cycles, decisions FROM run"
    assert run.execute(span).fetchone() == project.execute(span).fetchone()
    positions = "SELECT * FROM position"
    assert run.execute(positions).fetchall() == project.execute(positions).fetchall()
elif what == "views":
    for view, in run.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
        assert run.execute(f"SELECT count(*) FROM {view}").fetchone()[0] > 0 or view == "breakers", view
    assert one(run, "SELECT sum(orders) FROM outcomes") == result["place_requests"]
PY
for what in rows counts provenance grades samples views; do
    python3 "$folder/compare.py" "$folder" "$what"
    check $? "$what"
done
"$CAPSTAN" replay "$folder/market.tape" --from 2024-01-01T00:00:30Z --set store.sample=100ms \
    --tape "$folder/session.tape" -o "$folder/run.db" --json >"$folder/result.json" &&
    "$CAPSTAN" project "$folder/session.tape" -o "$folder/project.db" &&
    python3 "$folder/compare.py" "$folder" from
check $? "with --from the database begins at the engine's start"
