"""A Python that is warm: stages and `thaw` commands of a test are forked from a process that has loaded PyTorch and MLflow.

`warm_programs(folder)` yields a folder of programs that takes the place of the environment's own. Its `python` hands stages, `thaw`, `dvc`,
`prefect deploy`, `flows/dvc/program.py` and walked_pages.py over to the warm process, with working directory, environment and standard streams; all else goes
to the real Python, which believes that the folder is its environment: stages below a Prefect worker are handed over too. A command that is handed over is a
process of its own, ends with the same code, and gets the signals that its `python` gets. The warm process has loaded none of Thaw's modules, so each command
loads those of its project.

The folder's program `forked` hands everything over, `-c CODE` and scripts too, whose subject is neither a start nor what is loaded.
"""

import atexit
import fcntl
import gc
import importlib
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

HEAVY = (
    "torch", "torchvision", "mlflow", "mlflow.pyfunc", "sklearn.linear_model", "scipy.stats", "pandas", "pyarrow.parquet", "matplotlib.figure",
    "safetensors.torch", "pydantic", "jinja2", "ruamel.yaml", "fsspec", "httpx", "sqlalchemy", "fastapi", "uvicorn", "rich.console", "typer",
    "lightning_fabric", "dvc.cli.parser", "dvc.repo.reproduce", "dvc.repo.status", "dvc.commands.repro", "dvc.commands.status", "dvc.commands.dag", "dvc.stage",
    "scmrepo.git", "networkx", "dulwich.index", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store", "alembic.migration",
    "torch.export", "torch._inductor.codecache", "torch._inductor.ir", "torch.utils.mkldnn", "torchvision.transforms.v2", "pyarrow.dataset", "cleanlab.filter",
    "onnxruntime", "onnxscript", "websockets.asyncio.client", "jsonschema", "griffe", "pydantic.v1", "pydantic_settings", "httpcore", "coolname", "pendulum",
    "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "prometheus_client",
    "dvc.repo.stage", "dvc.repo.graph", "dvc.repo.index", "dvc.repo.artifacts", "dvc.repo.datasets", "dvc.repo.metrics", "dvc.repo.params", "dvc.repo.plots",
    "dvc.repo.open_repo", "dvc.cachemgr", "dvc.data_cloud", "dvc.rwlock", "dvc.scm", "dvc.utils.strictyaml", "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status", "dvc_render", "configobj", "dulwich.ignore", "dulwich.worktree", "flatten_dict", "flufl.lock", "fsspec.implementations.memory",
    "platformdirs", "zc.lockfile", "scmrepo.noscm", "ruamel.yaml.mergevalue", "torch.export._trace", "torch._functorch.aot_autograd",
    "torch.utils._sympy.reference", "torch._dynamo.precompile_context", "torch.fx.passes._tensorify_python_scalars",
    "torchvision.models.feature_extraction", "blake3", "safetensors.numpy", "alembic.command", "sqlalchemy.dialects.sqlite",
)  # fmt: skip
"""Libraries that read nothing of a command's environment when they load."""
PREFECT = (
    "prefect.context", "prefect.flows", "prefect.flow_engine", "prefect.engine", "prefect.task_engine", "prefect.futures", "prefect.artifacts",
    "prefect.automations", "prefect.deployments", "prefect.client.orchestration", "prefect.blocks.notifications", "prefect.runner", "prefect.workers.process",
    "prefect.server.api.server",
    "prefect.cli", "prefect.cli.deploy", "prefect.cli.worker", "prefect.cli.server", "prefect.logging.configuration", "prefect.events.clients",
)  # fmt: skip
"""Prefect reads its settings when it loads: a command that imports it reads them again."""
_LOOK_S = 2.0
"""How often the warm process looks whether anybody still uses it."""
HANDED_OVER = ("tasks.", "flows.", "dvc", "prefect.engine")
_CLIENT = """\
#!{python} -IS
import os, signal, socket, sys
words = sys.argv[1:]
own = words[1:] if words[:1] == ["-u"] else words
if own is not words:
    os.environ["PYTHONUNBUFFERED"] = "1"
script = ("walked_pages.py", "flows/dvc/program.py")
deploys = own[:4] == ["-m", "prefect", "--no-prompt", "deploy"]
if not ({all_over} or deploys or own[:1] == ["-m"] and own[1].startswith({handed_over!r}) or own[:1] and own[0].endswith(script)):
    os.execv({python!r}, [{itself!r}, *words])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
lines = [os.getcwd(), "\\1".join(own), *(f"{{name}}={{value}}" for name, value in os.environ.items())]
message = "\\0".join(lines).encode(errors="surrogateescape")
socket.send_fds(server, [len(message).to_bytes(8, "big")], [0, 1, 2])
server.sendall(message)
child = int.from_bytes(server.recv(8), "big")
def forward(number, frame):
    try:
        os.kill(child, number)
    except ProcessLookupError:
        pass
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, forward)
status = int.from_bytes(server.recv(8) or (9).to_bytes(8, "big"), "big")
if os.WIFSIGNALED(status):
    if os.WTERMSIG(status) != signal.SIGKILL:
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
sys.exit(os.WEXITSTATUS(status))
"""


@contextmanager
def warm_programs(folder: Path) -> Iterator[Path]:
    """The folder with `python`, `thaw` and the environment's other programs, which the warm process serves as long as somebody uses it.

    folder: of all workers of a test session. The first that comes starts the process; the process ends after the last has gone, however that ended.
    """
    if not hasattr(os, "pidfd_open"):  # another system than Linux
        yield Path(sys.executable).parent
        return
    folder.mkdir(exist_ok=True)
    with (folder / "users").open("w") as users, (folder / "start").open("w") as start:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_EX)
        if not _answers(folder / "warm.sock"):
            _start(folder)
        fcntl.flock(start, fcntl.LOCK_UN)
        yield folder / "bin"


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(address)) == 0


def _start(folder: Path) -> None:
    programs, address = folder / "bin", folder / "warm.sock"
    shutil.rmtree(programs, ignore_errors=True)
    (folder / "lib").unlink(missing_ok=True)
    programs.mkdir()
    for program in Path(sys.executable).parent.iterdir():
        (programs / program.name).symlink_to(program)
    _lay_environment(folder)
    itself = str(programs / "python")
    filled = {"python": sys.executable, "itself": itself, "handed_over": HANDED_OVER, "address": str(address)}
    for name, all_over in (("python", False), ("forked", True)):
        _write_program(programs / name, _CLIENT.format(all_over=all_over, **filled))
    for name, module in (("thaw", "flows.cli"), ("dvc", "dvc"), ("prefect", "prefect")):
        _write_program(programs / name, f'#!/bin/sh\nexec {programs}/python -m {module} "$@"\n')
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "PREFECT_HOME": str(folder / "prefect")}
    environment = os.environ | quiet
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, __file__, str(programs / "python"), str(address), str(folder / "users")]
    process = os.posix_spawn(sys.executable, command, environment, setsid=True)
    while not _answers(address):
        assert os.waitpid(process, os.WNOHANG) == (0, 0), "the warm Python did not come up"
        time.sleep(0.1)


def _lay_environment(folder: Path) -> None:
    """Make the folder look like the environment: a Python that is named by a file in its `bin` has the same packages."""
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", folder)
    (folder / "lib").symlink_to(Path(sys.prefix) / "lib")


def _write_program(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(content)
    path.chmod(0o755)


class Server:
    """Forks a process for each connection, and sends its end back; whoever goes away before gets it killed."""

    def __init__(self, address: str, users: str) -> None:
        self._users = Path(users).open("r")  # noqa: SIM115  # for as long as it lives
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{address}.new")
        self._listener.listen(64)
        Path(f"{address}.new").rename(address)  # it exists once it answers
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def command(self) -> list[str]:
        """The words of a command, in the process that is to run it; the server itself never returns."""
        while True:
            ready = self._selector.select(_LOOK_S)
            if not ready and self._is_left():
                sys.exit()
            for key, _ in ready:
                if key.fileobj is self._listener:
                    if words := self._fork():
                        return words
                elif isinstance(key.fileobj, socket.socket):
                    self._client_has_gone(key.fileobj, key.data)
                else:
                    self._command_has_ended(key.fd, *key.data)

    def _is_left(self) -> bool:
        """Whether nobody uses it any more: each user holds a shared lock, which ends with its process."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _fork(self) -> list[str] | None:
        connection, _ = self._listener.accept()
        size, streams, _, _ = socket.recv_fds(connection, 8, 3)
        if not size:  # it only looked whether somebody answers
            connection.close()
            return None
        message = b""
        while len(message) < int.from_bytes(size, "big") and (piece := connection.recv(65536)):
            message += piece
        if child := os.fork():
            for stream in streams:
                os.close(stream)
            with suppress(OSError):
                connection.sendall(child.to_bytes(8, "big"))
            self._selector.register(connection, selectors.EVENT_READ, child)
            self._selector.register(os.pidfd_open(child), selectors.EVENT_READ, (child, connection))
            return None
        self._selector.close()
        self._listener.close()
        self._users.close()
        connection.close()
        return _become(streams, message)

    def _client_has_gone(self, connection: socket.socket, child: int) -> None:
        with suppress(KeyError, ValueError):  # it ended in the same moment
            self._selector.unregister(connection)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    def _command_has_ended(self, watched: int, child: int, connection: socket.socket) -> None:
        self._selector.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(child, 0)
        with suppress(OSError):
            connection.sendall(status.to_bytes(8, "big"))
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection)
        connection.close()


def _become(streams: list[int], message: bytes) -> list[str]:
    """Take on the client's streams, working directory and environment; returns its words."""
    folder, words, *variables = message.decode(errors="surrogateescape").split("\0")
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.setsid()  # who sends a signal to the client's whole group reaches this process through the client alone
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in variables)
    buffered = "PYTHONUNBUFFERED" not in os.environ
    sys.stdin, sys.stdout, sys.stderr = (
        open(0, closefd=False),  # noqa: SIM115
        open(1, "w", buffering=-1 if buffered else 1, closefd=False),  # noqa: SIM115
        open(2, "w", buffering=1, closefd=False, errors="backslashreplace"),  # noqa: SIM115
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return words.split("\1")


class Prefect:
    """Finds and loads Prefect, which is loaded but for its settings."""

    def __init__(self) -> None:
        for name in PREFECT:
            importlib.import_module(name)
        self._loaded = sys.modules.pop("prefect")
        self._spec = self._loaded.__spec__

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name == "prefect" else None  # type: ignore[arg-type]

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return self._loaded

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        module.__spec__ = self._spec  # it knows where the package's files are
        sys.modules["prefect.context"].refresh_global_settings_context()
        logging = sys.modules["prefect.logging.configuration"]
        logging.PROCESS_LOGGING_CONFIG = {}  # set up already, with the settings of the warm process
        logging.setup_logging()


def main() -> None:
    """Load the libraries, then fork for each client; a fork goes on to run its command."""
    from dvc.cli.parser import get_main_parser
    from mlflow.utils.requirements_utils import _init_modules_to_packages_map
    from PIL import Image
    from sqlalchemy.orm import configure_mappers

    program, address, users = sys.argv[1:]
    for library in HEAVY:
        __import__(library)
    sys.meta_path.insert(0, Prefect())  # type: ignore[arg-type]
    configure_mappers()  # of MLflow's tables, which its first query would do
    get_main_parser()  # the options of DVC's fifty commands
    Image.init()  # Pillow's formats
    _init_modules_to_packages_map()  # which package brings which module: MLflow reads it for each model that it logs
    _forget_exits()
    gc.freeze()  # a collection in a fork would copy all that the libraries have made
    words = Server(address, users).command()
    sys.executable = program
    _leave(_run(words))


def _forget_exits() -> None:
    """What the libraries would take down at a process's end costs a fork more than most commands: it copies the memory that it writes to."""
    atexit.unregister(sys.modules["torch._dynamo.utils"].dump_compile_times)
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False


def _run(words: list[str]) -> int:
    """Run a module, a script or code as `python` would; returns its exit code."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    try:
        if words[0] == "-m":
            sys.path[0:1], sys.argv = [str(Path.cwd()), *paths], ["-m", *words[2:]]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.path[0:1], sys.argv = ["", *paths], ["-c", *words[2:]]
            exec(words[1], vars(sys.modules["__main__"]))  # noqa: S102
        else:
            sys.path[0:1], sys.argv = [str(Path(words[0]).parent), *paths], words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as ending:
        if isinstance(ending.code, str):
            sys.stderr.write(f"{ending.code}\n")
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _leave(code: int) -> NoReturn:
    """As the interpreter ends: threads are waited for and `atexit` is called; but modules are not taken down one by one."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
