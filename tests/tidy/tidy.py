#!/usr/bin/env python3
"""Checks the rules of the house that a compiler does not check.

    tidy.py ROOT             prints every breach as path:line: rule: text; 1 when there is one
    tidy.py --selftest ROOT  plants one fault of each kind in a copy and expects its report

Looked at are the files below src, include and tests that git tracks or does not ignore;
tests/data is left alone.  A rule may be waived for one file in waivers.txt, with a reason.
"""

import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
WAIVERS = "tests/tidy/waivers.txt"

# What a stage may include besides itself: the same as USES in its CMakeLists.txt.
ALL = "all"
STAGE_USES = {
    "core": [],
    "amqp": ["core"],
    "otlp": ["core"],
    "context": ["core"],
    "repair": ["core", "context"],
    "window": ["core"],
    "decide": ["core", "otlp"],
    "shape": ["core", "otlp"],
    "sink": ["core", "amqp", "otlp"],
    "ledger": ["core"],
    "source": ["core", "ledger"],
    "source_kafka": ["core", "source"],
    "source_rabbitmq": ["core", "amqp", "source"],
    "config": ["core"],
    "worker": ["core", "otlp", "context", "repair", "window", "decide", "shape", "sink", "ledger",
               "source"],
    "admin": ALL,
    "demo": ALL,
    "app": ALL,
    "cli": ALL,
}
# The public headers belong to the propagation library, which is the stage context.
PUBLIC_STAGE = {"spanbridge": "context"}

BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "gets", "alloca", "usleep"]
# A test that waits for time to pass is slow or fails by chance.  Benches must pace themselves,
# and system tests wait for real brokers.
BANNED_IN_TESTS = ["sleep", "nanosleep", "clock_nanosleep"]
MAY_SLEEP = ("tests/bench/", "tests/system/")

C_SUFFIXES = {".c", ".h"}
TEXT_SUFFIXES = C_SUFFIXES | {".py", ".sh", ".cmake", ".txt", ".html", ".css", ".js"}

Breach = namedtuple("Breach", "path line rule text")


class Source:
    """One file: its lines as they are, and for C without comments, and without texts."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()
        self.is_c = Path(path).suffix in C_SUFFIXES
        if self.is_c:
            self.uncommented = blank(self.text, texts=False).splitlines()
            self.code = blank(self.text, texts=True).splitlines()

    def breach(self, line, rule, text):
        return Breach(self.path, line, rule, text)


C_TOKEN = re.compile(
    r"""//(?:\\\n|[^\n])* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE)


def blank(text, texts):
    """C without its comments, and without the content of texts if `texts`; lines stay."""
    def replace(match):
        token = match.group()
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token[0] + token[-1] if texts else token
    return C_TOKEN.sub(replace, text)


def list_files(root):
    """Paths below `root`, as git sees them; all files where there is no git."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
               "--exclude-standard", "--", "src", "include", "tests"]
    listed = None
    if (root / ".git").exists():
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        paths = listed.split("\0")
    else:
        paths = [str(p.relative_to(root)) for top in ("src", "include", "tests")
                 for p in (root / top).rglob("*")]
    return sorted({p for p in paths if p and (root / p).is_file() and "__pycache__" not in p})


def is_checked(path):
    return Path(path).suffix in TEXT_SUFFIXES and not path.startswith("tests/data/")


def stage_of(path):
    """The stage a file of src belongs to, or None."""
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def check_lines(source):
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield source.breach(number, "line-length", f"{len(line)} columns")
        if source.is_c and "\t" in line:
            yield source.breach(number, "tab", "a tab in C")
        if line != line.rstrip():
            yield source.breach(number, "trailing-blank", "blanks at the end")
    if source.text and not source.text.endswith("\n"):
        yield source.breach(len(source.lines), "last-newline", "no newline at the end")


UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b(?!\([^()]*\w[^()]*\))")


def check_unfinished(source):
    for number, line in enumerate(source.lines, 1):
        if UNFINISHED.search(line):
            yield source.breach(number, "unfinished", "give the reason in parentheses")


def check_file_length(source):
    if source.is_c and source.path.startswith("src/") and len(source.lines) > FILE_LINES_MAX:
        yield source.breach(len(source.lines), "file-length", f"{len(source.lines)} lines")


FUNCTION_START = re.compile(r"\{|[A-Za-z_].*\)\s*\{")


def check_function_length(source):
    """Counts from brace to brace: in our format both stand in the first column."""
    if not source.path.startswith("src/") or not source.path.endswith(".c"):
        return
    start = None
    for number, line in enumerate(source.code, 1):
        if start is None and FUNCTION_START.fullmatch(line.rstrip()):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield source.breach(start, "function-length", f"{number - start + 1} lines")
            start = None


INCLUDE = re.compile(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]")


def check_includes(source):
    own = stage_of(source.path)
    is_public = source.path.startswith("include/")
    if own is not None and own not in STAGE_USES:
        yield source.breach(1, "include-direction", f"stage '{own}' is not in STAGE_USES")
        return
    if not is_public and own is None:
        return
    for number, line in enumerate(source.uncommented, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        first = match.group(1).split("/")[0]
        if first == "..":
            yield source.breach(number, "include-direction", "leaves its folder by '..'")
        stage = PUBLIC_STAGE.get(first, first)
        if "/" not in match.group(1) or stage not in STAGE_USES:
            continue
        if is_public:
            allowed = first in PUBLIC_STAGE
        else:
            allowed = STAGE_USES[own] == ALL or stage == own or stage in STAGE_USES[own]
        if not allowed:
            yield source.breach(number, "include-direction",
                                f"{own or 'include'} may not include {match.group(1)}")


GUARD_OPEN = re.compile(r"#ifndef (\w+)\n#define (\w+)\n")


def check_guard(source):
    if not source.path.endswith(".h"):
        return
    code = "\n".join(line.rstrip() for line in source.code if line.strip()) + "\n"
    match = GUARD_OPEN.match(code)
    if not match or match.group(1) != match.group(2) or not code.endswith("#endif\n"):
        yield source.breach(1, "header-guard", "no #ifndef and #define of one name around it all")
    elif not re.fullmatch(r"(SB|SPANBRIDGE)_\w+_H", match.group(1)):
        yield source.breach(1, "header-guard", f"{match.group(1)} is not SB_..._H")


def check_banned(source):
    names = list(BANNED)
    if source.path.startswith("tests/") and not source.path.startswith(MAY_SLEEP):
        names += BANNED_IN_TESTS
    pattern = re.compile(r"\b(" + "|".join(names) + r")\s*\(")
    for number, line in enumerate(source.code, 1):
        for match in pattern.finditer(line):
            yield source.breach(number, "banned-call", f"{match.group(1)}()")


def check_guards_differ(sources):
    """Two headers of one guard: the second one would be empty."""
    seen = {}
    for source in sources:
        match = GUARD_OPEN.search(source.text) if source.path.endswith(".h") else None
        if match and match.group(1) in seen:
            yield source.breach(1, "header-guard", f"same guard as {seen[match.group(1)]}")
        elif match:
            seen[match.group(1)] = source.path


def check_modules_tested(sources):
    paths = {source.path for source in sources}
    for source in sources:
        if stage_of(source.path) is None or not source.path.endswith(".c"):
            continue
        test = re.sub(r"^src/(.*)\.c$", r"tests/unit/\1_test.c", source.path)
        if test not in paths:
            yield source.breach(1, "module-test", f"there is no {test}")


STAGE_CALL = re.compile(r"sb_stage\(\s*(\w+)([^)]*)\)")


def check_cmake_uses(sources):
    """USES in the CMake files must not allow more than the table above."""
    for source in sources:
        if not source.path.endswith("CMakeLists.txt"):
            continue
        for match in STAGE_CALL.finditer(re.sub(r"#.*", "", source.text)):
            stage, key = match.group(1), None
            for word in match.group(2).split():
                if word in ("SOURCES", "USES", "LIBS"):
                    key = word
                elif key == "USES" and STAGE_USES.get(stage, []) != ALL:
                    if word not in STAGE_USES.get(stage, []):
                        yield source.breach(1, "include-direction", f"{stage} may not use {word}")


EACH_C = [check_file_length, check_function_length, check_includes, check_guard, check_banned]
EACH = [check_lines, check_unfinished]
TOGETHER = [check_guards_differ, check_modules_tested, check_cmake_uses]


def read_waivers(root):
    """{(rule, path): line}, and the breaches of the list itself."""
    waivers, breaches = {}, []
    file = root / WAIVERS
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=2)
        if not words or line.startswith("#"):
            continue
        if len(words) < 3:
            breaches.append(Breach(WAIVERS, number, "waiver", "not RULE PATH REASON"))
        elif (words[0], words[1]) in waivers:
            breaches.append(Breach(WAIVERS, number, "waiver", "given twice"))
        else:
            waivers[words[0], words[1]] = number
    return waivers, breaches


def check_tree(root):
    sources = [Source(root, path) for path in list_files(root) if is_checked(path)]
    found = []
    for source in sources:
        for check in EACH + (EACH_C if source.is_c else []):
            found.extend(check(source))
    for check in TOGETHER:
        found.extend(check(sources))
    waivers, breaches = read_waivers(root)
    broken = {(b.rule, b.path) for b in found}
    breaches += [b for b in found if (b.rule, b.path) not in waivers]
    breaches += [Breach(WAIVERS, line, "waiver", f"{path} does not break {rule} any more")
                 for (rule, path), line in waivers.items() if (rule, path) not in broken]
    return sources, sorted(breaches)


def main(arguments):
    selftest = arguments[:1] == ["--selftest"]
    if len(arguments) != 1 + selftest:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    root = Path(arguments[-1]).resolve()
    if selftest:
        import selftest as planted
        return planted.run(root)
    sources, breaches = check_tree(root)
    for b in breaches:
        print(f"{b.path}:{b.line}: {b.rule}: {b.text}")
    print(f"{len(sources)} files, {len(breaches)} breaches")
    return 1 if breaches or not sources else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
