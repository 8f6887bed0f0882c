"""What the scorer needs from its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from common.settings import ServiceSettings


class Settings(ServiceSettings):
    """The scorer's settings; names are upper case, without prefix."""

    scorer_data_dir: Path
    """Where RocksDB keeps this worker's rows; one folder a worker."""
    scorer_instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
    """Static membership: a worker that comes back under this name gets its partitions back."""
    generation: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """A new generation is a new group with new changelogs: it reads both lanes from the start."""
    tick_period_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    """Wall seconds between the ticks that this worker writes for its partitions."""
    session_timeout_s: Annotated[float, Field(ge=1, le=300)] = 30.0
    """A worker that comes back within it finds its partitions waiting; one that does not is
    replaced after it."""
    replication_factor: Annotated[int, Field(ge=1, le=32)] = 1
    """Of the changelog topic, when this worker is the first to need it."""
