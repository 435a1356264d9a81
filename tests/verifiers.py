"""Other people's programs that judge what we make: pdfsig, xmlsec1, bagit and openssl.

Each says in words what it found; the exit code alone says too little (pdfsig gives 0 for a broken signature).
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from lxml import etree

DSIG = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
DOCX_SIGNATURE = "_xmlsignatures/sig1.xml"


def need(command: str) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed, so this verifier cannot be asked")


def pdfsig(path: Path, root: bytes) -> str:
    """What poppler says of the signatures in a PDF, trusting only ``root`` (PEM)."""
    need("pdfsig")
    need("certutil")
    folder = path.parent / "nss"
    folder.mkdir()
    (folder / "root.pem").write_bytes(root)
    store = f"sql:{folder}"
    subprocess.run(["certutil", "-N", "-d", store, "--empty-password"], check=True, timeout=120)
    subprocess.run(["certutil", "-A", "-d", store, "-n", "r", "-t", "CT,C,C", "-i", folder / "root.pem"], check=True, timeout=120)
    return subprocess.run(
        ["pdfsig", "-nssdir", store, "-no-ocsp", path], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def xmlsec1(path: Path, root: bytes) -> tuple[bool, str]:
    """Whether the signature on a DOCX is valid, trusting only ``root`` (PEM), and "n/m": n of its m parts are as signed."""
    need("xmlsec1")
    folder = path.parent / "docx"
    with zipfile.ZipFile(path) as package:
        package.extractall(folder)
    (folder / "root.pem").write_bytes(root)
    command = ["xmlsec1", "--verify", "--trusted-pem", folder / "root.pem"]
    command += ["--id-attr:Id", f"{DSIG}:Object", "--id-attr:Id", f"{XADES}:SignedProperties"]
    for reference in etree.parse(folder / DOCX_SIGNATURE).iterfind(f".//{{{DSIG}}}Manifest/{{{DSIG}}}Reference"):
        address = reference.get("URI")
        command += [f"--url-map:{address}", folder / address.partition("?")[0].lstrip("/")]
    said = subprocess.run([*command, folder / DOCX_SIGNATURE], capture_output=True, text=True, timeout=120)
    counts = re.findall(r"References \(ok/all\): (\d+)/(\d+)", said.stderr)
    fine = said.returncode == 0 and len(counts) == 2 and all(good == every for good, every in counts)
    return fine, "/".join(counts[-1]) if counts else ""


def bagit(bag: Path) -> str:
    """What the stock BagIt tool says of an unpacked bag; its last words are "is valid" when it is."""
    said = subprocess.run([sys.executable, "-m", "bagit", "--validate", bag], capture_output=True, text=True, timeout=120)
    return said.stderr if said.returncode == 0 else f"{said.stderr}\nexit code {said.returncode}"


def openssl_cms(signature: Path, content: Path, root: bytes) -> str:
    """What openssl says of a detached signature, trusting only ``root`` (PEM)."""
    need("openssl")
    trusted = signature.with_name("root.pem")
    trusted.write_bytes(root)
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", content]
    command += ["-CAfile", trusted, "-purpose", "any", "-out", "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stderr
