"""`LICENSE` of a release, from package data. Licences a repository for research data accepts; anything else is refused.

Names are SPDX identifiers. CC0-1.0 is the legal code in full; CC-BY-4.0 is Creative Commons' notice with the address
of the
legal code, which is how its section 3(a)(1)(A) allows it to be named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from quadphase.errors import ProtocolError

__all__ = ["LICENSES", "LICENSE_NAME", "license_text", "license_url"]

LICENSE_NAME: Final = "LICENSE"

LICENSES: Final = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def license_url(name: str) -> str:
    """Address of the licence.

    Raises
    ------
    ProtocolError
        ``"unknown-license"``.
    """
    if name not in LICENSES:
        raise ProtocolError(
            "unknown-license", f"release.license '{name}' is not known", f"Choose one of {', '.join(LICENSES)}"
        )
    return LICENSES[name]


def license_text(name: str) -> str:
    """Text of the file; errors as `license_url`."""
    license_url(name)
    return (Path(__file__).parent / "licenses" / f"{name}.txt").read_text("utf-8")
