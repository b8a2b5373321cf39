"""`ltrr serve` from the outside: an address that is taken, and Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.cli.lines import ltrr


def test_a_port_that_is_taken_is_told_before_anything_is_indexed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ltrr("serve", tmp_path / "none", "--demo", "--port", port).refused(
            f"127.0.0.1, port {port}: cannot be listened on"
        )
    assert not (tmp_path / "none").exists()


def test_ctrl_c_is_how_it_ends(index: Path) -> None:
    command = (sys.executable, "-c", "from cli.main import app; app()", "serve", str(index))
    with subprocess.Popen(
        (*command, "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split(" at ")[1].split(" ")[0]
            assert httpx.get(address, timeout=60.0).text.startswith("<!doctype html>")
            process.send_signal(signal.SIGINT)
            said, problems = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert said == "Stopped; what was recorded and learnt is kept.\n"
    assert problems == ""
