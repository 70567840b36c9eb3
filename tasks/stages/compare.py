"""The stage `compare`: the transfer certificate, where `compare.strategies` asks for one."""

import logging

from tasks.project.entry import stage
from tasks.project.paths import CERTIFICATE, CERTIFICATE_PAGE
from thaw.foundation.files.atomic import write_text
from thaw.params.reading import read_params
from thaw.strategies.certificate.absent import write_absent

log = logging.getLogger(__name__)


def main() -> None:
    """Write the certificate and its page, both empty where nothing is asked for."""
    params = read_params()
    if params.compare.strategies:
        # PyTorch and all that trains take many seconds to load.
        from tasks.stages.certificate import write_certified

        write_certified(params)
    else:
        write_absent(CERTIFICATE)
        write_text(CERTIFICATE_PAGE / "certificate.html", "")
        log.info("no certificate is asked for; `thaw compare` makes one")


if __name__ == "__main__":
    stage(main)
