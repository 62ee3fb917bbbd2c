#!/usr/bin/env python3
"""Checks the rules of the house that a compiler does not (CONTRIBUTING.md, "House rules").

    python3 tests/house.py [FOLDER]

It prints each violation and what to do about it, and exits with 1 if there is one. house.txt lists today's known
violations; that list may only shrink: a line that is not needed any more is a violation, too.
"""
import re
import subprocess
import sys
from pathlib import Path

FILE_LINES = 500  # of a C file, tables (.def, .inc) apart
FUNCTION_LINES = 80  # from the first line of the signature to the closing brace
ROOM_SHARE = 0.15  # of the lines in src/; the engine (nn) may hold more. A loader's folder in model is a room of its own

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()


def c_files():
    """Paths of the C files that git knows, relative to the project."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*.c", "*.h"], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    return [Path(p) for p in listed if p and (ROOT / p).is_file()]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8").split("\n")


def functions(lines):
    """(name, number of lines) of each function. clang-format gives every body a line "{" and a line "}" at column 0."""
    begin = None
    for i, line in enumerate(lines):
        if line == "{" and begin is None:
            begin = i
        elif line == "}" and begin is not None:
            first = begin
            while first > 0 and lines[first - 1] and lines[first - 1][-1] not in ";}/\\" and lines[first - 1][0] != "#":
                first -= 1
            signature = " ".join(lines[first:begin])
            name = re.search(r"(\w+)\s*\(", signature)
            yield (name.group(1) if name else "?", i - first + 1)
            begin = None


def room_of(path):
    """The room of a file in src/ or of a public header; None for others."""
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "xaudit"):
        return path.stem.split("_")[0]  # nn_op.h is a part of nn.h
    return None


def includes(path):
    """Project headers that a file includes, as written."""
    return [m.group(1) for m in (re.match(r'#include "([^"]+)"', line) for line in read(path)) if m]


def resolve(path, name, known):
    """The path of an included header; None for a generated one."""
    for base in (path.parent, Path("include"), Path("src"), *(Path("src") / p for p in path.parts[1:2])):
        candidate = Path(*collapse((base / name).parts))
        if candidate in known:
            return candidate
    return None


def collapse(parts):
    out = []
    for part in parts:
        if part == ".." and out:
            out.pop()
        else:
            out.append(part)
    return out


def sizes(files):
    """(rule, subject, number, advice) of files and functions that are too long, and of rooms that hold too much."""
    rooms = {}
    for path in files:
        lines = read(path)
        n = len(lines) - 1
        if n > FILE_LINES:
            yield ("lines", str(path), n, f"has {n} lines, more than {FILE_LINES}: split it by topic")
        for name, length in functions(lines):
            if length > FUNCTION_LINES:
                yield (
                    "function",
                    f"{path}:{name}",
                    length,
                    f"has {length} lines, more than {FUNCTION_LINES}: name its parts as functions",
                )
        if path.parts[0] == "src" and room_of(path):
            room = "/".join(path.parts[1:-1]) if room_of(path) == "model" else room_of(path)
            rooms[room] = rooms.get(room, 0) + n
    total = sum(rooms.values())
    for room, n in rooms.items():
        if room != "nn" and n > ROOM_SHARE * total:
            yield (
                "room",
                room,
                round(100 * n / total),
                f"holds {100 * n / total:.1f} % of the lines of src/, more than {100 * ROOM_SHARE:.0f} %: split the room",
            )


def arrows(files, order):
    """(rule, subject, 0, advice) of headers that are used upwards, from outside their room, or in a circle."""
    known = set(files)
    uses = {}  # unit -> units; a unit is a path without its extension
    for path in files:
        room = room_of(path)
        if room is None:
            continue
        for name in includes(path):
            header = resolve(path, name, known)
            if header is None:
                continue
            mine, other = str(path.with_suffix("")), str(header.with_suffix(""))
            if mine != other:
                uses.setdefault(mine, set()).add(other)
            owner = room_of(header)
            if owner == room or owner is None:
                continue
            if owner not in order or room not in order:
                yield ("order", f"{path} {name}", 0, "is of a room that XA_MODULES in src/CMakeLists.txt does not name")
            elif order.index(owner) > order.index(room):
                yield ("order", f"{path} {name}", 0, f"is a header of {owner}, which stands below {room} in src/CMakeLists.txt")
            elif header.parts[0] == "src":
                yield ("private", f"{path} {name}", 0, f"is a private header of {owner}: what {room} needs belongs into include/xaudit")
    for a, others in sorted(uses.items()):
        for b in sorted(others):
            halves = Path(a + ".c") in known and Path(b + ".c") in known
            if a < b and halves and a in uses.get(b, set()):
                yield ("circle", f"{a} {b}", 0, "include each other's headers: what both need goes into a header below both")


def declared(text):
    """(name, whether it is static) of the functions that a header declares or defines outside braces."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)
    outside, depth = [], 0
    for part in re.split(r"([{}])", text):
        depth += (part == "{") - (part == "}")
        outside.append("" if depth or part == "}" else part)
        if part == "}" and depth == 0:
            outside.append(";")
    for statement in "".join(outside).split(";"):
        static = bool(re.match(r"\s*(?:[A-Z][A-Z0-9_]*\([^()]*\)\s*)*(static|XA_INLINE)\b", statement))
        plain = re.sub(r"__attribute__\s*\(\(.*?\)\)|\b[A-Z][A-Z0-9_]+\b(\s*\([^()]*\))?", " ", statement, flags=re.S)
        found = re.match(r"\s*(?!typedef\b)[\w\s*]*?[\s*](\w+)\s*\((?!\*)", plain)
        if found and found.group(1) != "uint8_t":  # a pointer to an array
            yield found.group(1), static


def names(files):
    """(rule, subject, number, advice) of headers whose functions' names do not say how far they reach."""
    public = set()
    for path in files:
        if path.suffix == ".h" and path.parts[0] == "include":
            here = [name for name, static in declared("\n".join(read(path))) if not static]
            public.update(here)
            wrong = [name for name in here if not name.startswith("xa_") or name.startswith("xa__")]
            if wrong:
                yield ("names", str(path), len(wrong), f"declares {', '.join(wrong)}: names in include/ begin with xa_")
    for path in files:
        if path.suffix == ".h" and path.parts[0] == "src":
            here = [name for name, static in declared("\n".join(read(path))) if not static]
            wrong = [name for name in here if not name.startswith("xa__") and name not in public]
            if wrong:
                yield ("names", str(path), len(wrong), f"declares {', '.join(wrong)}: names in private headers begin with xa__")


def versions():
    """(rule, subject, 0, advice) of files whose version is not that of CMakeLists.txt."""
    project = re.search(r"project\(xaudit VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    if not cited or cited.group(1).strip("\"'") != project:
        yield ("version", "CITATION.cff", 0, f"names version {cited and cited.group(1)}; CMakeLists.txt says {project}")


def pages():
    """(rule, subject, 0, advice) of files that pages for developers name and that are not there."""
    for page in ("src/README.md", "src/RECIPES.md", "src/nn/README.md", "src/archive/README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in sorted(set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:c|h|def|md|sh|py|txt|cmake))`", text))):
            if not name.startswith("results/") and not any((ROOT / base / name).exists() for base in ("src", ".", "src/nn", "src/model", Path(page).parent)):
                yield ("page", f"{page} {name}", 0, "names a file that does not exist")


def exceptions(path):
    """{(rule, subject): number}"""
    out = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line and line[0] != "#":
            rule, subject, number = line.split("\t")
            out[(rule, subject)] = int(number)
    return out


def main():
    files = c_files()
    text = (ROOT / "src/CMakeLists.txt").read_text(encoding="utf-8")
    order = re.search(r"set\(XA_MODULES ([^)]*)\)", text).group(1).split()
    found = {}
    for rule, subject, number, advice in [*sizes(files), *arrows(files, order), *names(files), *versions(), *pages()]:
        if number >= found.get((rule, subject), (0, ""))[0]:
            found[(rule, subject)] = (number, advice)
    listed_in = Path(__file__).parent / "house.txt"
    listed = exceptions(listed_in)
    bad = 0
    for key, (number, advice) in sorted(found.items()):
        if key not in listed:
            print(f"{key[0]}: {key[1]} {advice}")
            bad += 1
        elif number > listed[key]:
            print(f"{key[0]}: {key[1]} {advice} (the known exception is {listed[key]})")
            bad += 1
    for key in sorted(set(listed) - set(found)):
        print(f"{listed_in.name}: the line of {key[0]} {key[1]} is not needed any more: remove it")
        bad += 1
    print(f"{len(files)} files, {len(listed)} known exceptions, {bad} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
