"""Everything an operator can set: read once, from flags and DIGITMILL_ variables, then frozen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from worker.errors import BadSettings

PREFIX = "DIGITMILL_"


def parse_share(text: object) -> object:
    """Return a share that is written as a percentage as a fraction; anything else as it is."""
    if isinstance(text, str) and text.strip().endswith("%"):
        return float(text.strip()[:-1]) / 100
    return text


TargetError = Annotated[float, BeforeValidator(parse_share), Field(gt=0, lt=1)]


class Settings(BaseSettings):
    """What can be set. Flags win over the environment, the environment over these defaults."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///digitmill.db",
        description="where the results go: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
    broker_url: str = Field("redis://127.0.0.1:6379/0", description="the Redis that carries the queue")
    scan_roots: dict[str, Path] = Field(
        default_factory=dict,
        description='folders of scans by name, as JSON: {"tallies": "/scans"}; host and container may mount '
        "the same root in different places",
    )
    model: Path | None = Field(
        None, description="an ONNX model file; unset: the one that ships with Digitmill"
    )
    target_error: TargetError = Field(
        0.01,
        description="at most this share of the accepted fields may be wrong, as `0.01` or `1%`; the "
        "others wait for review; `--target-error` says otherwise for a batch",
    )
    accept_confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="accept fields that are at least so sure, whatever the target error; unset: go by it",
    )
    max_file_mb: Annotated[float, Field(gt=0)] = Field(200, description="larger scan files are refused")
    max_megapixels: Annotated[float, Field(gt=0)] = Field(200, description="larger pages are refused")
    max_pages: Annotated[int, Field(gt=0)] = Field(2000, description="documents of more pages are refused")
    page_time_limit_s: Annotated[float, Field(gt=0)] = Field(
        60, description="a page that takes longer is stopped and counts as an attempt"
    )
    lease_s: Annotated[float, Field(gt=0)] = Field(
        120, description="how long a worker may hold a page before another one gets it"
    )
    max_attempts: Annotated[int, Field(gt=0)] = Field(
        3, description="how often a page is tried whose worker dies or hangs"
    )
    sweep_interval_s: Annotated[float, Field(gt=0)] = Field(
        10, description="how often the sweeper looks for what is overdue"
    )
    ring_again_s: Annotated[float, Field(gt=0)] = Field(
        60, description="queued work that nobody took for so long is put on the queue again"
    )
    concurrency: Annotated[int, Field(gt=0)] | None = Field(
        None, description="processes that read pages; unset: one a core"
    )

    @field_validator("scan_roots")
    @classmethod
    def _name_absolute_folders(cls, roots: dict[str, Path]) -> dict[str, Path]:
        for name, folder in roots.items():
            if not name or "/" in name:
                raise ValueError(f"a root's name has no slash in it and is not empty: {name!r}")
            if not folder.is_absolute():
                raise ValueError(f"the folder of root {name!r} must be an absolute path: {folder}")
        return roots

    @model_validator(mode="after")
    def _outlast_a_page(self) -> Self:
        if self.lease_s <= self.page_time_limit_s:
            raise ValueError(
                f"{PREFIX}LEASE_S ({self.lease_s:g}) must be longer than {PREFIX}PAGE_TIME_LIMIT_S "
                f"({self.page_time_limit_s:g}), or two workers read the same page"
            )
        return self

    @classmethod
    def read(cls, **overrides: Any) -> Settings:
        """Return the settings of the environment with `overrides` over them, those that are not None.

        Raises BadSettings, which names the variable.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as refused:
            raise BadSettings("; ".join(_explain(problem) for problem in refused.errors())) from refused
        except SettingsError as refused:  # a value that should be JSON and isn't
            raise BadSettings(f"{refused} ({PREFIX}SCAN_ROOTS is a JSON object)") from refused

    @property
    def processes(self) -> int:
        """How many processes read pages: as set, otherwise one for each core this process may use."""
        if self.concurrency is not None:
            return self.concurrency
        if hasattr(os, "sched_getaffinity"):  # Linux only; knows of taskset and of containers
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


def _explain(problem: Any) -> str:
    if not problem["loc"]:  # a rule between several settings, whose message names them
        return str(problem["msg"]).removeprefix("Value error, ")
    name = f"{PREFIX}{problem['loc'][0]}".upper()
    return f"{name}: {problem['msg']} (given: {problem['input']!r})"
