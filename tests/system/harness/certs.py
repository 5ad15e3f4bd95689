"""A certificate authority of the test's own, and a server certificate for 127.0.0.1."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Certs:
    ca: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path
    server: pathlib.Path  # key and chain in one file, as Kafka takes them


def make(folder: pathlib.Path) -> Certs:
    certs = Certs(folder / "ca.crt", folder / "server.crt", folder / "server.key",
                  folder / "server.pem")
    ca_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", certs.ca, "-days", "2",
             "-subj", "/CN=spanbridge test authority")
    _openssl("req", *new_key, "-keyout", certs.key, "-out", request, "-subj", "/CN=127.0.0.1")
    _openssl("x509", "-req", "-in", request, "-CA", certs.ca, "-CAkey", ca_key, "-CAcreateserial",
             "-out", certs.certificate, "-days", "2", "-extfile", extensions)
    certs.server.write_bytes(
        certs.key.read_bytes() + certs.certificate.read_bytes() + certs.ca.read_bytes())
    return certs


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")
