"""languages: the message format for programs that aren't in Python.

FORMAT.md says what a message is and what a client must do; wire.schema.json, cpp/edge_engine/messages.hpp and
js/messages.* are generated from wire/ by `python -m tools.wire_schema`. cpp/ and js/ are clients, to be
copied or included as they lie here: they come with the package, so that a robot's engine and its clients are
of one version, and the web page that the engine serves is in js/.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
