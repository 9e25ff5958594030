"""Models by name: torchvision's, or whatever image classifier or text model transformers can load."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from lib.base.extras import needed_from
from lib.ranking.candidates import IMAGENET, Normalise
from lib.ranking.checks import nearest


def check(given: Mapping[str, Any], weights: str | None) -> None:
    """Refuse names and weights of torchvision that are not there, before anything is loaded or fetched.

    Raises ValueError with the nearest name. A name with a slash may be one of transformers, and is left.
    """
    listed = [(name, str(model)) for name, model in given.items() if isinstance(model, str | PathLike)]
    if not listed:
        return
    with needed_from("ranking"):
        from torchvision import models

    known = models.list_models()
    for name, model in listed:
        if model in known:
            offered = list(models.get_model_weights(model).__members__)
            if weights not in (None, "DEFAULT", *offered):
                raise ValueError(
                    f"weights={weights!r}: {model} has {', '.join(offered)}; or pass None, untrained"
                )
        elif "/" not in model and not Path(model).exists() and (near := nearest(model, known)):
            raise ValueError(f"{name}: torchvision has no model {model!r}{near}")


def image_model(name: str, given: str, weights: str | None) -> tuple[nn.Module, Normalise, str | None]:
    """The module, its normalisation, and a note. `weights` is "DEFAULT" or None (untrained).

    Raises ValueError where neither library knows the name, or the weights cannot be fetched.
    """
    from torchvision import models

    if given in models.list_models():
        return _torchvision(name, given, weights)
    try:
        import transformers

        model = transformers.AutoModelForImageClassification.from_pretrained(given).eval()
        processor = transformers.AutoImageProcessor.from_pretrained(given)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{name}: {given!r} is no model of torchvision, and transformers cannot load it ({reason}); "
            "pass a name from torchvision.models.list_models(), a folder on disk, or the module itself"
        ) from error
    if getattr(processor, "do_normalize", False):
        return _Logits(model), (processor.image_mean, processor.image_std), None
    return _Logits(model), "inside", None


class _Logits(nn.Module):
    """A model of transformers that returns its logits as a tensor."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.config = model, model.config
        self.eval()

    def forward(self, pixels: Any) -> Any:
        return self.model(pixel_values=pixels).logits


def _torchvision(name: str, given: str, weights: str | None) -> tuple[nn.Module, Normalise, str | None]:
    from torchvision import models

    try:
        model = models.get_model(given, weights=weights).eval()
    except OSError as error:
        raise ValueError(
            f"{name}: the weights of torchvision's {given} could not be fetched ({error}); pass "
            "weights=None for an untrained one, or the module with your own weights"
        ) from error
    if weights is None:
        return model, "imagenet", f"{name} has random weights (weights=None)"
    transform: Any = models.get_model_weights(given)[weights].transforms()
    mean, deviation = getattr(transform, "mean", IMAGENET[0]), getattr(transform, "std", IMAGENET[1])
    return model, (tuple(mean), tuple(deviation)), None


def text_model(name: str, given: Any) -> tuple[Any, Any]:
    """(tokenizer, model) of a folder or name that transformers knows; a classifier where it is one.

    Raises ValueError for one that cannot be loaded.
    """
    with needed_from("ranking"):
        import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(given)
        classifier = any("SequenceClassification" in kind for kind in config.architectures or [])
        kind = transformers.AutoModelForSequenceClassification if classifier else transformers.AutoModel
        return transformers.AutoTokenizer.from_pretrained(given), kind.from_pretrained(given).eval()
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{name}: transformers cannot load {given!r} ({str(error).splitlines()[0]}); pass a folder on "
            "disk, or (tokenizer, model)"
        ) from error
