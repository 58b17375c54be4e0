#!/usr/bin/env python3
"""The report in a browser, at a desk's and a phone's size, light and dark: every chart is drawn, nothing is fetched,
nothing sticks out, and the keyboard reaches the tables. Skipped where there is no chromium. Speaks TAP."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402
from tap import check, plan  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")

def run(*arguments):
    subprocess.run([CAPSTAN, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def make(folder):
    tape = f"{folder}/market.tape"
    run("synth", "-o", tape, "--seed", 7, "--events", 60000, "--instruments", 4)
    relaxed = [part for setting in ("warm_up.trades=0", "warm_up.book_messages=0", "warm_up.samples=0",
                                    "breaker.edge=0", "risk.position_limit=100lot") for part in ("--set", setting)]
    run("replay", tape, *relaxed, "-o", f"{folder}/a.db")
    run("replay", tape, *relaxed, "--set", "quote.half_spread=4tick", "-o", f"{folder}/b.db")
    run("report", f"{folder}/a.db", "-o", f"{folder}/one.html")
    run("report", f"{folder}/a.db", f"{folder}/b.db", "-o", f"{folder}/two.html")
    run("synth", "-o", f"{folder}/other.tape", "--seed", 8, "--events", 20000, "--instruments", 6)
    run("replay", f"{folder}/other.tape", *relaxed, "-o", f"{folder}/c.db")
    run("report", f"{folder}/a.db", f"{folder}/c.db", "-o", f"{folder}/others.html")


def colours_differ(page):
    """A chart's canvas has something on it: more than one colour."""
    return page.value("[...document.querySelectorAll('canvas')].every(c => {"
                      " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
                      " const seen = new Set(); for (let i = 3; i < d.length; i += 4) if (d[i]) seen.add("
                      "d[i - 3] << 16 | d[i - 2] << 8 | d[i - 1]); return seen.size > 1; })")


def look(page, folder, name, width, height, dark):
    title = f"{name} at {width}x{height}{', dark' if dark else ''}"
    page.open(f"file://{folder}/{name}.html", width, height, dark)
    wanted = page.value("JSON.parse(document.getElementById('data').textContent).charts.length")
    page.until(f"document.querySelectorAll('canvas').length === {wanted}")
    drawn = page.value("document.querySelectorAll('canvas').length")
    check(f"{title}: every chart is drawn", wanted == drawn > 4 and colours_differ(page), wanted, drawn)
    # A phone's browser makes the page smaller where something sticks out: window.innerWidth grows with it.
    sticks_out = page.value("document.documentElement.scrollWidth") - width
    check(f"{title}: nothing sticks out", sticks_out <= 0, sticks_out)
    check(f"{title}: no complaint, nothing fetched",
          not page.complaints and all(url.startswith("file:") for url in page.requests) and len(page.requests) == 1,
          page.complaints, page.requests)
    page.picture(f"report-{name}-{width}{'-dark' if dark else ''}", whole=True)


def main():
    if not browser.find():
        print("1..0 # SKIP no chromium here (scripts/bootstrap --develop installs it)")
        return
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
        make(folder)
        for name in ("one", "two"):
            for width, height in ((1280, 800), (390, 844)):
                look(page, folder, name, width, height, False)
        look(page, folder, "one", 390, 844, True)
        page.open(f"file://{folder}/others.html", 1280, 800)
        colours = page.value("[...document.querySelectorAll('.u-series')].filter(s => ['A', 'B'].includes("
                             "s.querySelector('.u-label').textContent)).map(s => [s.parentElement.querySelectorAll('.u-series').length,"
                             " s.querySelector('.u-label').textContent, s.querySelector('.u-marker').style.borderColor"
                             " || s.querySelector('.u-marker').style.border])")
        of = {name: {colour for _, label, colour in colours if label == name} for name in "AB"}
        alone = [label for count, label, _ in colours if count == 2]
        check("a run has one colour in all charts, also where it is alone in one",
              "B" in alone and len(of["A"]) == len(of["B"]) == 1 and of["A"] != of["B"], colours)
        page.open(f"file://{folder}/one.html", 1280, 800)
        page.press("Tab")
        first = page.value("document.activeElement.className")
        for _ in range(40):
            page.press("Tab")
            if page.value("document.activeElement.matches('.scroll')"):
                break
        check("the keyboard reaches 'skip' first, then the tables",
              first == "skip" and page.value("document.activeElement.matches('.scroll')"), first)
        # A window that is made narrower takes its charts with it.
        page.ask("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1, mobile=True)
        check("charts follow the width of the window", page.until(
            "[...document.querySelectorAll('.uplot')].every(u => u.clientWidth <= 420)"))
    plan()


main()
