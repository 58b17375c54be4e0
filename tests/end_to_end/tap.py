"""TAP for tests that say what holds as they go, and how many there were at their end. (Live tests: live_common.py.)"""
_count = 0


def check(title, good, *notes):
    """One line of TAP; the notes below it where it does not hold."""
    global _count
    _count += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {title}", flush=True)
    if not good:
        for note in notes:
            print("#", str(note)[:4000].replace("\n", "\n# "), flush=True)


def skip(title, why):
    """In place of a check that can't be made here."""
    global _count
    _count += 1
    print(f"ok {_count} - {title} # SKIP {why}", flush=True)


def plan():
    """The last line."""
    print(f"1..{_count}", flush=True)
