"""Ids of jobs, runs and workers: UUIDs of version 7, which sort by the time they were made."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, section 5.7: 48 bits of milliseconds, then version, variant and 74 random bits)."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(UUID(int=value))
