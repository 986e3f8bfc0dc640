"""Phantom hospital: synthetic patients as DICOM, with a clinical table, two readers and the truth. No real person is in
it.

Images come from `anatomy.render_phase`, honest series from `dicom.write_series`, hostile ones from `nasty`, whole
hospitals from `hospital.build_hospital`. The same seed gives the same bytes; nothing here reads a clock.
"""
