"""``python -m console.local.github``: the stand-in as a process that ends with its parent."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from .dataset import Dataset, load_dataset
from .generate import generate
from .server import StandIn

PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> None:
    """Serve until the parent ends or a signal comes."""
    asked = _parser().parse_args(arguments)
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent was gone before the stand-in began.")
    datasets = [load_dataset(path) for path in asked.dataset] + [_generated(text) for text in asked.generate]
    stand_in = StandIn(datasets, port=asked.port, latency_seconds=asked.latency_ms / 1000)
    asyncio.run(_serve(stand_in, asked.ready_file))


async def _serve(stand_in: StandIn, ready_file: Path | None) -> None:
    serving = asyncio.create_task(stand_in.serve())
    await asyncio.sleep(0)  # the socket listens after serve's first step
    if ready_file is not None:
        draft = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
        draft.write_text(json.dumps({"url": stand_in.url, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(ready_file)
    print(f"GitHub stand-in at {stand_in.url}", flush=True)
    await serving


def _generated(text: str) -> Dataset:
    name, size, *seed = text.split(":")
    return generate(name, pull_requests=int(size), seed=int(seed[0]) if seed else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m console.local.github", description="A stand-in for GitHub's API.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--dataset", action="append", default=[], metavar="FILE", help="a dataset to serve")
    parser.add_argument("--generate", action="append", default=[], metavar="OWNER/NAME:SIZE[:SEED]")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait this long before every answer")
    parser.add_argument("--ready-file", type=Path, help="written as JSON with url and pid once connections are taken")
    return parser


if __name__ == "__main__":
    main()
