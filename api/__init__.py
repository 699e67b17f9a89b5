"""Does an image classifier recognise the class, or the camera that took the picture?

    import camerabias

    results = camerabias.audit(photos, "runs/mine", quick=True)    # a DataFrame, a table, a folder or a DATASET
    results.verdict, results.reasons
    results.accuracy(by=["target", "test_view"])

`load(run)` gives the same of any run that is there. Nothing is printed unless `verbose=True`, and nothing heavy is
imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camerabias.auditing import audit
    from camerabias.checking import DesignCheck, check
    from camerabias.comparing import compare
    from camerabias.judging import Judgement, judge
    from camerabias.photos import import_photos, simulate
    from camerabias.results import Results, load, report

    __version__: str

_HOMES = {
    "audit": "auditing",
    "check": "checking",
    "DesignCheck": "checking",
    "compare": "comparing",
    "equalise": "photos",
    "import_photos": "photos",
    "judge": "judging",
    "Judgement": "judging",
    "simulate": "photos",
    "Results": "results",
    "load": "results",
    "report": "results",
}

__all__ = [
    "DesignCheck",
    "Judgement",
    "Results",
    "__version__",
    "audit",
    "check",
    "compare",
    "equalise",
    "import_photos",
    "judge",
    "load",
    "report",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("camerabias")
    if name not in _HOMES:
        raise AttributeError(f"module 'camerabias' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"camerabias.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
