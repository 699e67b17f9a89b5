"""`python -m benchmarks` lists the figures; `python -m benchmarks NAME [...]` produces one, from the project's root.

A figure is a file of this folder with a function `main`, which takes the arguments that follow the name.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path


def figures() -> dict[str, str]:
    """Names of the figures, and what each says of itself in one line; nothing is imported for it."""
    files = sorted(set(Path(__file__).parent.glob("*.py")) - {Path(__file__)})
    read = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    return {
        name: (ast.get_docstring(code) or "").partition("\n")[0]
        for name, code in read.items()
        if _is_figure(code)
    }


def _is_figure(code: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in code.body)


def main(arguments: list[str]) -> int:
    """List the figures, or produce the one that is named.

    Returns:
        The exit code: 2 where no figure has such a name.
    """
    known = figures()
    if not arguments:
        print("\n".join(f"{name:18} {said}" for name, said in known.items()))
        return 0
    name, *others = arguments
    if name not in known:
        print(f"No figure {name!r}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    import_module(f"benchmarks.{name}").main(others)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
