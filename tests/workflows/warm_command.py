"""A ``genoformer`` for the rules of a workflow that begins at once: a process that has imported everything runs it.

The command sends its arguments, folder, environment and open files to a server, which forks, and gives the exit code.
"""

import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from children import start

from genoformer.cli.main import main

COMMAND = """\
#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [request], [0, 1, 2])
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.makefile().read()))
"""


@contextlib.contextmanager
def warm_command() -> Iterator[Path]:
    """Start the server, and stop it at the end; gives the folder with the command."""
    # The paths of sockets are short.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address, command = f"{folder}/socket", Path(folder, "genoformer")
        listener.bind(address)
        listener.listen()
        command.write_text(COMMAND.format(python=sys.executable, address=address))
        command.chmod(0o755)
        server = start(serve, listener)
        try:
            yield command.parent
        finally:
            server.terminate()
            server.join()


def serve(listener: socket.socket) -> None:
    """In a child: answer every call in a process of its own."""
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            os._exit(_answer(connection))
        connection.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def _answer(connection: socket.socket) -> int:
    request, files, *_ = socket.recv_fds(connection, 1 << 20, 3)
    while more := connection.recv(1 << 20):
        request += more
    child = os.fork()
    if child == 0:
        os._exit(_run(*json.loads(request), files))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(str(code).encode())
    return 0


def _run(arguments: list[str], folder: str, environment: dict[str, str], files: list[int]) -> int:
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = main(arguments)
    sys.stderr.flush()
    return code
