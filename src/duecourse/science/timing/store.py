"""Keeping a model in a directory and taking it back: trees with their SHA-256, settings, the gate's word, a card.

A model whose trees were changed, or that was made for other features, is refused: it would answer, and wrongly.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from duecourse.core.errors import BadInput
from duecourse.core.ids import sha256_hex
from duecourse.science.timing.card import model_card
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.features import FEATURE_NAMES
from duecourse.science.timing.hazard import booster_from_text
from duecourse.science.timing.model import TimingModel

FORM = 2  # of model.json; a higher number is a form that this program does not know


def save_model(model: TimingModel, directory: Path) -> None:
    """Writes model.json, trees_0.txt ... and card.md into ``directory``; the same bytes for the same model."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(model.texts):
        (directory / f"trees_{number}.txt").write_text(text, encoding="utf-8", newline="\n")
    content: dict[str, Any] = {
        "form": FORM,
        "model_id": model.model_id,
        "sha256": [sha256_hex(text.encode()) for text in model.texts],
        "features": list(FEATURE_NAMES),
        "config": model.config.as_dict(),
        "base_logit": model.base_logit,
        "event_sizes": dict(model.event_sizes),
        "paying": model.paying.tolist(),
        "groups": list(model.groups),
        "blend_weight": model.blend_weight,
        "as_of": model.as_of,
        "snapshot_id": model.snapshot_id,
        "seed": model.seed,
        "fitted": dict(model.fitted),
        "gate": model.gate,
        "calibration": model.calibration,
        "versions": dict(model.versions),
    }
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (directory / "model.json").write_text(text, encoding="utf-8", newline="\n")
    (directory / "card.md").write_text(model_card(model), encoding="utf-8", newline="\n")


def load_model(directory: Path) -> TimingModel:
    """The model that ``save_model`` wrote.

    Raises BadInput for a directory without a model, another form, other features or changed trees, and MissingLibrary
    where LightGBM cannot start.
    """
    content = _content(directory)
    texts = _texts(directory, content)
    return TimingModel(
        config=TimingConfig(**content["config"]),
        boosters=tuple(booster_from_text(text) for text in texts),
        base_logit=float(content["base_logit"]),
        event_sizes=content["event_sizes"],
        paying=np.array(content["paying"], dtype=bool),
        groups=tuple(content["groups"]),
        blend_weight=float(content["blend_weight"]),
        as_of=int(content["as_of"]),
        snapshot_id=content["snapshot_id"],
        seed=int(content["seed"]),
        fitted=content["fitted"],
        gate=content["gate"],
        calibration=content["calibration"],
        versions=content["versions"],
    )


def _content(directory: Path) -> dict[str, Any]:
    path = directory / "model.json"
    if not path.is_file():
        raise BadInput(f"{directory} holds no model (no model.json); expected a directory that `train --model` wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path} is not readable as a model ({error}); train again") from error
    if not isinstance(content, dict) or content.get("form") != FORM:
        raise BadInput(f"{path} is of another form than this version of duecourse knows ({FORM}); train again")
    if content.get("features") != list(FEATURE_NAMES):
        known, wanted = set(content.get("features") or ()), set(FEATURE_NAMES)
        differing = ", ".join(sorted(known ^ wanted)[:5]) or "their order"
        raise BadInput(f"{path} was trained on other features than this version computes ({differing}); train again")
    return content


def _texts(directory: Path, content: dict[str, Any]) -> list[str]:
    texts = []
    for number, expected in enumerate(content["sha256"]):
        path = directory / f"trees_{number}.txt"
        if not path.is_file():
            raise BadInput(f"{path} is missing: the model is incomplete; train again")
        text = path.read_bytes().decode("utf-8")
        if sha256_hex(text.encode()) != expected:
            raise BadInput(
                f"{path} is not the file that was trained (its SHA-256 differs from model.json); train again"
            )
        texts.append(text)
    return texts
