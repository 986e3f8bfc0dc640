"""`croissant.json`: the release for machines, as Croissant 1.1 with the Responsible-AI vocabulary 1.0.

Specifications: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html. Paths are relative to the file. Properties nobody
answered are
left out; README.md names them as open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quadphase.model import Protocol
from quadphase.release.datasheet import annotation, preprocessing
from quadphase.release.description import title_of
from quadphase.release.facts import ReleaseFacts
from quadphase.release.license import license_url
from quadphase.release.schema import TABLES, Column, TableSchema
from quadphase.release.wording import counted

__all__ = ["CROISSANT_NAME", "croissant"]

CROISSANT_NAME: Final = "croissant.json"

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_IMAGES: Final = (
    ("ct-volumes", "ct_files/*.nii.gz", "CT volumes in Hounsfield units, one a subject and phase."),
    ("lesion-masks", "mask_files/*.nii.gz", "Lesion masks on the grids of the CT volumes."),
    ("liver-masks", "liver_mask_files/*.nii.gz", "Liver masks on the grids of the CT volumes."),
)


def croissant(protocol: Protocol, facts: ReleaseFacts, answers: Mapping[str, str | None]) -> dict[str, Any]:
    """The content of the file."""
    release = protocol.release
    creators = [{"@type": "Person", "name": name} for name in release.creators]
    value: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": title_of(protocol),
        "description": release.description or answers["instances"],
        "version": release.version,
        "license": license_url(release.license),
        "creator": creators,
        "publisher": {"@type": "Organization", "name": release.publisher} if release.publisher else None,
        "url": release.url or (f"https://doi.org/{release.doi}" if release.doi else None),
        "citeAs": _citation(protocol),
        "datePublished": str(release.publication_year) if release.publication_year else None,
        "keywords": ["computed tomography", "liver", "contrast phase", "primary liver cancer", "segmentation"],
        "isLiveDataset": False,
        "distribution": [*(_file(table.name, table.size_bytes, table.sha256) for table in facts.tables), *_sets(facts)],
        "recordSet": [_records(table) for table in TABLES],
        **_responsible(protocol, facts, answers),
    }
    return {key: item for key, item in value.items() if item not in (None, [], "")}


def _citation(protocol: Protocol) -> str | None:
    """A citation needs names; without creators there is none."""
    release = protocol.release
    if not release.creators:
        return None
    year = f" ({release.publication_year})" if release.publication_year else ""
    doi = f" https://doi.org/{release.doi}" if release.doi else ""
    return f"{'; '.join(release.creators)}{year}. {title_of(protocol)}, version {release.version} [Data set].{doi}"


def _file(name: str, size: int, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": "text/csv",
        "sha256": digest,
    }


def _sets(facts: ReleaseFacts) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "description": meaning,
            "encodingFormat": "application/gzip",
            "includes": pattern,
        }
        for name, pattern, meaning in _IMAGES
        if name != "lesion-masks" or facts.lesion_masks
    ]


def _records(table: TableSchema) -> dict[str, Any]:
    name = table.file.removesuffix(".csv")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": table.meaning,
        "key": [{"@id": f"{name}/{column}"} for column in table.key],
        "field": [_field(table.file, name, column) for column in table.columns],
    }


def _field(file: str, record_set: str, column: Column) -> dict[str, Any]:
    # A whole number that may be NA reads as a float in every common table reader.
    kind = "sc:Text" if column.kind == "string" else "sc:Integer" if column.kind == "integer" else "sc:Float"
    if column.kind == "integer" and column.nullable:
        kind = "sc:Float"
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": kind,
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }


def _responsible(protocol: Protocol, facts: ReleaseFacts, answers: Mapping[str, str | None]) -> dict[str, Any]:
    uses = answers["uses"]
    limits = [
        f"{counted(facts.subjects, 'subject')}.",
        f"Scanners: {', '.join(facts.scanners)}.",
    ]
    if facts.window_hu is not None:
        limits.append(f"Values are clipped to {facts.window_hu[0]}...{facts.window_hu[1]} HU.")
    if answers["discouraged"]:
        limits.append(answers["discouraged"])
    backends = [name for name, _ in facts.liver_sources if name != "person"]
    return {
        "rai:dataCollection": answers["collection"],
        "rai:dataCollectionType": ["Secondary Data Analysis"],
        "rai:dataCollectionMissingData": answers["missing"],
        "rai:dataCollectionRawData": answers["raw"],
        "rai:dataPreprocessingProtocol": preprocessing(protocol, facts),
        "rai:dataAnnotationProtocol": annotation(protocol, facts),
        "rai:annotationsPerItem": str(len(protocol.annotate.readers)) if facts.lesion_masks else None,
        "rai:annotatorDemographics": [answers["annotators"]] if answers["annotators"] else None,
        "rai:machineAnnotationTools": [f"quadphase, liver backend {name}" for name in backends],
        "rai:dataBiases": [answers["confounding"]],
        "rai:dataUseCases": [uses] if uses else None,
        "rai:dataLimitations": limits,
        "rai:dataSocialImpact": answers["social_impact"],
        "rai:personalSensitiveInformation": ["Age", "Gender", "Health: diagnosis and CT images"],
        "rai:dataReleaseMaintenancePlan": answers["maintenance"],
    }
