"""`datacite.json`: what a repository needs to register a DOI, in DataCite's JSON (Metadata Schema 4).

Values nobody gave are ``(:tba)``, DataCite's word for "to be announced" (schema 4, appendix 3), or left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quadphase.model import Protocol
from quadphase.release.description import title_of
from quadphase.release.facts import ReleaseFacts
from quadphase.release.license import license_url
from quadphase.release.wording import counted

__all__ = ["DATACITE_NAME", "datacite"]

DATACITE_NAME: Final = "datacite.json"

TO_BE_ANNOUNCED: Final = "(:tba)"


def datacite(protocol: Protocol, facts: ReleaseFacts, answers: Mapping[str, str | None]) -> dict[str, Any]:
    """The content of the file."""
    release = protocol.release
    value: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "doi": release.doi,
        "url": release.url,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "CT images and segmentations"},
        "titles": [{"title": title_of(protocol), "lang": "en"}],
        "creators": [{"name": name} for name in release.creators or (TO_BE_ANNOUNCED,)],
        "publisher": {"name": release.publisher or TO_BE_ANNOUNCED},
        "publicationYear": release.publication_year,
        "version": release.version,
        "language": "en",
        "subjects": [{"subject": s} for s in ("computed tomography", "liver neoplasms", "image segmentation")],
        "rightsList": [
            {
                "rights": release.license,
                "rightsUri": license_url(release.license),
                "rightsIdentifier": release.license,
                "rightsIdentifierScheme": "SPDX",
            }
        ],
        "formats": ["application/gzip (NIfTI-1)", "text/csv", "application/json"],
        "sizes": [counted(facts.subjects, "subject"), counted(facts.images, "CT volume")],
        "descriptions": [
            {"description": release.description or answers["instances"], "descriptionType": "Abstract", "lang": "en"}
        ],
    }
    return {key: item for key, item in value.items() if item not in ("", None, [])}
