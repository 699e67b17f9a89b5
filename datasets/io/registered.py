"""Something that is registered under a name and may have parameters: how study files name views and probes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from camerabias.datasets.near_names import allowed_names

Parameters = dict[str, float]


class Kind(Protocol):
    """What a registry holds."""

    @property
    def defaults(self) -> Parameters:
        """Parameters with their default values."""


def import_files(package: str) -> None:
    """Import every file of a package, so that each adds what it holds to its registry."""
    for module in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


class Registered(BaseModel):
    """One of a registry's kinds; `"binary"` and `{"name": "binary", "window": 15}` both read.

    Attributes:
        name: A key of the registry.
        parameters: All of the kind's parameters, those not given at their defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    noun: ClassVar[str]
    registry: ClassVar[Mapping[str, Kind]]

    name: str
    parameters: Parameters

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        if not isinstance(given, (str, dict)):
            raise ValueError(f"{cls.noun} {given!r} is neither a name nor a mapping with `name`")  # noqa: TRY004 - pydantic's
        fields: dict[str, Any] = {"name": given} if isinstance(given, str) else dict(given)
        parameters = fields.pop("parameters", {})
        if not isinstance(parameters, dict):
            raise ValueError(f"parameters of a {cls.noun} are a mapping, not {parameters!r}")  # noqa: TRY004 - as above
        name = fields.pop("name", None)
        kind = cls.registry.get(name) if isinstance(name, str) else None
        if kind is None:
            raise ValueError(
                f"{cls.noun} {name!r} is not known{allowed_names(str(name), sorted(cls.registry))}"
            )
        parameters = parameters | fields
        unknown = sorted(set(parameters) - set(kind.defaults))
        if unknown:
            raise ValueError(
                f"{cls.noun} {name!r} has no parameter {', '.join(unknown)}"
                f"{allowed_names(unknown, sorted(kind.defaults))}"
            )
        return {"name": name, "parameters": kind.defaults | parameters}

    def __hash__(self) -> int:
        return hash((self.name, *sorted(self.parameters.items())))

    def __str__(self) -> str:
        defaults = self.registry[self.name].defaults
        changed = {key: value for key, value in self.parameters.items() if value != defaults[key]}
        return self.name + "".join(f"-{key}{value:g}" for key, value in sorted(changed.items()))
