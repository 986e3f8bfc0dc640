"""`DimseArchive`: query and retrieve from a PACS (PS3.4 annex C, Study Root)."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final

from quadphase.acquire.address import DimseAddress
from quadphase.acquire.archive import ExamQuery, FetchError, RemoteExam, RemoteSeries
from quadphase.acquire.dimse.association import Caller
from quadphase.acquire.dimse.contexts import VERIFICATION
from quadphase.acquire.dimse.intake import Intake
from quadphase.acquire.dimse.listener import Arrivals, Listener, store_event
from quadphase.acquire.store import SeriesStore
from quadphase.acquire.tls import listener_context
from quadphase.errors import InputError, SourceUnreachableError
from quadphase.io.dicom_date import day_of
from quadphase.model.protocol.sections import PacsSection

__all__ = ["DimseArchive"]

_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

_UIDS_PER_REQUEST: Final = 50
"""SOP instance UIDs in one identifier: 50 × 65 bytes stay far below every archive's limit."""

_MOVE_DESTINATION_UNKNOWN: Final = 0xA801
_SOP_CLASS_NOT_SUPPORTED: Final = 0x0122


class DimseArchive:
    """An archive reached by DIMSE; see `Archive` for the methods.

    Parameters
    ----------
    address : DimseAddress
    settings : PacsSection
    """

    def __init__(self, address: DimseAddress, settings: PacsSection) -> None:
        self._caller = Caller(address, settings)
        self.address = address
        self.settings = settings
        self.calling = self._caller.title
        self._retrieve = address.retrieve or settings.retrieve
        self._listener: Listener | None = None
        self._message_ids = count(1)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # Query

    def check(self) -> None:
        with self._caller.associate([VERIFICATION]) as association:
            status = association.send_c_echo()
            if getattr(status, "Status", None) != 0:
                raise SourceUnreachableError(
                    "echo-failed", f"{self.address} did not answer C-ECHO", "Ask the PACS administrator"
                )

    def exams(self, query: ExamQuery) -> list[RemoteExam]:
        keys = {
            "QueryRetrieveLevel": "STUDY",
            "PatientID": "" if query.accession_number else query.patient_id,
            "AccessionNumber": query.accession_number,
            "StudyDate": query.date_range,
            "StudyInstanceUID": "",
        }
        return [
            RemoteExam(
                study_instance_uid=_text(answer, "StudyInstanceUID"),
                patient_id=_text(answer, "PatientID"),
                accession_number=_text(answer, "AccessionNumber"),
                study_date=day_of(_text(answer, "StudyDate")),
            )
            for answer in self._find(keys)
        ]

    def series(self, study_instance_uid: str) -> list[RemoteSeries]:
        keys = {
            "QueryRetrieveLevel": "SERIES",
            "StudyInstanceUID": study_instance_uid,
            "SeriesInstanceUID": "",
            "Modality": "",
            "SeriesDescription": "",
            "NumberOfSeriesRelatedInstances": "",
        }
        return [
            RemoteSeries(
                study_instance_uid=study_instance_uid,
                series_instance_uid=_text(answer, "SeriesInstanceUID"),
                modality=_text(answer, "Modality"),
                description=_text(answer, "SeriesDescription"),
                instances=_number(_text(answer, "NumberOfSeriesRelatedInstances")),
            )
            for answer in self._find(keys)
        ]

    def instances(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        keys = {
            "QueryRetrieveLevel": "IMAGE",
            "StudyInstanceUID": study_instance_uid,
            "SeriesInstanceUID": series_instance_uid,
            "SOPInstanceUID": "",
        }
        return [_text(answer, "SOPInstanceUID") for answer in self._find(keys)]

    def _find(self, keys: dict[str, str]) -> list[Any]:
        identifier = _dataset(keys)
        answers = []
        with self._caller.associate([_FIND]) as association, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom quotes values it finds odd
            for status, answer in association.send_c_find(identifier, _FIND):
                code = getattr(status, "Status", None)
                if code in (0xFF00, 0xFF01) and answer is not None:
                    answers.append(answer)
                elif code != 0:
                    what = "the connection was lost" if code is None else f"status {code:04X}"
                    raise SourceUnreachableError(
                        "find-failed", f"{self.address} did not answer a query: {what}", "Run the same command again"
                    )
        return answers

    # Retrieve

    def fetch(
        self,
        series: RemoteSeries,
        store: SeriesStore,
        *,
        only: Sequence[str] | None = None,
        stored: Callable[[], None],
    ) -> None:
        for identifier in _identifiers(series, only):
            try:
                if self._retrieve == "move":
                    self._move(identifier, store, stored)
                else:
                    self._get(identifier, store, stored)
            except _NoGetError:
                if self._retrieve == "get" or not self._listen_port:
                    raise SourceUnreachableError(
                        "no-c-get",
                        f"{self.address} does not offer C-GET to {self.calling}",
                        "Ask the PACS administrator for it, or set listen_port in [pacs] to fetch by C-MOVE",
                    ) from None
                self._retrieve = "move"
                self._move(identifier, store, stored)
            except SourceUnreachableError as error:
                raise FetchError(error.message, retry=error.code != "rejected", unreachable=True) from None

    def _get(self, identifier: Any, store: SeriesStore, stored: Callable[[], None]) -> None:
        try:
            with self._caller.associate([_GET], storage=True) as association:
                if not any(context.abstract_syntax == _GET for context in association.accepted_contexts):
                    raise _NoGetError
                intake = Intake(lambda _: store.begin(), stored)
                if not intake.attach(association):
                    association.bind(*_ordinary_handler(store, stored, intake))
                self._watch(association, intake)
                try:
                    self._finish(
                        association.send_c_get(identifier, _GET, msg_id=next(self._message_ids) % 65535), intake
                    )
                finally:
                    intake.close()
        except SourceUnreachableError as error:
            if error.code == "not-offered":
                raise _NoGetError from None
            raise

    @property
    def _listen_port(self) -> int | None:
        return self.address.listen_port or self.settings.listen_port

    def _move(self, identifier: Any, store: SeriesStore, stored: Callable[[], None]) -> None:
        if self._listener is None:
            port = self._listen_port
            if not port:
                raise InputError(
                    "no-listen-port", "C-MOVE needs a port to listen on", "Set listen_port in [pacs] of protocol.toml"
                )
            context = listener_context(self.settings) if self._caller.tls is not None else None
            self._listener = Listener(
                self.calling, self.settings.listen_address, port, context, self.settings.timeout_s
            )
        message = next(self._message_ids) % 65535
        with self._caller.associate([_MOVE]) as association, self._listener.expect(message, store, stored) as arrivals:
            self._watch(association, arrivals)
            self._finish(association.send_c_move(identifier, self.calling, _MOVE, msg_id=message), arrivals)

    def _watch(self, association: Any, arrivals: Arrivals) -> None:
        """Let a retrieval take as long as instances keep coming; `timeout_s` of silence or a full disk ends it."""
        association.dimse_timeout = min(1.0, self.settings.timeout_s)
        ordinary = association.dimse.get_msg
        timeout = self.settings.timeout_s
        begun = time.monotonic()

        def get_msg(block: bool = False) -> tuple[Any, Any]:
            while True:
                context, message = ordinary(block)
                if message is not None or not block or not association.is_established or association.acse.is_aborted():
                    return context, message
                if arrivals.failure is not None or time.monotonic() - max(begun, arrivals.last_activity) > timeout:
                    return None, None

        association.dimse.get_msg = get_msg

    def _finish(self, responses: Iterator[tuple[Any, Any]], arrivals: Arrivals) -> None:
        """Read responses to the last one.

        Raises
        ------
        FetchError, OutputError
        """
        code = None
        for status, _ in responses:
            code = getattr(status, "Status", None)
            if arrivals.failure is not None:
                break
        if arrivals.failure is not None:
            raise arrivals.failure
        if code is None:
            raise FetchError("the connection was lost")
        if code == _MOVE_DESTINATION_UNKNOWN:
            raise FetchError("the archive does not know our AE title as a destination of C-MOVE", retry=False)
        if code == _SOP_CLASS_NOT_SUPPORTED:
            raise FetchError("the archive does not support this kind of retrieval", retry=False)
        if code != 0 and code & 0xF000 != 0xB000:  # B000: finished, some sub-operations failed; the count will tell
            raise FetchError(f"the archive failed with status {code:04X}")


class _NoGetError(Exception):
    """The archive does not accept C-GET."""


def _ordinary_handler(store: SeriesStore, stored: Callable[[], None], intake: Intake) -> tuple[Any, Callable[..., int]]:
    """C-STORE handler for a pynetdicom that `Intake` does not fit."""
    from pynetdicom import evt

    return evt.EVT_C_STORE, lambda event: store_event(event, store.begin, stored, intake)


def _identifiers(series: RemoteSeries, only: Sequence[str] | None) -> Iterator[Any]:
    keys: dict[str, Any] = {
        "QueryRetrieveLevel": "SERIES",
        "StudyInstanceUID": series.study_instance_uid,
        "SeriesInstanceUID": series.series_instance_uid,
    }
    if only is None:
        yield _dataset(keys)
        return
    keys["QueryRetrieveLevel"] = "IMAGE"
    for start in range(0, len(only), _UIDS_PER_REQUEST):
        yield _dataset(keys | {"SOPInstanceUID": list(only[start : start + _UIDS_PER_REQUEST])})


def _dataset(keys: dict[str, Any]) -> Any:
    from pydicom.dataset import Dataset

    data = Dataset()
    if not all(str(value).isascii() for value in keys.values()):
        data.SpecificCharacterSet = "ISO_IR 192"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom quotes values it finds odd
        for keyword, value in keys.items():
            setattr(data, keyword, value)
    return data


def _text(answer: Any, keyword: str) -> str:
    value = answer.get(keyword)
    return "" if value is None else str(value).strip("\0 ")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
