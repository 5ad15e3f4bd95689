"""Proves that tidy.py can fail: plants one fault of each kind in a copy of the stage core."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import tidy

COPIED = ["src/core", "tests/unit/core", "tests/support"]

UNFINISHED = "TO" "DO"
GUARDED = "#ifndef SB_{0}_H\n#define SB_{0}_H\n{1}#endif\n"
TESTED = {"tests/unit/core/zz_test.c": "int zz;\n"}


def function(lines):
    """A function of that many lines, its braces included."""
    return "void zz(void)\n{\n" + "    f();\n" * (lines - 2) + "}\n"


# name: (files to write, the breaches expected as (path, rule))
ZZ = "src/core/zz.c"
PLANTS = {
    "line too long": ({ZZ: "int " + "z" * 96 + ";\n", **TESTED}, [(ZZ, "line-length")]),
    "line just fits": ({ZZ: "int " + "z" * 95 + ";\n", **TESTED}, []),
    "line too long in cmake": ({"tests/z/CMakeLists.txt": "#" * 101 + "\n"},
                               [("tests/z/CMakeLists.txt", "line-length")]),
    "tab": ({ZZ: "\tint z;\n", **TESTED}, [(ZZ, "tab")]),
    "trailing blank": ({ZZ: "int z; \n", **TESTED}, [(ZZ, "trailing-blank")]),
    "no last newline": ({ZZ: "int z;", **TESTED}, [(ZZ, "last-newline")]),
    "long function": ({ZZ: function(71), **TESTED}, [(ZZ, "function-length")]),
    "long function, brace behind": ({ZZ: function(72).replace(")\n{", ") {"), **TESTED},
                                    [(ZZ, "function-length")]),
    "function just fits": ({ZZ: function(70) + function(70), **TESTED}, []),
    "long file": ({ZZ: "int z;\n" * 601, **TESTED}, [(ZZ, "file-length")]),
    "long header": ({"src/core/zz.h": GUARDED.format("CORE_ZZ", "int z;\n" * 598)},
                    [("src/core/zz.h", "file-length")]),
    "file just fits": ({ZZ: "int z;\n" * 600, **TESTED}, []),
    "include to the right": ({ZZ: '#include "otlp/scan.h"\n', **TESTED},
                             [(ZZ, "include-direction")]),
    "include in angle brackets": ({ZZ: "#  include <sink/sink.h>\n", **TESTED},
                                  [(ZZ, "include-direction")]),
    "include of the public library": ({ZZ: "#include <spanbridge/context.h>\n", **TESTED},
                                      [(ZZ, "include-direction")]),
    "include by the way out": ({ZZ: '#include "../otlp/wire.h"\n', **TESTED},
                               [(ZZ, "include-direction")]),
    "include from a contract": (
        {"src/repair/include/repair/zz.h":
         GUARDED.format("REPAIR_ZZ", '#include "window/window.h"\n')},
        [("src/repair/include/repair/zz.h", "include-direction")]),
    "include from the public library": (
        {"include/spanbridge/zz.h": GUARDED.format("ZZ", '#include "core/bytes.h"\n')},
        [("include/spanbridge/zz.h", "include-direction")]),
    "include in a comment": ({ZZ: '// #include "otlp/scan.h"\n/*\n#include "sink/x.h"\n*/\n',
                              **TESTED}, []),
    "include allowed": ({"src/repair/zz.h": GUARDED.format(
        "REPAIR_ZZ", '#include "context/context.h"\n#include "core/err.h"\n')}, []),
    "unknown stage": ({"src/zz/zz.h": GUARDED.format("ZZ_ZZ", "")},
                      [("src/zz/zz.h", "include-direction")]),
    "uses in cmake": (
        {"src/otlp/CMakeLists.txt": "sb_stage(otlp SOURCES a.c\n  USES core repair)\n"},
        [("src/otlp/CMakeLists.txt", "include-direction")]),
    "uses allowed": ({"src/repair/CMakeLists.txt": "sb_stage(repair USES core context LIBS x)\n"},
                     []),
    "module without a test": ({ZZ: "int z;\n"}, [(ZZ, "module-test")]),
    "module in a folder": ({"src/sink/kafka/zz.c": "int z;\n", **TESTED},
                           [("src/sink/kafka/zz.c", "module-test")]),
    "main has no test": ({"src/main.c": "int z;\n"}, []),
    "waived": ({ZZ: "int z;\n", tidy.WAIVERS: f"# why\n\nmodule-test {ZZ} is only data\n"}, []),
    "waived for another rule": ({ZZ: "int z;\n", tidy.WAIVERS: f"tab {ZZ} reason\n"},
                                [(ZZ, "module-test"), (tidy.WAIVERS, "waiver")]),
    "stale waiver": ({tidy.WAIVERS: "module-test src/core/hex.c it had none\n"},
                     [(tidy.WAIVERS, "waiver")]),
    "waiver of a file that is gone": ({tidy.WAIVERS: "tab src/core/gone.c reason\n"},
                                      [(tidy.WAIVERS, "waiver")]),
    "waiver without a reason": ({ZZ: "int z;\n", tidy.WAIVERS: f"module-test {ZZ}\n"},
                                [(ZZ, "module-test"), (tidy.WAIVERS, "waiver")]),
    "no guard": ({"src/core/zz.h": "int z;\n"}, [("src/core/zz.h", "header-guard")]),
    "pragma once": ({"src/core/zz.h": "#pragma once\n"}, [("src/core/zz.h", "header-guard")]),
    "guard of two names": ({"src/core/zz.h": "#ifndef SB_A_H\n#define SB_B_H\n#endif\n"},
                           [("src/core/zz.h", "header-guard")]),
    "guard not around all": ({"src/core/zz.h": "#ifndef SB_A_H\n#define SB_A_H\n#endif\nint z;\n"},
                             [("src/core/zz.h", "header-guard")]),
    "guard of another house": ({"src/core/zz.h": "#ifndef ZZ_H\n#define ZZ_H\n#endif\n"},
                               [("src/core/zz.h", "header-guard")]),
    "guard used twice": ({"src/core/hex.h": GUARDED.format("CORE_HEX", "")},
                         [("src/core/include/core/hex.h", "header-guard")]),
    "unfinished": ({ZZ: f"int z; // {UNFINISHED} later\n", **TESTED}, [(ZZ, "unfinished")]),
    "unfinished, empty reason": ({ZZ: f"int z; // {UNFINISHED}( ) later\n", **TESTED},
                                 [(ZZ, "unfinished")]),
    "unfinished with a reason": ({ZZ: f"int z; // {UNFINISHED}(needs 2.16): later\n", **TESTED},
                                 []),
    "banned in a text": ({ZZ: '// sprintf(x)\nconst char *z = "\\"gets(x)";\n', **TESTED}, []),
    "like a banned call": ({ZZ: "int z = my_atoi(x) + snprintf(x);\n", **TESTED}, []),
    "banned in a header": ({"src/core/zz.h": GUARDED.format("CORE_ZZ", "f(alloca(3))\n")},
                           [("src/core/zz.h", "banned-call")]),
    "sleep in src": ({ZZ: "int z = sleep(1);\n", **TESTED}, []),
    "sleep in a bench": ({"tests/bench/zz.c": "int z = sleep(1);\n"}, []),
    "data is left alone": ({"tests/data/zz.txt": "\t" + "z" * 200 + " "}, []),
    **{f"banned {name}": ({ZZ: f"int z = {name} (x);\n", **TESTED}, [(ZZ, "banned-call")])
       for name in tidy.BANNED},
    **{f"banned {name} in tests": ({"tests/scenario/zz.c": f"int z = {name}(1);\n"},
                                   [("tests/scenario/zz.c", "banned-call")])
       for name in tidy.BANNED_IN_TESTS},
}


def plant(root, files):
    """Writes the files; returns what undoes it."""
    before = {}
    for path, text in files.items():
        file = root / path
        before[file] = file.read_bytes() if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return before


def undo(before):
    for file, content in before.items():
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)


def breaches_of(root):
    return sorted({(b.path, b.rule) for b in tidy.check_tree(root)[1]})


def check_plants(root):
    for name, (files, expected) in PLANTS.items():
        before = plant(root, files)
        found = breaches_of(root)
        undo(before)
        if found != sorted(expected):
            yield f"{name}: expected {sorted(expected)}, found {found}"
    rest = breaches_of(root)
    if rest:
        yield f"left over: {rest}"


def check_git(root):
    """Untracked files count, ignored ones do not."""
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / ".gitignore").write_text("ignored.c\n", encoding="utf-8")
    plant(root, {"tests/ignored.c": "\tint z;\n", "tests/seen.c": "\tint z;\n"})
    found = breaches_of(root)
    if found != [("tests/seen.c", "tab")]:
        yield f"git: found {found}"


def run(root):
    with tempfile.TemporaryDirectory(prefix="spanbridge-tidy-") as name:
        copy = Path(name)
        for folder in COPIED:
            shutil.copytree(root / folder, copy / folder)
        clean = breaches_of(copy)
        if clean:
            print(f"the copy is not clean to begin with: {clean}")
            return 1
        failures = list(check_plants(copy)) + list(check_git(copy))
    for failure in failures:
        print(failure)
    print(f"{len(PLANTS) + 1} faults planted, {len(failures)} not as expected")
    return 1 if failures else 0
