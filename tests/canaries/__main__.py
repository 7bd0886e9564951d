"""Seeds one fault after another and runs the tests that guard against it: each must fail, and pass without it.

    .venv/bin/python -m tests.canaries [word of a fault's name]

Exit status 1 if a fault went unnoticed.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAILED, PASSED = 1, 0  # pytest's exit statuses; anything else means that nothing was asked


def main(words: list[str]) -> int:
    """Run them all, or those whose names hold one of `words`."""
    faults = {name: guards for name, guards in _faults().items() if not words or any(word in name for word in words)}
    sane = _run(sorted({guard for guards in faults.values() for guard in guards}))
    if sane.returncode != PASSED:
        print(f"Without any fault the guards must pass.\n{sane.stdout[-3000:]}")  # noqa: T201
        return 1
    unnoticed = []
    for name, guards in faults.items():
        for guard in guards:
            found = _run([guard], CANARY=name)
            is_noticed = found.returncode == FAILED
            print(f"{'noticed  ' if is_noticed else 'UNNOTICED'} {name}  ({guard})", flush=True)  # noqa: T201
            if not is_noticed:
                unnoticed.append(f"{name}: {guard}\n{found.stdout[-2000:]}")
    print("\n".join(unnoticed) or f"All {len(faults)} faults were noticed.")  # noqa: T201
    return bool(unnoticed)


def _faults() -> dict[str, tuple[str, ...]]:
    """Names and guards, read from the source: importing it needs a database."""
    found = {}
    for node in ast.parse((Path(__file__).parent / "faults.py").read_text()).body:
        for decorator in getattr(node, "decorator_list", []):
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "canary":
                guards = tuple(f"tests/{argument.value}" for argument in decorator.args)
                found[node.name.replace("_", " ")] = guards
    return found


def _run(tests: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    plugin = ["-p", "tests.canaries.plugin"] if environment else []
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--show-capture=no", *plugin, *tests]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
