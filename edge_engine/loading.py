"""Loading: the models that a configuration names, in the forms that its streams need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from edge_engine.choosing import labels_of
from edge_engine.config import Config
from edge_engine.errors import ConfigError
from edge_engine.models.forms import Aspect, ModelForms, Size, forms_of_file
from edge_engine.models.lineup import Lineup
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.zoo import find_model


def load_models(
    config: Config,
    setting: Setting,
    expected: Sequence[Size | None],
    scheduled: Callable[[], AbstractContextManager[None]],
) -> Lineup:
    """`expected`: (width, height) of each stream's pictures, where known; `scheduled`: what the threads that
    the runtime starts inherit. Raises ConfigError, ModelError or ProviderError."""
    if config.standby_models and config.batch > 1:
        raise ConfigError(
            f"batch: {config.batch} with standby_models; expected 1: a batch's pictures need one model"
        )

    def forms(path: Path, labels: tuple[str, ...]) -> ModelForms:
        def load(aspect: Aspect | None) -> Model:
            with scheduled():
                return Model(path, setting, aspect=aspect, labels=labels)

        return forms_of_file(
            path,
            labels,
            load,
            trims=config.trim,
            waits=config.policy == "lossless",
            is_shared=setting.batch > 1,
            expected=expected,
        )

    standby = {name: forms(find_model(name), ()) for name in config.standby_models if name != config.model}
    return Lineup({config.model: forms(find_model(config.model), labels_of(config)), **standby})
