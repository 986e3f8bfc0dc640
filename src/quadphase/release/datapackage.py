"""`datapackage.json`: the tables as a Frictionless Data Package with table schemas (https://specs.frictionlessdata.io)."""

from __future__ import annotations

from typing import Any, Final

from quadphase.io.release_rows import TABLE_NAME
from quadphase.io.tables import NA
from quadphase.model import Protocol
from quadphase.release.description import title_of
from quadphase.release.facts import ReleaseFacts
from quadphase.release.license import license_url
from quadphase.release.pack import archive_prefix
from quadphase.release.schema import TABLES, Column, TableSchema

__all__ = ["DATAPACKAGE_NAME", "datapackage"]

DATAPACKAGE_NAME: Final = "datapackage.json"


def datapackage(protocol: Protocol, facts: ReleaseFacts) -> dict[str, Any]:
    """The content of the file. Images are not resources: `checksums.sha256` covers them, a table schema cannot."""
    release = protocol.release
    files = {table.name: table for table in facts.tables}
    value: dict[str, Any] = {
        "name": archive_prefix(title_of(protocol), release.version).lower(),
        "title": title_of(protocol),
        "description": release.description,
        "version": release.version,
        "homepage": release.url,
        "licenses": [{"name": release.license, "path": license_url(release.license)}],
        "contributors": [{"title": name, "role": "author"} for name in release.creators],
        "resources": [_resource(table, files[table.file].size_bytes, files[table.file].sha256) for table in TABLES],
    }
    return {key: item for key, item in value.items() if item not in ("", [])}


def _resource(table: TableSchema, size: int, digest: str) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column) for column in table.columns],
        "missingValues": [NA],
        "primaryKey": list(table.key),
    }
    if table.file != TABLE_NAME:
        columns = [name for name in table.key if name in ("patient_id", "phase")]
        owner = TABLE_NAME.removesuffix(".csv").replace("_", "-")
        schema["foreignKeys"] = [{"fields": columns, "reference": {"resource": owner, "fields": columns}}]
    return {
        "name": table.file.removesuffix(".csv").replace("_", "-"),
        "path": table.file,
        "description": table.meaning,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": size,
        "hash": f"sha256:{digest}",
        "profile": "tabular-data-resource",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column.nullable else {"required": True}
    if column.values:
        constraints["enum"] = list(column.values)
    return {
        "name": column.name,
        "type": column.kind,
        "description": column.meaning,
        **({"constraints": constraints} if constraints else {}),
    }
