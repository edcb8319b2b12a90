"""What a command needs before it can begin: the settings, the servers' addresses, a database at this code's version."""

from __future__ import annotations

from capture.errors import Refused, SystemFault
from capture.settings import Settings
from console import addresses
from console.addresses import Addresses
from console.cli.exits import Failed
from console.cli.output import say


def load_settings() -> Settings:
    """The settings of this process, with their warnings on stderr."""
    settings = Settings.load()
    for warning in settings.warnings:
        say(f"Warning: {warning}")
    return settings


def find_database(settings: Settings) -> str:
    """PostgreSQL's address: that of the settings, else that of a `capture up` that runs here."""
    here = addresses.running(settings.capture_home)
    found = settings.database_url or (here.database_url if here else None)
    if found is None:
        raise Refused("DATABASE_URL is not set, and no `capture up` runs here: set it, or start `capture up`.")
    return found


def find_redis(settings: Settings) -> str | None:
    """Redis's address, where one is known."""
    here = addresses.running(settings.capture_home)
    return settings.redis_url or (here.redis_url if here else None)


def find_servers(settings: Settings) -> Addresses:
    """Both addresses; raises where one is neither set nor given by a `capture up` that runs here."""
    database_url, redis_url = find_database(settings), find_redis(settings)
    if redis_url is None:
        raise Refused("REDIS_URL is not set, and no `capture up` runs here: set it, or start `capture up`.")
    return Addresses(database_url, redis_url)


def check_schema(database_url: str) -> None:
    """Raise unless the database can be reached and is at this code's schema version."""
    from models.database import open_connection
    from models.migrations import require_schema

    connection = open_connection(database_url, application_name="capture console")
    try:
        require_schema(connection)
    except SystemFault as fault:
        raise Failed(str(fault)) from None
    finally:
        connection.close()


def open_ledger(settings: Settings) -> str:
    """Point this process's pool at the database, checked; returns its address."""
    from models.database import connect

    database_url = find_database(settings)
    check_schema(database_url)
    connect(database_url, pool_max=4, application_name="capture console")
    return database_url
