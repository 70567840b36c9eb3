"""The program of a temporary Prefect server, `python -m flows.prefect_server.temporary_program PORT`; it serves no pages and runs no schedule."""

import sys

from flows.processes.ports import HOST


def main(port: int) -> None:
    """Serve Prefect's API on loopback until a request to end."""
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(ephemeral=True), host=HOST, port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    main(int(sys.argv[1]))
