"""The public face of `lib`: what scripts elsewhere rely on."""

import inspect
import subprocess
import sys

import pytest
import torch

import lib

# The list of names that others script against: each is a promise.
MODULES = ("attacks", "bounds", "estimators", "jacobian", "transferability")
FUNCTIONS = {
    "transferability": ("measure", "measure_jacobians", "tau2", "align"),
    "jacobian": ("jacobians", "top_singular"),
    "bounds": ("proposition_2", "theorem_1", "theorem_2", "theorem_3"),
    "attacks": ("virtual", "pgd", "textfooler"),
    "estimators": ("logme", "leep", "nce", "h_score", "trans_rate", "knn"),
}


def test_the_face_is_explicit():
    assert set(lib.__all__) == {"__version__", "rank", *MODULES}
    assert [name for name in dir(lib) if not name.startswith("__")] == sorted({"rank", *MODULES})
    assert "__getattr__" in dir(lib), "what a module always lists is still there"


@pytest.mark.parametrize("name", lib.__all__)
def test_every_name_is_found_in_every_way(name):
    space = {}
    exec(f"from lib import {name} as found\nimport lib\nalso = lib.{name}", space)
    assert space["found"] is space["also"]
    exec("from lib import *", space)
    assert space[name] is space["found"]


@pytest.mark.parametrize(("module", "name"), [(m, f) for m, each in FUNCTIONS.items() for f in each])
def test_every_function_of_the_face_is_there_and_explained(module, name):
    function = getattr(getattr(lib, module), name)
    assert inspect.isfunction(function)
    assert inspect.getdoc(function)


def test_the_calls_are_those_that_are_promised():
    def parameters(function):
        return [str(each).split(":")[0].split(" =")[0] for each in
                inspect.signature(function).parameters.values()]  # fmt: skip

    assert parameters(lib.transferability.measure) == ["source", "target", "x", "chunk_size"]
    assert parameters(lib.transferability.measure_jacobians)[:3] == ["jac_source", "jac_target", "weights"]
    assert parameters(lib.jacobian.top_singular) == ["f", "x", "k", "tolerance"]
    assert parameters(lib.bounds.theorem_3)[:4] == [
        "reference_loss",
        "gradient_distance",
        "norm_ratio",
        "beta",
    ]
    assert parameters(lib.attacks.virtual) == ["f", "x", "epsilon"]
    pgd = inspect.signature(lib.attacks.pgd).parameters
    assert list(pgd)[:4] == ["f", "x", "epsilon", "steps"]
    promised = ("labels", "step_size", "random_start", "clip", "loss", "generator")
    assert all(pgd[name].kind is inspect.Parameter.KEYWORD_ONLY for name in promised)
    assert list(inspect.signature(lib.rank).parameters)[:2] == ["models", "target"]


def test_another_name_is_an_error_that_lists_the_face():
    with pytest.raises(
        AttributeError, match=r"module 'lib' has no attribute 'measure': it has attacks, bounds"
    ):
        lib.measure  # noqa: B018


def test_an_import_costs_nothing():
    code = "import lib, sys; dir(lib); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_an_import_error_below_the_face_is_shown_as_it_is():
    """`pkgutil.resolve_name` without a colon turns it into "no attribute"."""
    code = "import sys; sys.modules['torch'] = None; import lib; lib.bounds"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False)
    assert "import of torch halted" in done.stderr.splitlines()[-1]


def test_a_small_measurement():
    x = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    found = lib.transferability.measure(lambda z: z[:, :2] ** 2, lambda z: z[:, 1:] ** 2, x)
    assert 0 <= found.tau1 <= 1
    assert 0 <= found.tau2 <= 1
