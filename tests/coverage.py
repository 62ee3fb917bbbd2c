#!/usr/bin/env python3
"""Line coverage per room of src/, as Markdown, from what an instrumented build left behind.

    python3 tests/coverage.py BUILD FLOOR > results/coverage-lines.md

A line is covered if any object that has it executed it. Kernels (src/nn/kernels) have no counters: every one of their lines is
compared with a reference in tests/nn, and counting would take most of the tests' time. The exit code is 1 if fewer than FLOOR
per cent of all lines are covered.
"""
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent.resolve()


def gcov(build, notes):
    """What gcov says of some objects: a JSON document per line and object."""
    command = ["gcov", "--json-format", "--stdout", *notes]
    return subprocess.run(command, cwd=build, check=True, capture_output=True, text=True).stdout


def lines_of(build):
    """{source file relative to src/: {line number: executions}}"""
    out = {}
    notes = sorted(str(p) for p in (build / "src").rglob("*.gcno"))  # objects that never ran have no .gcda
    parts = [notes[i : i + 50] for i in range(0, len(notes), 50)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = pool.map(lambda part: gcov(build, part), parts)
        for document in itertools.chain.from_iterable(text.splitlines() for text in texts):
            if not document.strip():
                continue
            described = json.loads(document)
            where = Path(described["current_working_directory"])
            for f in described["files"]:
                path = (where / f["file"]).resolve()
                if (ROOT / "src") not in path.parents or path.suffix not in (".c", ".h"):
                    continue
                lines = out.setdefault(path.relative_to(ROOT / "src"), {})
                for line in f["lines"]:
                    n = line["line_number"]
                    lines[n] = max(lines.get(n, 0), line["count"])
    return out


def main():
    build, floor = Path(sys.argv[1]).resolve(), float(sys.argv[2])
    files = lines_of(build)
    rooms = {}
    for path, lines in files.items():
        room = rooms.setdefault(path.parts[0], [0, 0])
        room[0] += sum(1 for n in lines.values() if n)
        room[1] += len(lines)
    covered, all_lines = (sum(r[i] for r in rooms.values()) for i in (0, 1))
    if not all_lines:
        sys.exit(f"{build}: no counters of gcov; it must be a build with -DXAUDIT_COVERAGE=ON")
    print("# Line coverage\n")
    print(
        "Made by `tests/coverage.sh`: lines of `src/` that the unit tests and the tests of ranks and of the command line\n"
        "execute, by gcov (`-O1`). Processes that tests kill lose their counters, so that code which only they reach counts as\n"
        "not covered. Kernels (`src/nn/kernels`) are not counted: `tests/nn` compares each of them with its reference.\n"
    )
    print("| room | lines | covered | per cent |\n| --- | ---: | ---: | ---: |")
    for room, (n, total) in sorted(rooms.items()):
        print(f"| {room} | {total} | {n} | {100 * n / total:.1f} |")
    print(f"| all | {all_lines} | {covered} | {100 * covered / all_lines:.1f} |\n")
    print(f"At least {floor:.0f} % of all lines must be covered. Files with the most lines that are not:\n")
    print("| file | lines | not covered |\n| --- | ---: | ---: |")
    missing = sorted(((sum(1 for n in l.values() if not n), len(l), p) for p, l in files.items()), key=lambda m: (-m[0], m[2]))
    for n, total, path in missing[:12]:
        print(f"| {path} | {total} | {n} |")
    percent = 100 * covered / all_lines
    print(f"{percent:.1f} % of {all_lines} lines are covered, {floor:.0f} % are wanted", file=sys.stderr)
    return 0 if percent >= floor else 1


if __name__ == "__main__":
    sys.exit(main())
