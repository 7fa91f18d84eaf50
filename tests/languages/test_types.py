"""TypeScript's types of the JavaScript client fit what a program does with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.languages.decoders import NODE_MODULES, ROOT, need

PROGRAM = """
import { Subscriber, decode, type ResultMessage } from "edge_engine";

const subscriber = new Subscriber("ws://127.0.0.1:8765");
const result: ResultMessage | null = subscriber.latest({ maxAgeMs: 200, stream: "front" });
const lefts: number[] = result?.objects.map(({ xyxy }) => xyxy[0]) ?? [];
const seenNs: bigint | undefined = result?.captured_ns;
const found = decode(new Uint8Array(0));
if (found.kind === "health") console.log(found.message.state, lefts, seenNs, subscriber.status().reason);
// @ts-expect-error: stamps are no Numbers
const wrong: number = result!.captured_ns;
"""


def test_a_typed_program_is_accepted_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    compiler = NODE_MODULES / ".bin/tsc"
    if not compiler.exists():
        need("npm's typescript")
    shutil.copytree(ROOT / "edge_engine/languages/js", tmp_path / "node_modules/edge_engine")
    (tmp_path / "program.ts").write_text(PROGRAM)
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "program.ts"]
    done = subprocess.run([compiler, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
