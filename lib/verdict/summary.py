"""The verdict in a few lines: for README and landing page, and as the last chapter's first sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from lib.base import fingerprint, paper
from lib.verdict import claims, report, robustness, rule, settings
from lib.verdict.claims import Row
from lib.verdict.settings import Setting, Settings

COMMAND = "python -m lib verdict --write"
PLACES = {fingerprint.ROOT / "README.md": "book/", fingerprint.ROOT / "book" / "intro.md": ""}  # to the pages
BEGIN, END = f"<!-- verdict: written by `{COMMAND}` -->", "<!-- verdict: end -->"
ANSWERS = dict(zip(get_args(rule.Decision), ("Yes", "In part", "It is not shown", "No")))


def answer(every: Settings) -> str:
    """One or two plain sentences: the decision on the question, the number it rests on, what is missing."""
    some = settings.four(every)
    found, missing = settings.together(some), [one.title for one in some if not one]
    absent = f" Not recorded: {'; '.join(missing)}." if missing else ""
    if found is None:
        return f"{ANSWERS['not shown']}: no run is recorded.{absent}"
    ends, decision = found.interval, rule.correlation(found)
    over = f"95 % interval over the settings {ends.low:.2f} to {ends.high:.2f}" if ends else "one setting"
    plain = ANSWERS[decision]
    if decision == "holds" and rule.strong(found) != "holds":
        plain += ", but not strongly"
    where = "all four" if found.targets == len(some) else f"{found.targets}"
    alone = [rule.correlation(one.found) for one in some if one.found]
    counted = [f"'{kind}' in {alone.count(kind)}" for kind in get_args(rule.Decision) if kind in alone]
    return (
        f"**{plain}.** In {where} of the paper's real settings together, what a "
        "section measures as adversarial transferability orders the sources as their knowledge transfer does "
        f"with a mean Kendall $\\tau_b$ of {found.tau:.2f} ({over}; p {rule.short(found.p)}, sources "
        f"permuted). Taken alone, the rule says {', '.join(counted)}." + _hanging(some, decision) + absent
    )


def _hanging(some: Sequence[Setting], decision: rule.Decision) -> str:
    """Whether the answer would be another without one of the settings."""
    there, taus = [one for one in some if one], []
    if len(there) < 2:
        return ""
    turned: dict[str, list[str]] = {}
    for one in there:
        found = settings.together(other for other in there if other is not one)
        taus += [found.tau] if found else []
        if (now := rule.correlation(found)) != decision:
            turned.setdefault(now, []).append(one.title.removeprefix("data, "))
    between = f"leave out one, and the mean lies between {min(taus):.2f} and {max(taus):.2f}"
    if not turned:
        return f" It does not hang on one setting: {between}, and the decision stays."
    cases = "; ".join(f"'{other}' without {_listed(titles)}" for other, titles in turned.items())
    return f" It hangs on few settings: {between}, and the decision is {cases}."


def _listed(names: Sequence[str]) -> str:
    """a, b or c."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def guide(best: Sequence[robustness.Best]) -> str:
    """One sentence: is the measure a better guide than what costs less?"""
    if not best:
        return "No recorded run compares it with rivals."
    higher = sum(row.difference.value > 0 for row in best)
    ahead, behind = sum(row.difference.low > 0 for row in best), sum(row.difference.high < 0 for row in best)
    clearer = f"{behind} settings" if behind else "no setting"
    return (
        f"We found {clearer} where the best of the paper's measures is clearly a better guide than what "
        f"needs no attack. The best rival or baseline has the higher $\\tau_b$ in {higher} of {len(best)} "
        f"settings. The 95 % interval of the difference excludes 0 in {ahead}; it does not count that "
        "both were picked as the best."
    )


def lines(found: Sequence[Row], every: Settings) -> report.Linked:
    """The short table: the theory in two lines, each setting in one, all in the last."""
    names = ("proposition_1", "proposition_2", "theorem_1", "theorem_2", "theorem_3")
    statements = {paper.claim(name).place for name in names}
    stated = [row for row in found if _place(row) in statements]
    proofs = [row for row in found if row.claim.startswith("the proof of")]
    partly = [_place(row) for row in stated if row.decision == "holds weakly"]
    exact = "every step by exact algebra" + (f"; {', '.join(partly)} in a special case" if partly else "")
    better = "repaired, Theorems 2 and 3 with better constants"
    cells = [
        ["Propositions 1–2, Theorems 1–3", _decisions(stated), exact, _pages(stated)],
        [f"{len(proofs)} lines of their proofs", _decisions(proofs), better, _pages(proofs)],
    ]
    found_in = {
        **{(f"section {one.part.replace(' ', ', ', 1)}", one.key): one.found for one in every.values()},
        ("the question", "verdict"): settings.together(settings.four(every)),
    }
    for (claim, page), one in found_in.items():
        cells.append([claim, rule.correlation(one), str(one or "not recorded"), report.link(page)])
    return report.Linked(["claim", "decision", "what we found", "page"], cells)


def _place(row: Row) -> str:
    return row.where.rpartition(",")[0]


def _decisions(found: Sequence[Row]) -> str:
    """The decision that all rows share, or how many of which."""
    kinds = [decision for decision in get_args(rule.Decision) if claims.total(found, decision)]
    return kinds[0] if len(kinds) == 1 else ", ".join(_counted(found, kind) for kind in kinds)


def _pages(found: Sequence[Row]) -> str:
    """Links to every chapter that shows one of the rows."""
    return ", ".join(report.link(page) for page in dict.fromkeys(row.page for row in found))


def _counted(found: Sequence[Row], decision: rule.Decision) -> str:
    """ "1 holds", "3 hold", "1 is not shown" ..."""
    count = claims.total(found, decision)
    if decision.startswith("holds"):
        return f"{count} {decision if count == 1 else decision.replace('holds', 'hold')}"
    return f"{count} {'is' if count == 1 else 'are'} {decision}"


def block(every: Settings, pages: str = "") -> str:
    """What stands between the markers; `pages` is the way from the file to the chapters."""
    return _placed(_text(every), pages)


def stale(every: Settings, places: Mapping[Path, str] = PLACES) -> list[Path]:
    """The files whose block is not what the recorded runs say now.

    Raises ValueError for a file without the markers.
    """
    text = _text(every)
    return [path for path, pages in places.items() if _between(path)[1] != _placed(text, pages)]


def write(every: Settings, places: Mapping[Path, str] = PLACES) -> list[Path]:
    """Bring the blocks up to date; returns the files that changed."""
    text, changed = _text(every), []
    for path, pages in places.items():
        before, old, after = _between(path)
        if (new := _placed(text, pages)) != old:
            path.write_text(before + new + after, encoding="utf-8")
            changed.append(path)
    return changed


def _text(every: Settings) -> str:
    found, best = report.rows(every), robustness.best(robustness.scores(every))
    decided = ", ".join(_counted(found, decision) for decision in get_args(rule.Decision))
    claimed = (
        f"- Of {len(found)} claims of the paper, {decided}; {claims.readings(found)} of the last are "
        "readings of what is printed, not sentences."
    )
    table = lines(found, every)._repr_markdown_().replace("τ_b", r"$\tau_b$")
    return "\n".join([BEGIN, "", f"- {answer(every)}", f"- {guide(best)}", claimed, "", table, "", END])


def _placed(text: str, pages: str) -> str:
    return re.sub(r"\]\((\w+)\)", rf"]({pages}\1.md)", text)


def _between(path: Path) -> tuple[str, str, str]:
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the verdict: put the lines {BEGIN} and {END} into it")
    return before, begin + inside + end, after
