"""The verdict in a few lines: for README and landing page, and as the last chapter's first sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from lib.base import paper
from lib.engine import fingerprint
from lib.verdict import empirical, pooled, report, rivals, rule, settings
from lib.verdict.rows import Row, total
from lib.verdict.settings import Run

COMMAND = "python -m lib verdict --write"
PLACES = {
    fingerprint.ROOT / "README.md": "book/",
    fingerprint.ROOT / "book" / "intro.md": "",
}  # file: where pages lie
BEGIN, END = f"<!-- verdict: written by `{COMMAND}` -->", "<!-- verdict: end -->"
ANSWERS = {
    "holds": "Yes",
    "holds weakly": "In part",
    "not shown": "It is not shown",
    "false as printed": "No",
}
Runs = Mapping[str, Run]


def answer(runs: Runs) -> str:
    """One or two plain sentences: the decision on the question, the number it rests on, what is missing."""
    found = pooled.together(runs, settings.FOUR)
    missing = [setting.title for setting in settings.of(*settings.FOUR) if not runs[setting.key]]
    absent = f" Not recorded: {'; '.join(missing)}." if missing else ""
    if found is None:
        return f"{ANSWERS['not shown']}: no run is recorded.{absent}"
    spread = found.interval
    over = (
        f"95 % interval over the settings {spread.low:.2f} to {spread.high:.2f}" if spread else "one setting"
    )
    plain = ANSWERS[rule.correlation(found)]
    if rule.correlation(found) == "holds" and rule.strong(found) != "holds":
        plain += ", but not strongly"
    where = "all four" if found.targets == len(settings.FOUR) else f"{found.targets}"
    return (
        f"**{plain}.** In {where} of the paper's real settings together, what a "
        "section measures as adversarial transferability orders the sources as their knowledge transfer does "
        f"with a mean Kendall $\\tau_b$ of {found.tau:.2f} ({over}; p {rule.short(found.p)}, sources "
        "permuted)." + _alone(runs) + _hanging(runs, rule.correlation(found)) + absent
    )


def _hanging(runs: Runs, decision: rule.Decision) -> str:
    """Whether the answer would be another without one of the settings."""
    there = [setting for setting in settings.of(*settings.FOUR) if runs[setting.key]]
    if len(there) < 2:
        return ""
    without = {
        setting.title.removeprefix("data, "): pooled.together(
            runs, [s.key for s in there if s is not setting]
        )
        for setting in there
    }
    taus = [found.tau for found in without.values() if found]
    between = f"leave out one, and the mean lies between {min(taus):.2f} and {max(taus):.2f}"
    other: dict[str, list[str]] = {}
    for title, found in without.items():
        other.setdefault(rule.correlation(found), []).append(title)
    other.pop(decision, None)
    if not other:
        return f" It does not hang on one setting: {between}, and the decision stays."
    turned = "; ".join(f"'{other_one}' without {_listed(titles)}" for other_one, titles in other.items())
    return f" It hangs on few settings: {between}, and the decision is {turned}."


def _alone(runs: Runs) -> str:
    """What each setting says by itself."""
    found = [
        rule.correlation(one[0])
        for setting in settings.of(*settings.FOUR)
        if (one := runs[setting.key] and empirical.evidence(setting, runs[setting.key], *setting.headline))
    ]
    counted = [f"'{d}' in {found.count(d)}" for d in get_args(rule.Decision) if d in found]
    return f" Taken alone, the rule says {', '.join(counted)}."


def _listed(names: Sequence[str]) -> str:
    """a, b or c."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def guide(scores: Sequence[rivals.Score], best: Sequence[rivals.Best]) -> str:
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


def lines(found: Sequence[Row], runs: Runs) -> report.Linked:
    """The short table: the theory in two lines, each setting in one, all in the last."""
    statements = {paper.claim(f"{name}").place for name in ("proposition_1", "proposition_2", "theorem_1",
                  "theorem_2", "theorem_3")}  # fmt: skip
    stated = [row for row in found if row.where.rpartition(",")[0] in statements]
    proofs = [row for row in found if row.claim.startswith("the proof of")]
    partly = [row.where.rpartition(",")[0] for row in stated if row.decision == "holds weakly"]
    exact = "every step by exact algebra" + (f"; {', '.join(partly)} in a special case" if partly else "")
    better = "repaired, Theorems 2 and 3 with better constants"
    cells = [
        [
            "Propositions 1–2, Theorems 1–3",
            _all(stated),
            exact,
            _pages(stated),
        ],
        [f"{len(proofs)} lines of their proofs", _all(proofs), better, _pages(proofs)],
    ]
    for setting in settings.SETTINGS:
        one = empirical.evidence(setting, runs[setting.key], *setting.headline) if runs[setting.key] else None
        decision = rule.correlation(one[0]) if one else "not shown"
        ours = f"{one[0]}" if one else "not recorded"
        cells.append(
            [f"section {setting.section}, {setting.title}", decision, ours, report.link(setting.page)]
        )
    whole = pooled.together(runs, settings.FOUR)
    cells.append(
        ["the question", rule.correlation(whole), str(whole or "not recorded"), report.link("verdict")]
    )
    return report.Linked(["claim", "decision", "what we found", "page"], cells)


def block(runs: Runs, pages: str = "") -> str:
    """What stands between the markers; `pages` is the way from the file to the chapters."""
    return _placed(_text(runs), pages)


def stale(runs: Runs, places: Mapping[Path, str] = PLACES) -> list[Path]:
    """The files whose block is not what the recorded runs say now.

    Raises ValueError for a file without the markers.
    """
    text = _text(runs)
    return [path for path, pages in places.items() if _between(path)[1] != _placed(text, pages)]


def write(runs: Runs, places: Mapping[Path, str] = PLACES) -> list[Path]:
    """Bring the blocks up to date; returns the files that changed."""
    text, changed = _text(runs), []
    for path, pages in places.items():
        before, old, after = _between(path)
        if (new := _placed(text, pages)) != old:
            path.write_text(before + new + after, encoding="utf-8")
            changed.append(path)
    return changed


def _text(runs: Runs) -> str:
    found, scores = report.rows(runs), rivals.scores(runs)
    decided = ", ".join(f"{_counted(found, d)}" for d in get_args(rule.Decision))
    sentences = [
        answer(runs),
        guide(scores, rivals.best(runs, scores)),
        f"Of {len(found)} claims of the paper, {decided}; {report.readings(found)} of the last are readings "
        "of what is printed, not sentences.",
    ]
    items = [f"- {sentence}" for sentence in sentences]
    table = lines(found, runs)._repr_markdown_().replace("τ_b", r"$\tau_b$")
    return "\n".join([BEGIN, "", *items, "", table, "", END])


def _placed(text: str, pages: str) -> str:
    return re.sub(r"\]\((\w+)\)", rf"]({pages}\1.md)", text)


def _between(path: Path) -> tuple[str, str, str]:
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the verdict: put the lines {BEGIN} and {END} into it")
    return before, begin + inside + end, after


def _all(found: Sequence[Row]) -> str:
    """The decision that all rows share, or how many of which."""
    kinds = [decision for decision in get_args(rule.Decision) if total(found, decision)]
    return kinds[0] if len(kinds) == 1 else ", ".join(f"{_counted(found, kind)}" for kind in kinds)


def _pages(found: Sequence[Row]) -> str:
    """Links to every chapter that shows one of the rows."""
    return ", ".join(report.link(page) for page in dict.fromkeys(row.page for row in found))


def _counted(found: Sequence[Row], decision: rule.Decision) -> str:
    """ "1 holds", "3 hold", "1 is not shown" ..."""
    count = total(found, decision)
    if decision.startswith("holds"):
        return f"{count} {decision if count == 1 else decision.replace('holds', 'hold')}"
    return f"{count} {'is' if count == 1 else 'are'} {decision}"
