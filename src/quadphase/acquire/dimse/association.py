"""`Caller`: associations with an archive, and in words why it refuses one (PS3.8)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from quadphase.acquire.address import DimseAddress
from quadphase.acquire.dimse.contexts import STORAGE_CLASSES, storage_contexts
from quadphase.acquire.dimse.sockets import close_for_certain, send_at_once
from quadphase.acquire.tls import client_context
from quadphase.errors import MissingDependencyError, SourceUnreachableError
from quadphase.model.protocol.sections import PacsSection

__all__ = ["Caller"]

_MAXIMUM_PDU: Final = 131072
"""Bytes we accept in one protocol data unit: DCMTK's maximum, which Orthanc and dcm4che also send."""
_ATTEMPTS: Final = 3
_AT_ONCE_S: Final = 2.0
"""A connection that breaks off within this time is tried again, `_ATTEMPTS` times in all."""


# PS3.8 table 9-21, A-ASSOCIATE-RJ: (source, reason)
_REJECTIONS: Final = {
    (1, 2): "it does not speak DICOM's application context",
    (1, 3): "it does not know our AE title",
    (1, 7): "it is not called that",
    (3, 1): "it is busy",
    (3, 2): "it has too many connections",
}


class Caller:
    """Our end of associations.

    Parameters
    ----------
    address : DimseAddress
    settings : PacsSection

    Raises
    ------
    MissingDependencyError
    """

    def __init__(self, address: DimseAddress, settings: PacsSection) -> None:
        try:
            from pynetdicom import AE
        except ImportError:
            raise MissingDependencyError(
                "no-pynetdicom", "DIMSE needs the package pynetdicom", "pip install 'quadphase[pacs]'"
            ) from None
        # pynetdicom quotes identifiers of persons in its log lines
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
        self.address = address
        self.title = address.calling or settings.ae_title
        self.tls = client_context(settings) if address.tls or settings.tls else None
        self._entity: Any = AE(ae_title=self.title)
        self._entity.maximum_pdu_size = _MAXIMUM_PDU
        self._entity.acse_timeout = settings.timeout_s
        self._entity.connection_timeout = settings.timeout_s
        self._entity.network_timeout = settings.timeout_s
        self._entity.dimse_timeout = settings.timeout_s
        _close_refused_sockets(self._entity)

    @contextmanager
    def associate(self, classes: Sequence[str], *, storage: bool = False) -> Iterator[Any]:
        """An established association; released at the end.

        Raises
        ------
        SourceUnreachableError
            ``"unreachable"``, ``"rejected"``, ``"not-offered"``.
        """
        from pynetdicom import build_context, build_role

        contexts = [build_context(uid) for uid in classes]
        roles = None
        if storage:
            contexts += storage_contexts()
            roles = [build_role(uid, scp_role=True) for uid in STORAGE_CLASSES]
        association = self._request(contexts, roles)
        send_at_once(association)
        try:
            yield association
        except BaseException:
            # nothing polite can be said in the middle of a retrieval
            connection = getattr(association.dul.socket, "socket", None)
            if association.is_established:
                association.abort()
            if connection is not None:
                connection.close()
            raise
        if association.is_established:
            association.release()

    def _request(self, contexts: list[Any], roles: list[Any] | None) -> Any:
        """Ask for an association, again where the connection broke off at once; errors as `associate`.

        An archive that refuses and closes in one breath may have its refusal thrown away by the system (a reset
        discards what was received but not read): one in fifteen on a busy machine. Asked again, it gives its reason.
        """
        attempt = 0
        while True:
            attempt += 1
            begun = time.monotonic()
            association = self._entity.associate(
                self.address.host,
                self.address.port,
                contexts=contexts,
                ae_title=self.address.called,
                ext_neg=roles,
                max_pdu=_MAXIMUM_PDU,
                tls_args=(self.tls, self.address.host) if self.tls is not None else None,
            )
            if association.is_established:
                return association
            refusal = self._refusal(association)
            if refusal.code != "unreachable" or attempt == _ATTEMPTS or time.monotonic() - begun > _AT_ONCE_S:
                raise refusal
            time.sleep(0.1 * attempt)

    def _refusal(self, association: Any) -> SourceUnreachableError:
        if association.is_rejected:
            answer = association.acceptor.primitive
            reason = _REJECTIONS.get((answer.result_source, answer.diagnostic), "it gave no reason")
            busy = answer.result_source == 3
            return SourceUnreachableError(
                "busy" if busy else "rejected",
                f"{self.address} refused the association of {self.title}: {reason}",
                "Try again later"
                if busy
                else "Ask the PACS administrator to register our AE title, host and port, "
                "and check the AE title before the @",
            )
        if association.acceptor.primitive is not None and association.is_aborted:
            return SourceUnreachableError(
                "not-offered",
                f"{self.address} offers no such service to {self.title}",
                "Ask the PACS administrator to allow C-ECHO, C-FIND and C-GET or C-MOVE for our AE title",
            )
        return SourceUnreachableError(
            "unreachable",
            f"{self.address} does not answer" + (" or refuses TLS" if self.tls is not None else ""),
            "Check host and port, the firewall, and that the PACS is running",
        )


def _close_refused_sockets(entity: Any) -> None:
    """Have sockets closed for certain, also those of connections that were refused."""
    create = getattr(entity, "_create_socket", None)
    if create is not None:
        entity._create_socket = lambda *arguments: close_for_certain(create(*arguments))
