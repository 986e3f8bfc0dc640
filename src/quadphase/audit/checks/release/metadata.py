"""`croissant.json`, `datapackage.json` and `datacite.json`: they are JSON, say what the description says, and give the
hashes of the tables as they are.

Whether they are valid by their own standards is for those standards' tools; here it counts that no two files of one
release contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from quadphase.audit.checks.release.derived import digest_of
from quadphase.audit.checks.release.layout import is_ours
from quadphase.audit.contexts import ReleaseContext
from quadphase.errors import InputError
from quadphase.io.json_file import load_json
from quadphase.io.release_rows import TABLE_NAME
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME
from quadphase.model import Finding

__all__ = ["check"]

CROISSANT: Final = "croissant.json"
DATAPACKAGE: Final = "datapackage.json"
DATACITE: Final = "datacite.json"
TABLES: Final = (TABLE_NAME, GEOMETRY_NAME, LESIONS_NAME, "splits.csv")


def check(context: ReleaseContext) -> Iterator[Finding]:
    if not is_ours(context):
        return
    loaded: dict[str, Mapping[str, Any]] = {}
    for name in (CROISSANT, DATAPACKAGE, DATACITE):
        if name not in context.files:
            continue  # said by the check of the layout
        try:
            value = load_json(context.root / name)
        except InputError as error:
            if error.code == "not-readable":
                continue  # said by the check of the files
            value = None
        if isinstance(value, dict):
            loaded[name] = value
        else:
            yield Finding.of("contract-broken", name, "it must be one JSON object")
    for name, find in (("croissant.json", _croissant_files), ("datapackage.json", _package_files)):
        if name in loaded:
            yield from _tables(context, name, find(loaded[name]))
    for name, value in loaded.items():
        differing = [key for key, said in _claims(name, value).items() if said != context.description.get(key)]
        if differing and context.description:
            message = f"{', '.join(differing)} not as in dataset_description.json"
            yield Finding.of("contract-broken", name, message)


def _tables(context: ReleaseContext, name: str, stated: Mapping[str, str]) -> Iterator[Finding]:
    """Every table has a hash, and every hash is that of its file."""
    for path in TABLES:
        if path not in stated:
            yield Finding.of("contract-broken", name, f"it gives no SHA-256 of {path}")
    for path, digest in sorted(stated.items()):
        if path not in context.files:
            yield Finding.of("contract-broken", name, f"it names {path}, which does not exist")
        elif digest_of(context, path) not in (digest.lower(), None):
            yield Finding.of("checksum-differs", path, f"the SHA-256 is not the one in {name}")


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _croissant_files(value: Mapping[str, Any]) -> dict[str, str]:
    files = _objects(value.get("distribution"))
    return {str(f.get("contentUrl")): f["sha256"] for f in files if isinstance(f.get("sha256"), str)}


def _package_files(value: Mapping[str, Any]) -> dict[str, str]:
    files = _objects(value.get("resources"))
    hashes = ((str(f.get("path")), f.get("hash")) for f in files)
    return {path: text.removeprefix("sha256:") for path, text in hashes if isinstance(text, str)}


def _claims(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says under the names of `dataset_description.json`."""
    if name == CROISSANT:
        claims = {"name": value.get("name"), "version": value.get("version")}
        per_item = value.get("rai:annotationsPerItem")
        if isinstance(per_item, str) and per_item.isdigit():
            claims["readers"] = int(per_item)
        return claims
    if name == DATAPACKAGE:
        licenses = _objects(value.get("licenses"))
        return {
            "name": value.get("title"),
            "version": value.get("version"),
            "license": licenses[0].get("name") if licenses else None,
        }
    titles, rights = _objects(value.get("titles")), _objects(value.get("rightsList"))
    return {
        "name": titles[0].get("title") if titles else None,
        "version": value.get("version"),
        "license": rights[0].get("rightsIdentifier") if rights else None,
    }
