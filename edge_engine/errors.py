"""The few error types; each is one line for the person at the robot and one documented exit code.

EdgeEngineError          1  a fault of the engine itself
├── UsageError           2  a command line that says something impossible
├── ConfigError          2  a configuration file that can't be used
├── ModelError           2  a model file that can't be used
├── RefusedError         2  a command that an engine was asked for and did not carry out
├── DataError            2  labelled data that can't be used, or doesn't fit the model
├── SourceError          3  a source that could not be opened, or was lost for good
└── ProviderError        4  no usable inference provider
"""

from __future__ import annotations

from typing import ClassVar


class EdgeEngineError(Exception):
    """What went wrong, where, what was expected and how to mend it, in one line."""

    exit_code: ClassVar[int] = 1


class UsageError(EdgeEngineError):
    exit_code = 2


class ConfigError(EdgeEngineError):
    exit_code = 2


class ModelError(EdgeEngineError):
    exit_code = 2


class DataError(EdgeEngineError):
    exit_code = 2


class RefusedError(EdgeEngineError):
    exit_code = 2


class SourceError(EdgeEngineError):
    exit_code = 3


class ProviderError(EdgeEngineError):
    exit_code = 4


class CorruptFrameError(Exception):
    """One frame whose pixels can't be read: counted as `corrupt`, and the stream goes on."""


def one_line(error: BaseException, limit: int = 200) -> str:
    """What another library's error says, fit for a line of ours."""
    said = f"unknown {error}" if isinstance(error, KeyError) else str(error)
    text = " ".join(said.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
