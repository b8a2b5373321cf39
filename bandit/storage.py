"""Policies on disk: `manifest.json` (what it is, its options, the shapes) beside `state.npz`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FORMAT: Final = 1


def write_state(
    folder: Path,
    policy: str,
    options: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write JSON-able `options` and `arrays` of one policy; the same state gives the same bytes."""
    manifest = {
        "format": FORMAT,
        "policy": policy,
        "options": dict(options),
        "arrays": {
            name: {"shape": list(array.shape), "dtype": array.dtype.str}
            for name, array in arrays.items()
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    np.savez(folder / "state.npz", allow_pickle=False, **arrays)


def saved_policy(folder: Path) -> str:
    """The name of the policy that `folder` holds."""
    return str(_manifest(folder)["policy"])


def read_state(folder: Path, policy: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Options and arrays as written; ValueError where the folder holds something else."""
    manifest = _manifest(folder)
    if manifest["policy"] != policy:
        raise ValueError(f"{folder}: found policy {manifest['policy']!r}, expected {policy!r}")
    with np.load(folder / "state.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    expected = manifest["arrays"]
    if arrays.keys() != expected.keys():
        raise ValueError(
            f"{folder}/state.npz: found arrays {sorted(arrays)}, expected {sorted(expected)} "
            "(manifest.json). The two files were probably written by different saves"
        )
    for name, array in arrays.items():
        shape, dtype = tuple(expected[name]["shape"]), expected[name]["dtype"]
        if array.shape != shape or array.dtype.str != dtype:
            raise ValueError(
                f"{folder}/state.npz: {name} is {array.dtype.str} {array.shape}, expected "
                f"{dtype} {shape} (manifest.json)"
            )
    return dict(manifest["options"]), arrays


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder}: no manifest.json, so no saved policy") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    if manifest.get("format") != FORMAT:
        raise ValueError(f"{path}: found format {manifest.get('format')!r}, expected {FORMAT}")
    return manifest
