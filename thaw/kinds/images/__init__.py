"""Images: photographs, drawings and scans."""
