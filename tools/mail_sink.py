"""A mail server that takes everything and is as bad as it is told to be.

For tests and for `make chaos`. What it was handed is written down when the last byte is there, *before* it
answers: a message whose answer was lost did arrive.

    python -m tools.mail_sink --port 2525 --faults 0.3 --out received.jsonl
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

#: What may become of one message.
FAULTS = ("later", "hang", "drop")


@dataclass(frozen=True)
class Received:
    """One copy. `answered` is False where the connection was closed instead of saying yes."""

    message_id: str
    to: str
    subject: str
    answered: bool
    raw: str

    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw.encode("latin-1"), policy=policy.default)  # type: ignore[return-value]


class MailSink:
    """Runs until `close`.

    Args:
        behave: called with the recipient at every RCPT; "" takes the message, "later" answers 451, "refuse"
            550, "drop" closes after DATA without an answer, "hang" says nothing for `hang` seconds after DATA.
        login: account and password that are accepted; None asks for none.
        hang: seconds.
        out: a file that gets one line of JSON for each copy.
    """

    def __init__(
        self,
        *,
        behave: Callable[[str], str] = lambda to: "",
        login: tuple[str, str] | None = None,
        hang: float = 3.0,
        port: int = 0,
        out: Path | None = None,
    ) -> None:
        self.behave, self.login, self.hang, self.out = behave, login, hang, out
        self.received: list[Received] = []
        self.connections = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Conversation)
        self._server.sink = self
        self.port: int = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def keep(self, copy: Received) -> None:
        with self._lock:
            self.received.append(copy)
            if self.out is not None:
                with self.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(copy)) + "\n")

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> MailSink:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sink: MailSink


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        sink: MailSink = self.server.sink  # type: ignore[attr-defined]
        sink.connections += 1
        allowed = sink.login is None
        to = fault = ""
        try:
            self._say("220 sink")
            while line := self.rfile.readline():
                word = line.strip().decode("latin-1")
                verb = word.upper().split(" ")[0].split(":")[0]
                if verb in ("EHLO", "HELO"):
                    self._say(
                        "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN" if sink.login else "250 sink"
                    )
                elif verb == "AUTH":
                    allowed = self._log_in(word, sink)
                    self._say("235 welcome" if allowed else "535 5.7.8 wrong account or password")
                elif verb == "MAIL":
                    self._say("250 ok" if allowed else "530 5.7.0 log in first")
                elif verb == "RCPT":
                    to = word.split("<", 1)[-1].split(">", 1)[0]
                    fault = sink.behave(to)
                    said = {"later": "451 4.3.0 try again later", "refuse": "550 5.1.1 no such mailbox"}
                    self._say(said.get(fault, "250 ok"))
                elif verb == "DATA":
                    self._say("354 go on")
                    if not self._take(sink, to, fault):
                        return
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")
        except OSError:
            return

    def _take(self, sink: MailSink, to: str, fault: str) -> bool:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False  # cut off before the end: nothing arrived
            lines.append(line[1:] if line.startswith(b"..") else line)
        raw = b"".join(lines)
        mail = message_from_bytes(raw, policy=policy.default)
        answered = fault not in ("drop", "hang")
        sink.keep(
            Received(str(mail["Message-ID"]), to, str(mail["Subject"]), answered, raw.decode("latin-1"))
        )
        if fault == "hang":
            sink.closing.wait(sink.hang)
        if not answered:
            return False
        self._say("250 taken")
        return True

    def _log_in(self, word: str, sink: MailSink) -> bool:
        parts = word.split(" ")
        if parts[1].upper() == "LOGIN":
            user = parts[2] if len(parts) > 2 else self._ask("VXNlcm5hbWU6")
            given = (_decoded(user), _decoded(self._ask("UGFzc3dvcmQ6")))
        else:
            plain = _decoded(parts[2] if len(parts) > 2 else self._ask("")).split("\0")
            given = (plain[-2], plain[-1]) if len(plain) > 1 else ("", "")
        return given == sink.login

    def _ask(self, prompt: str) -> str:
        self._say(f"334 {prompt}")
        return self.rfile.readline().strip().decode("latin-1")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode("utf-8", "replace")


def faulty(share: float, *, seed: int = 0, faults: tuple[str, ...] = FAULTS) -> Callable[[str], str]:
    """So large a share of all messages gets one of the faults, by a seeded dice."""
    dice, lock = random.Random(seed), threading.Lock()

    def behave(_to: str) -> str:
        with lock:
            return dice.choice(faults) if dice.random() < share else ""

    return behave


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument(
        "--faults", type=float, default=0.0, help="share of messages that get a fault, 0 to 1"
    )
    parser.add_argument("--hang", type=float, default=25.0, help="seconds of silence of a message that hangs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given: Any = parser.parse_args(argv)
    sink = MailSink(
        behave=faulty(given.faults, seed=given.seed), hang=given.hang, port=given.port, out=given.out
    )
    print(f"mail sink on 127.0.0.1:{sink.port}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sink.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
