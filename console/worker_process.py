"""One Dramatiq worker process: `python -m console.worker_process MODULE… --threads N`, started and watched by the supervisor."""

from __future__ import annotations

import argparse
import ctypes
import importlib
import logging
import os
import signal
import sys
import threading

import dramatiq

LOG_FORMAT = "%(asctime)s %(levelname)s [%(process)d %(threadName)s] %(name)s: %(message)s"
PR_SET_PDEATHSIG = 1
#: Milliseconds after which idle threads look whether they should stop: what a shutdown waits for.
IDLE_MILLISECONDS = 250
EXIT_OK, EXIT_KILLED, EXIT_REFUSED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; a second signal ends at once."""
    options = _parser().parse_args(arguments)
    die_with_parent(options.parent)
    stopping = _listen()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    try:
        for module in options.modules:
            importlib.import_module(module)
        broker = dramatiq.get_broker()
        broker.emit_after("process_boot")
        worker = dramatiq.Worker(
            broker,
            queues=set(options.queues) if options.queues else None,
            worker_threads=options.threads,
            worker_timeout=IDLE_MILLISECONDS,
        )
        worker.start()
    except Exception as error:
        logging.getLogger("capture").critical("The worker did not start: %s", error)
        return EXIT_REFUSED
    stopping.wait()
    worker.stop(timeout=int((options.drain_seconds + 2) * 1000))
    broker.close()
    return EXIT_OK


def die_with_parent(parent: int | None) -> None:
    """End with SIGTERM when the supervisor dies, however it dies (Linux; elsewhere the lease ends by itself)."""
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(EXIT_KILLED)


def _listen() -> threading.Event:
    stopping = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        if stopping.is_set():
            os._exit(EXIT_KILLED)
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stopping


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m console.worker_process", description=__doc__)
    parser.add_argument("modules", nargs="+", help="modules that declare the actors")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--queues", nargs="*")
    parser.add_argument("--drain-seconds", type=float, default=30.0)
    parser.add_argument("--parent", type=int, help="the supervisor's process id")
    return parser


if __name__ == "__main__":
    sys.exit(main())
