"""The stage `compare`: the transfer certificate, if `compare.strategies` asks for one."""

import logging

from tasks.project.entry import stage
from tasks.project.paths import CERTIFICATE, SETTINGS
from thaw.params.values.reading import read_settings
from thaw.strategies.certificate.absent import write_absent

log = logging.getLogger(__name__)


def main() -> None:
    """Write the certificate, or an empty one if none is requested; the stage `evaluate` makes its page."""
    params = read_settings(SETTINGS)
    if params.compare.strategies:
        # PyTorch and the training modules take many seconds to load.
        from tasks.stages.certificate import write_certified

        write_certified(params)
    else:
        write_absent(CERTIFICATE)
        log.info("no certificate is asked for; `thaw compare` makes one")


if __name__ == "__main__":
    stage(main)
