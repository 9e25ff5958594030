"""What the documents beside the code say of it: names of files, rooms, versions, targets."""

import re

import house
import pytest
import yaml

import lib

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
ROOMS = [room for floor in house.floors() for room in floor if room != house.DOOR]


def text(name):
    return (house.ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_named_files_are_there(name):
    shown = text(name).partition("| before | now |")[0]
    named = set(re.findall(r"`((?:lib|tests|book|results|data_scripts|benchmarks)/[\w./-]+)`", shown))
    named |= set(re.findall(r"\]\(((?!http)[\w./-]+)\)", shown))
    assert [path for path in named if "NAME" not in path and not (house.ROOT / path).exists()] == []


def test_the_walk_from_an_image_to_the_verdict_names_each_file_once():
    walk = text("ARCHITECTURE.md").partition("## From an image")[2].partition("\n## ")[0]
    named = re.findall(r"`(lib/[\w./]+\.py)`", walk)
    assert len(named) == len(set(named)) > 20
    assert [path for path in named if not (house.ROOT / path).is_file()] == []


def test_the_rooms_are_told_where_a_newcomer_looks():
    assert sorted(re.findall(r"^\| `(\w+)` \|", text("ARCHITECTURE.md"), re.MULTILINE)) == sorted(ROOMS)
    layout = text("README.md").partition("## Layout")[2]
    assert sorted(re.findall(r"^  (\w+)/ ", layout, re.MULTILINE)) == sorted(ROOMS)


def test_the_files_of_an_experiment_are_those_that_the_guide_lists():
    guide = text("CONTRIBUTING.md").partition("## An experiment")[2].partition("\n## ")[0]
    files = re.findall(r"^\| `(\w+\.py)` \|", guide, re.MULTILINE)
    assert len(files) == 5
    for folder in (house.ROOT / "lib/experiments").iterdir():
        if (folder / "record.py").is_file():
            assert [name for name in files if not (folder / name).is_file() and name != "tables.py"] == []


def test_the_version_is_one():
    cited = yaml.safe_load(text("CITATION.cff"))
    assert cited["version"] == lib.__version__
    assert f"## {lib.__version__}\n" in text("CHANGELOG.md")


def test_continuous_integration_does_what_the_script_does_and_holds_no_secret():
    workflow = text(".github/workflows/ci.yml")
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    assert job["steps"][-1] == {"run": "bash .ci/run"}
    assert "secrets." not in workflow
    assert yaml.safe_load(workflow)["permissions"] == {"contents": "read"}
