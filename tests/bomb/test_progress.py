"""Bars: drawn over themselves on a terminal, a line now and then in a log."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

PROGRAM = """
import time
from bomb.machine import progress as module
module.DELAY_S, module.LINE_S = 0.0, 0.2
with module.progress(total=60, unit="step", desc="walk", mininterval=MIN) as bar:
    for _ in range(60):
        time.sleep(0.01)
        bar.update()
        bar.set_postfix_str("well", refresh=False)
for _ in module.progress(range(3), desc="quick", delay=5, leave=False):
    pass
"""


def test_a_log_gets_a_line_now_and_then():
    program = PROGRAM.replace("mininterval=MIN", "leave=True")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = run.stderr.split("\n")
    assert lines.pop() == "" and run.stdout == ""
    assert 3 <= len(lines) <= 6 and all(line.startswith("walk:") for line in lines)
    assert "\r" not in run.stderr and "\x1b" not in run.stderr and run.stderr.isascii()
    assert "60/60" in lines[-1] and "well" in lines[-1] and max(map(len, lines)) <= 100


def test_a_terminal_gets_a_bar():
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    program = PROGRAM.replace("MIN", "0.02")
    run = subprocess.Popen([sys.executable, "-c", program], stderr=child)
    assert run.wait() == 0
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(parent)
    assert shown.count(b"\r") > 8 and b"60/60" in shown
