"""Acquire: scanning 20,000 headers; one 150-slice series from a local Orthanc by DICOMweb and by C-GET.

The tree's files are sparse: each has a real header and the length of a real slice, so 20,000 of them fit any disk and
nothing but headers can be read. Every retrieval ends with the files on disk. getscu is measured as it comes and with
Nagle's algorithm turned off (environment variable TCP_NODELAY), because it waits 40 ms for every image otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from measuring import Row, best_of
from quadphase.acquire import acquire
from quadphase.acquire.address import parse_address
from quadphase.acquire.archive import RemoteSeries
from quadphase.acquire.dimse import DimseArchive
from quadphase.acquire.store import SeriesStore
from quadphase.acquire.web import WebArchive
from quadphase.io.study import Study
from quadphase.model import Protocol

FILES = 20_000
SLICES = 150
RUNS = 5
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def ct_slice(number: int, series: str, study: str, pixels: bytes) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, generate_uid(entropy_srcs=[series, str(number)])
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.StudyDate, data.StudyTime, data.AccessionNumber = "20240301", "101500", "A1"
    data.Modality, data.Manufacturer, data.SeriesDescription = "CT", "Benchmark", "arterial"
    data.PatientID, data.PatientName = "PHANTOM", "Phantom"
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.SliceThickness, data.KVP, data.ConvolutionKernel = 1.0, 120, "FC08"
    data.ImagePositionPatient, data.ImageOrientationPatient = [-200, -200, number], [1, 0, 0, 0, 1, 0]
    for element in range(40):  # private attributes, of which real headers have many
        data.add_new((0x0009, 0x1000 + element), "LO", f"private value {element}")
    data.Rows = data.Columns = 512
    data.PixelSpacing = [0.78125, 0.78125]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelData = pixels
    return data


def write_tree(root: Path) -> None:
    """20,000 slices in folders of 200."""
    stream = BytesIO()
    ct_slice(1, generate_uid(), generate_uid(), bytes(512 * 512 * 2)).save_as(stream, enforce_file_format=True)
    whole = stream.getvalue()
    header = whole[: -512 * 512 * 2]
    marker = pydicom.dcmread(BytesIO(whole), stop_before_pixels=True).SOPInstanceUID.encode()
    for number in range(FILES):
        folder = root / f"exam{number // 200:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        own = str(number).zfill(6).encode()
        path = folder / f"IM{number:06d}"
        path.write_bytes(header.replace(marker, marker[:-6] + own))
        os.truncate(path, len(whole))


def scan_rows(work: Path) -> Iterator[Row]:
    tree = work / "tree"
    write_tree(tree)
    paths = sorted(p for p in tree.rglob("*") if p.is_file())
    seconds = []
    for run in range(2):
        study = Study.create(work / f"scan{run}")
        start = time.perf_counter()
        report = acquire(study, tree)
        seconds.append(time.perf_counter() - start)
        assert report.opened == FILES
    yield Row(what="folder of 20,000 headers into the ledger, warm", value=FILES / min(seconds), unit="files/s",
              claim=">= 1500", detail=f"{min(seconds):.1f} s")  # fmt: skip
    start = time.perf_counter()
    again = acquire(study, tree)
    yield Row(what="the same again: files opened", value=again.opened, unit="files", claim="<= 0",
              detail=f"{time.perf_counter() - start:.1f} s")  # fmt: skip
    tags = ["SOPClassUID", "SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows"]
    start = time.perf_counter()
    for path in paths[:2000]:
        pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
    theirs = (time.perf_counter() - start) / 2000
    yield Row(what="our whole scan against pydicom reading seven tags", value=theirs / (min(seconds) / FILES), unit="x",
              detail=f"pydicom {1 / theirs:.0f} files/s")  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def orthanc(folder: Path) -> Iterator[tuple[int, int]]:
    """(DICOM port, HTTP port) of a server of our own."""
    dicom, http = free_port(), free_port()
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "DicomPort": dicom, "HttpPort": http,
        "DicomAet": "ARCHIVE", "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [str(PLUGIN)],
        "DicomAlwaysAllowGet": True, "DicomAlwaysAllowFind": True, "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    server = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{http}/system", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield dicom, http
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def plain_pynetdicom(port: int, study: str, series: str, folder: Path) -> None:
    """C-GET as pynetdicom's documentation shows it."""
    from pynetdicom import AE, build_role, evt
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get  # type: ignore[attr-defined]

    def store(event: Any) -> int:
        data = event.dataset
        data.file_meta = event.file_meta
        data.save_as(folder / f"{data.SOPInstanceUID}.dcm")
        return 0

    entity = AE()
    entity.add_requested_context(Get)
    entity.add_requested_context(CTImageStorage)
    role = build_role(CTImageStorage, scp_role=True)
    link = entity.associate(
        "127.0.0.1", port, ae_title="ARCHIVE", ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    keys = Dataset()
    keys.QueryRetrieveLevel, keys.StudyInstanceUID, keys.SeriesInstanceUID = "SERIES", study, series
    for _ in link.send_c_get(keys, Get):
        pass
    link.release()


def network_rows(work: Path) -> Iterator[Row]:
    if not PLUGIN.exists() or shutil.which("Orthanc") is None or shutil.which("getscu") is None:
        print("  Orthanc, its DICOMweb plug-in or getscu is missing: retrieval not measured")
        return
    study, series = generate_uid(), generate_uid()
    pixels = np.random.default_rng(0).normal(40, 15, (512, 512)).astype(np.int16)
    target = work / "files"
    settings = Protocol().pacs

    def empty() -> Path:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        return target

    def check() -> None:
        assert sum(p.is_file() for p in target.rglob("*")) == SLICES

    with orthanc(work / "server") as (dicom, http):
        for number in range(SLICES):
            stream = BytesIO()
            ct_slice(number, series, study, (pixels + number).tobytes()).save_as(stream, enforce_file_format=True)
            request = urllib.request.Request(f"http://127.0.0.1:{http}/instances", data=stream.getvalue())
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        wanted = RemoteSeries(study_instance_uid=study, series_instance_uid=series)

        def ours(archive: Any) -> None:
            archive.fetch(wanted, SeriesStore(empty(), b"key", study, series), stored=lambda: None)
            check()

        def getscu(delay: str) -> None:
            keys = ("QueryRetrieveLevel=SERIES", f"StudyInstanceUID={study}", f"SeriesInstanceUID={series}")
            command = ["getscu", "-S", "+B", "-aec", "ARCHIVE", "-od", str(empty())]
            command += [word for key in keys for word in ("-k", key)] + ["127.0.0.1", str(dicom)]
            subprocess.run(command, check=True, env=os.environ | {"TCP_NODELAY": delay} if delay else None)
            check()

        def plain() -> None:
            plain_pynetdicom(dicom, study, series, empty())
            check()

        web = WebArchive(parse_address(f"http://127.0.0.1:{http}/dicom-web"), settings)  # type: ignore[arg-type]
        dimse = DimseArchive(parse_address(f"dimse://ARCHIVE@127.0.0.1:{dicom}"), settings)  # type: ignore[arg-type]
        by_web = best_of(RUNS, lambda: ours(web))
        by_get = best_of(RUNS, lambda: ours(dimse))
        by_plain = best_of(3, plain)
        as_it_comes = best_of(1, lambda: getscu(""))
        at_once = best_of(RUNS, lambda: getscu("1"))
        web.close()
        dimse.close()
    yield Row(what="DICOMweb against C-GET with pynetdicom", value=by_plain / by_web, unit="x", claim=">= 4",
              detail=f"{by_web:.2f} s, {by_plain:.2f} s; {SLICES / by_web:.0f} slices/s")  # fmt: skip
    yield Row(what="our C-GET against getscu as it comes", value=as_it_comes / by_get, unit="x", claim=">= 1",
              detail=f"{by_get:.2f} s, {as_it_comes:.2f} s; {SLICES / by_get:.0f} slices/s")  # fmt: skip
    yield Row(what="our C-GET against getscu without Nagle's algorithm", value=at_once / by_get, unit="x",
              detail=f"{at_once:.2f} s")  # fmt: skip
    yield Row(what="our C-GET against C-GET with pynetdicom", value=by_plain / by_get, unit="x")


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from network_rows(Path(folder))
        yield from scan_rows(Path(folder))
