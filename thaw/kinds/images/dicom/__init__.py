"""DICOM, the format of radiology: from a file's bytes to what a viewer shows."""
