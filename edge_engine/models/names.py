"""names: which of a model's labels a name means, and what to say of a name that means none."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

_SHOWN = 5
# What Pascal VOC, and Darknet after it, call some of COCO's classes.
_ALIASES = {"aeroplane": "airplane", "motorbike": "motorcycle", "sofa": "couch", "tvmonitor": "tv"}


def plain(name: str) -> str:
    """A name without case, spaces, _ and -; what Pascal VOC calls otherwise, as COCO calls it."""
    found = re.sub(r"[\s_-]+", "", name).casefold()
    return _ALIASES.get(found, found)


def meanings(labels: Sequence[str]) -> dict[str, int]:
    """Plain names → index; a label may list synonyms, with commas between. A name that two labels share
    means neither."""
    whole = _unique([(label, i) for i, label in enumerate(labels)])
    parts = _unique([(part, i) for i, label in enumerate(labels) for part in label.split(",")])
    return parts | whole


def _unique(names: list[tuple[str, int]]) -> dict[str, int]:
    found = {(plain(name), i) for name, i in names}
    times = Counter(name for name, _ in found)
    return {name: i for name, i in found if times[name] == 1}


def class_id_of(labels: Sequence[str], name: str) -> int | None:
    """The index of the label that is meant, whatever its case and spacing, or by its number; else None."""
    if labels.count(name) == 1:
        return labels.index(name)
    found = meanings(labels).get(plain(name))
    if found is None and name.isascii() and name.isdigit() and int(name) < len(labels):
        return int(name)
    return found


def unknown(labels: Sequence[str], name: str) -> str:
    """One line's part on a name that means none of the labels, or several: the nearest, or their numbers."""
    known = [plain(label) for label in labels]
    same = [str(i) for i, label in enumerate(known) if label == plain(name)]
    if same:
        return f"{len(same)} labels are called {name!r}; say their numbers instead: {', '.join(same)}"
    near = difflib.get_close_matches(plain(name), known, n=3)
    if near:
        turned = [each for each in near if sorted(each) == sorted(plain(name))]
        meant = labels[known.index((turned or near)[0])]
        return f'{name!r} is none of its {len(labels)} labels; did you mean "{meant}"?'
    return f"{name!r} is none of its labels; it has {some(labels)}, or their numbers from 0"


def some(labels: Sequence[str]) -> str:
    """The first few, for a line."""
    shown = ", ".join(labels[:_SHOWN])
    return f"{shown} … ({len(labels)} in all)" if len(labels) > _SHOWN else shown
