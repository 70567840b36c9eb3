"""`thaw ui`: MLflow's pages, Prefect's pages and the report, on this machine alone."""


def ui() -> None:
    """Serve MLflow, Prefect and the report on 127.0.0.1 until Ctrl-C.

    The usual ports are 5000, 4200 and 8000; if a port is taken, another is used. Servers that
    MLFLOW_TRACKING_URI and PREFECT_API_URL name are not started; their addresses are printed.
    `thaw up` does the same, and also runs schedules.
    """
    from flows.cli.stopping import ended_by_signals
    from flows.cli.telling import line_printer, until_stopped
    from flows.daemon.up import serve, upkeep
    from flows.project.environment import enter_project

    root = enter_project()
    with ended_by_signals(), until_stopped(root), upkeep(root, line_printer()) as (supervisor, journal):
        serve(root, supervisor, journal)
        journal.say("Ctrl-C stops them")
        supervisor.watch()
