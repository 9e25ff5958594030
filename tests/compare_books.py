"""Do two builds of the book show the same? `python tests/compare_books.py OLD NEW`, each `_build/executed`.

Compared is what the chapters' cells wrote, in order: every table and text to the last digit, every figure
by its pixels. Left out are the readings of a clock (`CLOCK`); names that changed on purpose are given with
--renamed. Exit status 1 if anything differs.
"""

import argparse
import base64
import difflib
import hashlib
import io
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

CLOCK = re.compile(r"\b[\d.,]+ (?:s|ms|min|h|MiB)\b|\b\d+:\d\d\b|\d{4}-\d\d-\d\d")


def shown(path, renamed):
    """[(kind, content)] of everything that a chapter's cells wrote."""
    found = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            found.extend(parts(output, renamed))
    return found


def parts(output, renamed):
    if "text" in output:
        yield "text", plain(output["text"], renamed)
        return
    data = output.get("data", {})
    if "image/png" in data:
        pixels = Image.open(io.BytesIO(base64.b64decode("".join(data["image/png"]))))
        yield "figure", hashlib.sha256(np.asarray(pixels).tobytes()).hexdigest()
    for kind in ("text/markdown", "text/html", "text/plain"):
        if kind in data and "image/png" not in data:
            yield (
                "table" if "|" in "".join(data[kind]) or "<t" in "".join(data[kind]) else "text",
                plain(data[kind], renamed),
            )
            return


def plain(text, renamed):
    text = CLOCK.sub("(clock)", "".join(text))
    for old, new in renamed:
        text = text.replace(old, new)
    return text


def differences(old, new, renamed):
    """Lines about one chapter, and (tables, figures, texts) that are the same."""
    before, after = shown(old, renamed), shown(new, [])
    same = dict.fromkeys(("table", "figure", "text"), 0)
    lines = []
    if len(before) != len(after):
        lines.append(f"{len(before)} outputs before, {len(after)} after")
    for number, (one, two) in enumerate(zip(before, after)):
        if one == two:
            same[one[0]] += 1
        elif one[0] == two[0] == "figure":
            lines.append(f"output {number + 1}: another figure")
        else:
            changed = difflib.unified_diff(broken(one[1]), broken(two[1]), lineterm="", n=0)
            lines += [f"output {number + 1}: {line[:300]}" for line in list(changed)[2:12]]
    return lines, same


def broken(text):
    return re.sub(r"(</tr>|</p>|</caption>)", r"\1\n", text).split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--renamed", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    parser.add_argument("chapters", nargs="*", help="default: all of NEW")
    options = parser.parse_args()
    pages, total, wrong = dict(options.renamed), {"table": 0, "figure": 0, "text": 0}, 0
    former = {new: old for old, new in pages.items()}
    for path in sorted(options.new.glob("*.ipynb")):
        if options.chapters and path.stem not in options.chapters:
            continue
        before = options.old / f"{former.get(path.stem, path.stem)}.ipynb"
        if not before.exists():
            print(f"{path.stem}: new")
            continue
        lines, same = differences(before, path, options.renamed)
        wrong += len(lines)
        for kind, count in same.items():
            total[kind] += count
        print(f"{path.stem}: {', '.join(f'{count} {kind}s the same' for kind, count in same.items())}")
        print("".join(f"  {line}\n" for line in lines), end="")
    print(", ".join(f"{count} {kind}s" for kind, count in total.items()) + f" the same, {wrong} lines differ")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
