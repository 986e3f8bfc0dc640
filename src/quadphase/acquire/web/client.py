"""`WebArchive`: query by QIDO-RS, retrieve by WADO-RS as stored, one streamed request for a series.

``Accept: multipart/related; type="application/dicom"; transfer-syntax=*`` (PS3.18 section 8.7.3.5.2) asks for the
instances as they are stored, so the archive re-encodes nothing. Credentials come from the environment only, and are
never sent on to another address: redirections are not followed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from quadphase.acquire.address import WebAddress
from quadphase.acquire.archive import ExamQuery, FetchError, RemoteExam, RemoteSeries
from quadphase.acquire.header import sop_instance_uid_of
from quadphase.acquire.store import Arrival, SeriesStore
from quadphase.acquire.tls import client_context
from quadphase.acquire.web.multipart import MultipartError, MultipartParser, boundary_of
from quadphase.errors import MissingDependencyError, OutputError, SourceUnreachableError
from quadphase.io.dicom_date import day_of
from quadphase.model.protocol.sections import PacsSection

__all__ = ["WebArchive", "credentials"]

_AS_STORED: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_PIECE: Final = 1 << 20
_FAILURES_IN_A_ROW: Final = 3
"""After so many single instances that do not come, the archive is taken to be away."""
_NOBODY: Final = "QUADPHASE-NOBODY"
"""PatientID of a query that finds nothing."""


def credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Authorization header from ``QUADPHASE_DICOMWEB_TOKEN`` (bearer), or ``…_USER`` and ``…_PASSWORD`` (basic)."""
    token = environment.get("QUADPHASE_DICOMWEB_TOKEN", "")
    if token:
        return {"Authorization": f"Bearer {token}"}
    user = environment.get("QUADPHASE_DICOMWEB_USER", "")
    if user:
        pair = f"{user}:{environment.get('QUADPHASE_DICOMWEB_PASSWORD', '')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")}
    return {}


class WebArchive:
    """An archive behind DICOMweb; see `Archive` for the methods.

    Parameters
    ----------
    address : WebAddress
    settings : PacsSection
    """

    def __init__(self, address: WebAddress, settings: PacsSection) -> None:
        try:
            import urllib3
        except ImportError:
            raise MissingDependencyError(
                "no-urllib3", "DICOMweb needs the package urllib3", "pip install 'quadphase[pacs]'"
            ) from None
        self.address = address
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=settings.timeout_s, read=settings.timeout_s),
            retries=False,
            headers=credentials(os.environ),
            ssl_context=client_context(settings) if address.url.startswith("https://") else None,
        )

    def close(self) -> None:
        self._pool.clear()

    def _request(self, path: str, accept: str, *, stream: bool = False) -> Any:
        """GET below the service root.

        Raises
        ------
        SourceUnreachableError
            ``"unreachable"``, ``"not-authorised"``.
        """
        import urllib3

        try:
            answer = self._pool.request(
                "GET",
                self.address.url + path,
                headers={**self._pool.headers, "Accept": accept},
                redirect=False,
                preload_content=not stream,
            )
        except urllib3.exceptions.SSLError:
            raise SourceUnreachableError(
                "tls",
                f"{self.address} has no certificate that can be trusted",
                "Name the hospital's certificate authority in tls_ca_file of [pacs]",
            ) from None
        except urllib3.exceptions.HTTPError:
            raise SourceUnreachableError(
                "unreachable", f"{self.address} does not answer", "Check host and port, and that the server is running"
            ) from None
        if answer.status in (401, 403):
            answer.release_conn()
            raise SourceUnreachableError(
                "not-authorised",
                f"{self.address} refuses us (HTTP {answer.status})",
                "Set QUADPHASE_DICOMWEB_TOKEN, or QUADPHASE_DICOMWEB_USER and QUADPHASE_DICOMWEB_PASSWORD",
            )
        if 300 <= answer.status < 400:
            answer.release_conn()
            raise SourceUnreachableError(
                "redirected", f"{self.address} sends us elsewhere", "Use the address it points to"
            )
        return answer

    # Query

    def check(self) -> None:
        self._query("/studies", {"PatientID": _NOBODY, "limit": "1"}, uid="0020000D")

    def exams(self, query: ExamQuery) -> list[RemoteExam]:
        keys = (
            {"AccessionNumber": query.accession_number} if query.accession_number else {"PatientID": query.patient_id}
        )
        if query.date_range:
            keys["StudyDate"] = query.date_range
        return [
            RemoteExam(
                study_instance_uid=_value(item, "0020000D"),
                patient_id=_value(item, "00100020"),
                accession_number=_value(item, "00080050"),
                study_date=day_of(_value(item, "00080020")),
            )
            for item in self._query("/studies", keys, uid="0020000D")
        ]

    def series(self, study_instance_uid: str) -> list[RemoteSeries]:
        fields = {"includefield": "00201209,0008103E,00080060"}
        return [
            RemoteSeries(
                study_instance_uid=study_instance_uid,
                series_instance_uid=_value(item, "0020000E"),
                modality=_value(item, "00080060"),
                description=_value(item, "0008103E"),
                instances=int(number) if (number := _value(item, "00201209")).isdecimal() else None,
            )
            for item in self._query(f"/studies/{quote(study_instance_uid)}/series", fields, uid="0020000E")
        ]

    def instances(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        path = f"/studies/{quote(study_instance_uid)}/series/{quote(series_instance_uid)}/instances"
        return [_value(item, "00080018") for item in self._query(path, {}, uid="00080018")]

    def _query(self, path: str, keys: dict[str, str], *, uid: str) -> list[dict[str, Any]]:
        """Every match, page after page; one that comes again (its UID in attribute `uid`) is taken once.

        Raises
        ------
        SourceUnreachableError
            ``"no-dicomweb"``; ``"incomplete-answer"`` if the archive says there is more and does not give it.
        """
        found: list[dict[str, Any]] = []
        seen: set[str] = set()
        received = 0
        while True:
            more = {"offset": str(received)} if received else {}
            text = urlencode({**keys, **more})
            answer = self._request(f"{path}?{text}" if text else path, "application/dicom+json")
            if answer.status == 204:
                return found
            try:
                if answer.status != 200:
                    raise ValueError
                page = [item for item in json.loads(answer.data) if isinstance(item, dict)]
            except (ValueError, TypeError):
                raise SourceUnreachableError(
                    "no-dicomweb",
                    f"{self.address} does not answer QIDO-RS (HTTP {answer.status})",
                    "Check the path of the address; Orthanc's is /dicom-web",
                ) from None
            new = {_value(item, uid): item for item in page if _value(item, uid) not in seen}
            found += new.values()
            seen |= new.keys()
            received += len(page)
            # PS3.18 section 8.3.4.4: a server that gives only some of the results says so in a Warning 299; the same
            # code tells of a parameter that is not supported, so a page with nothing new ends the asking
            warning = answer.headers.get("Warning", "")
            if "299" not in warning:
                return found
            if not new:
                if "additional result" in warning.lower():
                    raise SourceUnreachableError(
                        "incomplete-answer",
                        f"{self.address} keeps back results of a query and does not page",
                        "Ask the archive's administrator to raise the limit of QIDO-RS results",
                    )
                return found

    # Retrieve

    def fetch(
        self,
        series: RemoteSeries,
        store: SeriesStore,
        *,
        only: Sequence[str] | None = None,
        stored: Callable[[], None],
    ) -> None:
        path = f"/studies/{quote(series.study_instance_uid)}/series/{quote(series.series_instance_uid)}"
        if only is None:
            self._fetch(path, store, stored)
            return
        failure: FetchError | None = None
        in_a_row = 0
        for uid in only:  # one that the archive cannot give must not keep the others from coming
            try:
                self._fetch(f"{path}/instances/{quote(uid)}", store, stored)
                in_a_row = 0
            except FetchError as error:
                failure, in_a_row = error, in_a_row + 1
                if in_a_row == _FAILURES_IN_A_ROW:
                    break
        if failure is not None:
            raise failure

    def _fetch(self, path: str, store: SeriesStore, stored: Callable[[], None]) -> None:
        import urllib3

        try:
            answer = self._request(path, _AS_STORED, stream=True)
        except SourceUnreachableError as error:
            raise FetchError(error.message, retry=error.code == "unreachable", unreachable=True) from None
        sink = _ToStore(store, stored)
        whole = False
        try:
            if answer.status != 200:
                raise FetchError(f"HTTP {answer.status}", retry=answer.status >= 500 or answer.status == 429)
            parser = MultipartParser(boundary_of(answer.headers.get("Content-Type", "")), sink)
            for piece in answer.stream(_PIECE, decode_content=True):
                parser.feed(piece)
            parser.close()
            whole = True
        except MultipartError as error:
            raise FetchError(str(error)) from None
        except OutputError:  # the disk; an OSError, but not of the network
            raise
        except (urllib3.exceptions.HTTPError, OSError):
            raise FetchError("the connection was lost") from None
        finally:
            sink.close()
            if whole:
                answer.release_conn()
            else:
                answer.close()  # bytes are left in it: never to be used again


class _ToStore:
    """Writes each part to a file named by the UID in its first bytes."""

    _BEGINNING: Final = 4096

    def __init__(self, store: SeriesStore, stored: Callable[[], None]) -> None:
        self._store = store
        self._stored = stored
        self._arrival: Arrival | None = None
        self._beginning = bytearray()

    def begin(self) -> None:
        self._arrival = self._store.begin()
        self._beginning.clear()

    def data(self, piece: memoryview) -> None:
        if len(self._beginning) < self._BEGINNING:
            self._beginning += piece[: self._BEGINNING]
        assert self._arrival is not None  # noqa: S101  the parser calls begin first
        self._arrival.write(piece)

    def end(self) -> None:
        arrival, self._arrival = self._arrival, None
        assert arrival is not None  # noqa: S101
        uid = sop_instance_uid_of(bytes(self._beginning))
        if not uid:
            arrival.drop()  # not a DICOM file; the count will show that one is missing
            return
        arrival.keep(uid)
        self._stored()

    def close(self) -> None:
        """Drop what has not arrived whole."""
        if self._arrival is not None:
            self._arrival.drop()
            self._arrival = None


def _value(item: dict[str, Any], tag: str) -> str:
    """First value of an attribute in the DICOM JSON model (PS3.18 annex F)."""
    values = item.get(tag, {}).get("Value") or [""]
    return "" if isinstance(values[0], dict) or values[0] is None else str(values[0]).strip("\0 ")
