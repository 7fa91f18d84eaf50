"""The MQTT broker of a configuration, connected to for real."""

from __future__ import annotations

from collections.abc import Iterator

from edge_engine.config import Config
from edge_engine.diagnosis.finding import Finding
from edge_engine.errors import ConfigError, one_line

_CHECK = "its MQTT broker"


def broker(config: Config) -> Iterator[Finding]:
    asked = config.outputs.mqtt
    if asked is None:
        return
    try:
        from edge_engine.outputs.mqtt.output import probe

        found = probe(asked)
    except ModuleNotFoundError as error:
        yield Finding(_CHECK, "bad", f"{error.name} isn't installed", "pip install 'edge-engine[mqtt]'")
    except ConfigError as error:
        yield Finding(_CHECK, "bad", str(error), "mend that line")
    except OSError as error:
        said = f"{asked.host}: {error.strerror or one_line(error)}"
        yield Finding(_CHECK, "bad", said, "the engine runs without, and tries again")
    else:
        yield Finding(_CHECK, "ok", f"{found} lets the engine in")
        if asked.tls is None and asked.username is not None:
            cure = "`tls: {}`, where the broker has it"
            yield Finding(_CHECK, "note", "whoever is in between can read the password", cure)
