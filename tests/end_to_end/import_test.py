#!/usr/bin/env python3
"""`capstan import binance` from outside: packing and order of files change nothing, every input is
accounted for, bad input is one line and exit 2, and the recorded data give the figures known of them
(skipped where they are absent). Speaks TAP."""
import glob
import gzip
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, plan, skip  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")
SRCDIR = os.environ.get("srcdir", ".")
SHARED = os.environ.get("CAPSTAN_SHARED", os.path.join(SRCDIR, "../shared"))
CAPTURES = os.path.join(SRCDIR, "tests/end_to_end/captures")

def run(*arguments):
    return subprocess.run([CAPSTAN, *arguments], capture_output=True, text=True)


def capture(name):
    return os.path.join(CAPTURES, name)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def unaccounted(counts):
    """Kinds of which more or less was read than the sum of what became of it."""
    fates = {
        "levels": ("emitted", "held", "superseded", "duplicate", "never_synchronised"),
        "snapshot_levels": ("emitted", "redundant", "too_old"),
        "trades": ("emitted", "duplicate"),
        "tops": ("emitted", "duplicate", "superseded"),
    }
    return [kind for kind, names in fates.items()
            if counts[f"{kind}_read"] != sum(counts[f"{kind}_{name}"] for name in names)]


def import_all(files, output):
    done = run("import", "binance", *files, "-o", output, "--json")
    return (json.loads(done.stdout) if done.returncode == 0 else None), done.stderr


def fixtures(folder):
    made = subprocess.run(["python3", capture("make_captures.py"), folder], capture_output=True,
                          text=True)
    names = sorted(os.path.basename(path) for path in glob.glob(folder + "/*.txt"))
    same = all(content(f"{folder}/{name}") == content(capture(name)) for name in names)
    check("the captures are what their script writes", made.returncode == 0 and names and same,
          made.stderr, names)


def packing(folder):
    plain = content(capture("good_spot_held.txt"))
    half = plain.index(b"\n", len(plain) // 2) + 1
    with open(folder + "/misnamed.txt", "wb") as file:  # two members, as log rotation leaves them
        file.write(gzip.compress(plain[:half]) + gzip.compress(plain[half:]))
    import_all([capture("good_spot_held.txt")], folder + "/plain.tape")
    import_all([folder + "/misnamed.txt"], folder + "/gzip.tape")
    check("gzip in two members gives the same tape",
          content(folder + "/plain.tape") == content(folder + "/gzip.tape"))
    cut_short(folder, "gzip", gzip.compress(plain)[:-30])
    title = "zstd gives the same tape"
    if shutil.which("zstd") is None:
        skip(title, "no zstd here")
        return
    subprocess.run(["zstd", "-q", capture("good_spot_held.txt"), "-o", folder + "/packed.gz"], check=True)
    import_all([folder + "/packed.gz"], folder + "/zstd.tape")
    check(title, content(folder + "/plain.tape") == content(folder + "/zstd.tape"))
    parts = [subprocess.run(["zstd", "-qc"], input=part, capture_output=True, check=True).stdout
             for part in (plain[:half], plain[half:])]
    cut_short(folder, "zstd", b"".join(parts)[:-20])


def cut_short(folder, program, data):
    """The refusal of a truncated file says how to get at its whole lines, and they can be imported."""
    path = f"{folder}/short.{program}"
    with open(path, "wb") as file:
        file.write(data)
    done = run("import", "binance", path, "-o", folder + "/refused.tape")
    told = re.search(rf":(\d+): the {program} data ends early, at byte {len(data)}: .*`{program} -dc FILE \| head -n (\d+)`",
                     done.stderr)
    check(f"refused: truncated {program}, with what to do", done.returncode == 2 and told, done.stderr)
    if not told or shutil.which(program) is None:
        return
    unpacked = subprocess.run(f"{program} -dc {path} 2>/dev/null | head -n {told[2]} >{path}.txt", shell=True, check=False)
    lines = content(path + ".txt").splitlines(keepends=True)
    check(f"what {program} unpacks of it has those lines",
          len(lines) == int(told[2]) == int(told[1]) - 1 and lines[-1].endswith(b"\n"), unpacked, len(lines), told[0])
    report, why = import_all([path + ".txt"], path + ".tape")
    check(f"and they can be imported ({program})", report and report["lines"] == len(lines), report, why)


def order(folder):
    names = ["good_usdm_held.txt", "good_coinm.txt", "good_spot_held.txt", "good_gap.txt"]
    tapes = set()
    for number, files in enumerate(itertools.permutations(names)):
        import_all([capture(name) for name in files], f"{folder}/order{number}.tape")
        tapes.add(content(f"{folder}/order{number}.tape"))
    check("24 orders of arguments give one tape", len(tapes) == 1, len(tapes))
    report, _ = import_all([capture(name) for name in names + names[:1]], folder + "/twice.tape")
    check("a file given twice is told and read once",
          report["files"] == 4 and report["files_given_twice"] == 1, report)
    check("every level, trade and best bid/ask is accounted for",
          not unaccounted(report["total"]), unaccounted(report["total"]))
    check("grade D for the gap, with its reason",
          report["grade"] == "D" and any("1 gap" in line for line in report["grade_reasons"]),
          report["grade_reasons"])


def instruments(folder):
    with open(folder + "/terms.yaml", "w", encoding="ascii") as file:
        file.write("binance_spot:\n  contract: spot\n  fee_asset: received\n  maker_fee: 0\n"
                   "  taker_fee: 0.002\n  base_commission_precision: 8\n"
                   "  quote_commission_precision: 2\n  symbols:\n"
                   "    DOGEXYZ: {base: DOGE, quote: XYZ, minimum_notional: 10}\n")
    done = run("import", "binance", capture("bad_symbol.txt"), "-o", folder + "/terms.tape",
               "--instruments", folder + "/terms.yaml", "--json")
    check("--instruments tells of a symbol that is not built in", done.returncode == 0, done.stderr)
    check("trades alone are not fit for fills",
          done.returncode == 0 and json.loads(done.stdout)["grade"] == "F")
    with open(folder + "/terms.yaml", "a", encoding="ascii") as file:
        file.write("    AB: {base: A, quote: B, tick: 1}\n")
    refuse(folder, "unknown key in the instruments file",
           [capture("good_gap.txt"), "--instruments", folder + "/terms.yaml"],
           "terms.yaml:10: unknown key")
    refuse(folder, "missing instruments file",
           [capture("good_gap.txt"), "--instruments", folder + "/gone.yaml"],
           "gone.yaml: cannot open")


def refuse(folder, title, arguments, text):
    done = run("import", "binance", *arguments, "-o", folder + "/refused.tape")
    left = glob.glob(folder + "/refused.tape*")
    check(f"refused: {title}",
          done.returncode == 2 and done.stderr.count("\n") == 1 and text in done.stderr
          and not left and not done.stdout,
          f"exit {done.returncode}, expected 2 and one line with: {text}", done.stderr, left)


def refusals(folder):
    os.mkdir(folder + "/directory")
    damaged = bytearray(gzip.compress(content(capture("good_gap.txt"))))
    damaged[-6] ^= 1  # in the check sum
    for name, data in (("empty", b""), ("blank", b"\n\n"),
                       ("nul", b"1709337590 {\"e\":\"trade\"}\0\n"),
                       ("head.gz", gzip.compress(content(capture("good_gap.txt")))[:40]),
                       ("damaged.gz", damaged),
                       ("huge_time", b"9999999999999999999 {}\n")):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    for title, path, text in (
            ("missing file", folder + "/gone", "gone: cannot open"),
            ("directory", folder + "/directory", "directory: is a directory"),
            ("empty file", folder + "/empty", "empty: is empty"),
            ("blank lines only", folder + "/blank", "blank: has no line"),
            ("a NUL in a frame", folder + "/nul", "nul:1: expected one JSON object"),
            ("gzip without a whole line", folder + "/head.gz", "head.gz:1: the gzip data ends early, at byte 40, before its first line"),
            ("damaged gzip", folder + "/damaged.gz", ": damaged gzip data"),
            ("receive time out of range", folder + "/huge_time", "huge_time:1: receive time out of range"),
            ("text", capture("bad_text.txt"), "bad_text.txt:1: expected `<receive time> <frame>`"),
            ("receive time of 11 digits", capture("bad_time.txt"), "bad_time.txt:1: expected"),
            ("a line cut short", capture("bad_json.txt"), "bad_json.txt:2: expected one JSON object"),
            ("a quantity that is a number", capture("bad_shape.txt"), "bad_shape.txt:1: field b[0]"),
            ("an id beyond 2^53", capture("bad_id.txt"), "bad_id.txt:1: field U"),
            ("an id with a fraction", capture("bad_fraction.txt"), "bad_fraction.txt:1: field t"),
            ("no Binance frame", capture("bad_frame.txt"), "bad_frame.txt:1: expected a Binance frame"),
            ("an unknown symbol", capture("bad_symbol.txt"), "binance_spot:DOGEXYZ"),
            ("a snapshot that joins no book", capture("bad_ambiguous.txt"),
             "bad_ambiguous.txt:3: snapshot 5000 of binance_spot"),
            ("a snapshot alone", capture("bad_snapshot_alone.txt"), "candidates: none")):
        refuse(folder, title, [path], text)
    refuse(folder, "no file", [], "")
    refuse(folder, "a floor without unit", [capture("good_gap.txt"), "--floor", "1"], "--floor")
    refuse(folder, "a floor that is no delay", [capture("good_gap.txt"), "--floor", "-1ms"], "--floor")


def recorded(folder):
    six = sorted(glob.glob(f"{SHARED}/data/binance-2024-08-08/*.gz"))
    titles = ("six books: figures as known", "six books: everything accounted for",
              "six books: the grade names the clock", "six books: `tape check` passes",
              "six books: zstd takes the tape", "six books: another order, the same tape")
    if not six:
        for title in titles:
            skip(title, "no recorded data at " + SHARED)
        return
    report, errors = import_all(six, folder + "/six.tape")
    if report is None:
        for title in titles:
            check(title, False, errors)
        return
    total = report["total"]
    figures = {"levels_read": 2540651, "tops_read": 335931, "trades_read": 78638,
               "snapshot_levels_read": 12000, "gaps": 0, "crossed_intervals": 0, "trades_missing": 0}
    check(titles[0], all(total[name] == value for name, value in figures.items()), total)
    check(titles[1], not any(unaccounted(counts) for counts in
                             [total, *report["instruments"].values()]), total)
    check(titles[2], report["grade"] == "C" and
          any("clock" in line and "+1.27" in line for line in report["grade_reasons"]),
          report["grade_reasons"])
    done = run("tape", "check", folder + "/six.tape")
    if "no command 'check'" in done.stderr:
        skip(titles[3], "this build has no `tape check`")
    else:
        check(titles[3], done.returncode == 0, done.stderr)
    if shutil.which("zstd"):
        done = subprocess.run(["zstd", "-qt", folder + "/six.tape"], capture_output=True, text=True)
        check(titles[4], done.returncode == 0, done.stderr)
    else:
        skip(titles[4], "no zstd here")
    import_all(six[::-1], folder + "/six2.tape")
    check(titles[5], content(folder + "/six.tape") == content(folder + "/six2.tape"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/captures")
        fixtures(folder + "/captures")
        packing(folder)
        order(folder)
        instruments(folder)
        refusals(folder)
        recorded(folder)
    plan()


main()
