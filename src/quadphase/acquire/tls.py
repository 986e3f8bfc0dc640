"""TLS contexts from the protocol's `[pacs]` section. Certificates are always verified; no switch turns that off."""

from __future__ import annotations

import ssl

from quadphase.errors import InputError
from quadphase.model.protocol.sections import PacsSection

__all__ = ["client_context", "listener_context"]


def client_context(settings: PacsSection) -> ssl.SSLContext:
    """Context of connections we open.

    Raises
    ------
    InputError
        ``"bad-certificate"``.
    """
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None)
        if settings.tls_certificate_file:
            context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file or None)
    except OSError as error:
        raise _bad(error) from None
    return context


def listener_context(settings: PacsSection) -> ssl.SSLContext:
    """Context of the C-MOVE listener: its own certificate, and one asked of the archive where `tls_ca_file` is set.

    Raises
    ------
    InputError
        ``"bad-certificate"``.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.tls_ca_file or None)
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file or None)
    except OSError as error:
        raise _bad(error) from None
    if settings.tls_ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _bad(error: OSError) -> InputError:
    return InputError(
        "bad-certificate",
        f"A certificate or key of [pacs] cannot be used: {error.strerror or type(error).__name__}",
        "Check tls_ca_file, tls_certificate_file and tls_key_file in protocol.toml: PEM files that belong together",
    )
