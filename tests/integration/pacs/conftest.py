"""A real Orthanc with its DICOMweb plug-in on free loopback ports, a proxy that cuts connections, a cohort."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from quadphase.acquire.pace import Clock
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model.source import SourcePatient

PATIENT = "MRN-40071"
OTHER = "MRN-50082"
CALLED = "ARCHIVE"
IMAGES = 12
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def uid(*words: object) -> str:
    return generate_uid(entropy_srcs=[str(word) for word in words])


def image(number: int, *, patient: str = PATIENT, exam: str = "E1", series: str = "C1", **tags: Any) -> Dataset:
    """A 64×64 CT slice whose pixels tell it from every other."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = uid(patient, exam, series, number)
    data.StudyDate, data.StudyTime = "20240301", "101500"
    data.AccessionNumber = "ACC-" + exam
    data.Modality = "CT"
    data.SeriesDescription = series
    data.PatientID, data.PatientName = patient, "Planted^Person"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid(patient, exam), uid(patient, exam, series)
    data.SeriesNumber, data.InstanceNumber = 1, number
    data.Rows = data.Columns = 64
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PixelData = number.to_bytes(2, "little") * (64 * 64)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    return data


def write(data: Dataset, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir())):04d}.dcm"
    data.save_as(path, enforce_file_format=True)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Orthanc:
    """One Orthanc process; `options` go into its configuration."""

    program: str
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    dicom_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    move_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    credentials: tuple[str, str] | None = None

    @property
    def dimse(self) -> str:
        return f"dimse://{CALLED}@127.0.0.1:{self.dicom_port}"

    @property
    def web(self) -> str:
        return f"http://localhost:{self.http_port}/dicom-web"

    def start(self) -> None:
        storage = self.folder / "storage"
        storage.mkdir(parents=True, exist_ok=True)
        settings: dict[str, Any] = {
            "Name": "test",
            "StorageDirectory": str(storage),
            "IndexDirectory": str(storage),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "MaximumStorageCacheSize": 0,
            "DicomAet": CALLED,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": False,
            "DicomAlwaysAllowStore": False,
            "DicomAlwaysAllowFind": False,
            "DicomAlwaysAllowGet": False,
            "DicomAlwaysAllowMove": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "DicomModalities": {
                "us": {"AET": "QUADPHASE", "Host": "127.0.0.1", "Port": self.move_port, "AllowEcho": True,
                       "AllowFind": True, "AllowGet": True, "AllowMove": True, "AllowStore": True},
            },
        }  # fmt: skip
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(settings | self.options))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, str(path)], stdout=log, stderr=log)
        for _ in range(150):
            if self.process.poll() is not None:
                break
            try:
                self.rest("/system")
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Orthanc did not start: " + (self.folder / "log").read_text()[-800:])

    def rest(self, path: str, body: bytes | None = None, method: str | None = None) -> Any:
        address = f"http://localhost:{self.http_port}{path}"
        request = urllib.request.Request(address, data=body, method=method)
        if self.credentials:
            pair = base64.b64encode(":".join(self.credentials).encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def upload(self, *images: Dataset) -> None:
        for data in images:
            stream = BytesIO()
            data.save_as(stream, enforce_file_format=True)
            self.rest("/instances", stream.getvalue())

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def lose(self, sop_instance_uid: str) -> None:
        """Delete the file of an instance behind the index's back."""
        found = self.rest(
            "/tools/find",
            json.dumps({"Level": "Instance", "Query": {"SOPInstanceUID": sop_instance_uid}}).encode(),
        )
        name = self.rest(f"/instances/{found[0]}/attachments/dicom/info")["Uuid"]
        (self.folder / "storage" / name[:2] / name[2:4] / name).unlink()


@pytest.fixture(scope="session")
def orthanc_factory(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made: list[Orthanc] = []

    def make(**options: Any) -> Orthanc:
        if not PLUGIN.exists():
            program("orthanc-dicomweb")
        server = Orthanc(program("Orthanc"), tmp_path_factory.mktemp("orthanc"), options=options)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def archive(orthanc_factory: Callable[..., Orthanc]) -> Orthanc:
    """An archive with one patient's exam of two CT series, and everything that must not be fetched.

    Read only: tests that change or stop a server make their own.
    """
    server = orthanc_factory()
    server.start()
    server.upload(*exam_images())
    return server


def exam_images() -> list[Dataset]:
    images = [image(n, series=s) for s in ("C1", "C2") for n in range(1, IMAGES + 1)]
    images += [image(n, series="Scout AP") for n in (1, 2, 3, 4)]
    images += [image(1, series="single")]
    images += [image(n, series="T2 axial", Modality="MR") for n in (1, 2, 3)]
    images += [image(n, exam="E0", series="old", StudyDate="20230101") for n in (1, 2, 3)]
    images += [image(n, patient="MRN-4007100", series="stranger") for n in (1, 2, 3)]
    return images


def make_study(root: Path, *patients: SourcePatient, **settings: Any) -> Study:
    """A study with these patients as P0001, P0002, … and these settings in [pacs]."""
    study = Study.create(root)
    settings = {"retry_wait_s": 0.05, "timeout_s": 5.0} | settings
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    study.protocol_path.write_text(f"[pacs]\n{lines}")
    patients = patients or (SourcePatient(patient_id=PATIENT, surgery_date=date(2024, 3, 5)),)
    with Ledger(study.ledger_url) as ledger:
        ledger.replace_patients(patients, {p.patient_id: f"P{n:04d}" for n, p in enumerate(patients, start=1)})
    return study


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """``study_of(*patients, **pacs_settings)``."""
    return lambda *patients, **settings: make_study(tmp_path / "study", *patients, **settings)


def as_written(data: Dataset) -> Dataset:
    """The data set as it reads after writing it."""
    stream = BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return pydicom.dcmread(BytesIO(stream.getvalue()))


def stored(study: Study) -> dict[str, Dataset]:
    """Fetched data sets by SOP instance UID."""
    found = {}
    for path in study.downloads.rglob("*.dcm"):
        data = pydicom.dcmread(path)
        found[str(data.SOPInstanceUID)] = data
    return found


def leftovers(study: Study) -> list[Path]:
    return [path for path in study.downloads.rglob("*") if path.is_file() and path.suffix != ".dcm"]


class StillClock(Clock):
    """A clock whose sleep returns at once and remembers; `then` runs at each sleep."""

    def __init__(self, then: Callable[[], None] | None = None, now: datetime | None = None) -> None:
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if then is not None:
                then()

        object.__setattr__(self, "slept", slept)
        fixed = now
        super().__init__(now=(lambda: fixed) if fixed else lambda: datetime(2024, 1, 1, 23, tzinfo=UTC), sleep=sleep)

    __slots__ = ("slept",)


class CuttingProxy:
    """Forwards to a port and cuts a connection after `limit` bytes from the server, the first `cuts` times.

    With `tls` it speaks TLS to clients: Debian's Orthanc 1.10.1 crashes when it serves HTTPS itself.
    """

    def __init__(self, target: int, limit: int, cuts: int = 1, tls: ssl.SSLContext | None = None) -> None:
        self.target, self.limit, self.cuts, self.tls = target, limit, cuts, tls
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.tls is not None:
                try:
                    client = self.tls.wrap_socket(client, server_side=True)
                except OSError:
                    client.close()
                    continue
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        passed = 0
        try:
            while piece := source.recv(4096):
                passed += len(piece)
                if counted and self.cuts > 0 and passed > self.limit:
                    self.cuts -= 1
                    break
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
