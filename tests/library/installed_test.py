"""An installed libspanbridge: what is in it, and that programs outside find and use it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["SPANBRIDGE_ROOT"])
BUILD = os.environ["SPANBRIDGE_BUILD"]
CMAKE = os.environ["CMAKE"]
CC = os.environ["CC"]
OUTSIDE = ROOT / "tests" / "library" / "outside"
TRACED = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-03: ok$")


def run(*command: object, env: dict[str, str] | None = None, fails: bool = False) -> str:
    done = subprocess.run([str(part) for part in command], env={**os.environ, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + (done.stderr if fails else "")


def declared() -> set[str]:
    """The functions of the public headers that are not inline."""
    found: set[str] = set()
    for name in ("context.h", "carrier.h"):
        text = (ROOT / "include" / "spanbridge" / name).read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        found.update(re.findall(r"\b(spanbridge_\w+)\(", text))
    return found


def defined(*arguments: object) -> set[str]:
    lines = run("nm", "--defined-only", *arguments).splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) == 3}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="spanbridge-library-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.prefix = cls.folder / "prefix"
        run(CMAKE, "--install", BUILD, "--component", "library", "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.glob("**/libspanbridge.so")).parent

    def setUp(self) -> None:
        self.work = self.folder / self._testMethodName
        self.work.mkdir()

    def pkg_config(self, prefix: pathlib.Path, *arguments: str) -> list[str]:
        folder = next(prefix.glob("**/pkgconfig"))
        return run("pkg-config", *arguments, "spanbridge",
                   env={"PKG_CONFIG_PATH": str(folder)}).split()

    def expect_traced(self, *command: object, env: dict[str, str] | None = None) -> None:
        self.assertRegex(run(*command, env=env).strip(), TRACED)

    def test_headers_and_files(self) -> None:
        names = {str(path.relative_to(self.prefix / "include"))
                 for path in (self.prefix / "include").glob("**/*") if path.is_file()}
        self.assertEqual(names, {f"spanbridge/{path.name}" for path
                                 in (ROOT / "include" / "spanbridge").iterdir()})
        for name in ("libspanbridge.a", "pkgconfig/spanbridge.pc",
                     "cmake/spanbridge/spanbridge-config.cmake",
                     "cmake/spanbridge/spanbridge-config-version.cmake"):
            self.assertTrue((self.lib / name).is_file(), name)
        # Nothing of the service comes along, and no path of where it was built.
        self.assertFalse((self.prefix / "bin").exists())
        for path in self.lib.glob("**/*"):
            if path.suffix in (".pc", ".cmake"):
                self.assertNotIn(str(BUILD), path.read_text(), path)
                self.assertNotIn(str(ROOT), path.read_text(), path)

    def test_symbols(self) -> None:
        expected = declared()
        self.assertIn("spanbridge_extract", expected)
        shared = defined("-D", self.lib / "libspanbridge.so")
        version = "SPANBRIDGE_0.1"
        self.assertEqual({f"{name}@@{version}" for name in expected} | {version}, shared)
        self.assertEqual(expected, defined("-g", self.lib / "libspanbridge.a"))

    def test_names_itself_and_needs_libc_alone(self) -> None:
        dynamic = run("readelf", "-d", self.lib / "libspanbridge.so")
        self.assertEqual(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic), ["libspanbridge.so.0.1"])
        self.assertEqual(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic), ["libc.so.6"])
        self.assertTrue((self.lib / "libspanbridge.so.0.1").is_symlink())

    def build_outside(self, prefix: pathlib.Path) -> None:
        run(CMAKE, "-S", OUTSIDE, "-B", self.work / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_C_COMPILER={CC}", "-DWANTED_VERSION=0.1")
        run(CMAKE, "--build", self.work / "build")
        self.expect_traced(self.work / "build" / "outside_shared")
        self.expect_traced(self.work / "build" / "outside_static")
        needed = run("readelf", "-d", self.work / "build" / "outside_static")
        self.assertNotIn("libspanbridge", needed)

    def test_cmake(self) -> None:
        self.build_outside(self.prefix)

    def test_cmake_versions(self) -> None:
        for version in ("0.0", "0.2", "1.0"):
            said = run(CMAKE, "-S", OUTSIDE, "-B", self.work / version,
                       f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_C_COMPILER={CC}",
                       f"-DWANTED_VERSION={version}", fails=True)
            self.assertIn("spanbridge-config.cmake, version: 0.1", said)

    def compile_outside(self, prefix: pathlib.Path) -> None:
        program = self.work / "outside"
        flags = self.pkg_config(prefix, "--cflags", "--libs")
        run(CC, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", OUTSIDE / "main.c",
            "-o", program, *flags)
        lib = next(prefix.glob("**/libspanbridge.so")).parent
        self.expect_traced(program, env={"LD_LIBRARY_PATH": str(lib)})

    def test_pkg_config(self) -> None:
        self.assertEqual(self.pkg_config(self.prefix, "--modversion"), ["0.1.0"])
        self.compile_outside(self.prefix)

    def test_moved(self) -> None:
        """Packagers install below one folder and unpack in another."""
        moved = self.work / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        self.compile_outside(moved)
        self.assertIn(str(moved), " ".join(self.pkg_config(moved, "--cflags")))
        self.build_outside(moved)

    def test_headers_by_themselves_and_in_cpp(self) -> None:
        flags = self.pkg_config(self.prefix, "--cflags")
        clients = run("pkg-config", "--cflags", "rdkafka", "librabbitmq",
                      env={"PKG_CONFIG_PATH": os.environ["SPANBRIDGE_PKGCONFIG"]}).split()
        clients = [flag.replace("-I", "-isystem") for flag in clients]
        for header in sorted((self.prefix / "include" / "spanbridge").iterdir()):
            for language in ("c", "c++"):
                source = self.work / f"{header.stem}.{language[0]}"
                source.write_text(f"#include <spanbridge/{header.name}>\nint unused;\n")
                strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion", "-Wshadow"]
                run(CC, "-x", language, f"-std={language}11", "-fsyntax-only", *strict, *flags,
                    *clients, source)


if __name__ == "__main__":
    unittest.main()
