"""The stage `compare`: the transfer certificate, where `compare.strategies` asks for one."""

import logging

from tasks.paths import CERTIFICATE, CERTIFICATE_PAGE
from tasks.running import stage
from thaw.certificate.absent import write_absent
from thaw.files import write_text
from thaw.params import read_params

log = logging.getLogger(__name__)


def main() -> None:
    """Write the certificate and its page, both empty where nothing is asked for."""
    params = read_params()
    if params.compare.strategies:
        # PyTorch and all that trains take many seconds to load.
        from tasks.certifying import write_certified

        write_certified(params)
    else:
        write_absent(CERTIFICATE)
        write_text(CERTIFICATE_PAGE / "certificate.html", "")
        log.info("no certificate is asked for; `thaw compare` makes one")


if __name__ == "__main__":
    stage(main)
