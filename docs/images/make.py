"""Makes the pictures of the README from the program itself: what a terminal shows, as SVG, and the page of a plan that
waits, as a telephone shows it. Run it with the Python of Tests/servers/python.sh; the page needs a browser
(Tests/servers/browser.sh).

    python docs/images/make.py [FOLDER]        FOLDER: this one"""
import base64
import html
import http.server
import json
import os
import pathlib
import pty
import re
import select
import shutil
import sys
import tempfile
import textwrap
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "Tests/acceptance"))

import browser
import estate
import remediate
import server
from program import PROGRAM
from scan import moto

COLUMNS, LINE, CHARACTER = 112, 19, 8.43
COLOURS = {"31": "#ff7b72", "33": "#e3b341", "35": "#d2a8ff"}


def on_a_terminal(folder, *arguments):
    """What the program writes where somebody looks, colours and all."""
    process, screen = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execv(PROGRAM, [PROGRAM, *arguments])
    out = b""
    while select.select([screen], [], [], 60)[0]:
        try:
            part = os.read(screen, 65536)
        except OSError:
            break
        if not part:
            break
        out += part
    os.waitpid(process, 0)
    return out.decode().replace("\r\n", "\n")


def spans(line):
    """A line with escapes as parts of SVG."""
    out, style = "", ""
    for part in re.split(r"(\x1b\[\d*m)", line):
        if code := re.fullmatch(r"\x1b\[(\d*)m", part):
            style = ' font-weight="bold"' if code[1] == "1" else f' fill="{COLOURS[code[1]]}"' if code[1] in COLOURS else ""
        elif part:
            out += f"<tspan{style}>{html.escape(part)}</tspan>"
    return out


def wrapped(text):
    for line in text.rstrip("\n").split("\n"):
        if len(re.sub(r"\x1b\[\d*m", "", line)) <= COLUMNS:
            yield line
        else:
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            yield from textwrap.wrap(line, COLUMNS, subsequent_indent=indent, break_on_hyphens=False)


def terminal(path):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("catalog", "baseline", "playbooks", "deploy"):
            shutil.copytree(TOP / name, f"{folder}/{name}")
        (pathlib.Path(folder) / ".build/try").mkdir(parents=True)
        config = ["--config", "deploy/samples/holdfast.yaml"]
        lines = []
        for typed in (["run", *config, "--quiet"], ["plan", "f-ab429d102a3ef5c2", *config]):
            shown = on_a_terminal(folder, *typed)
            lines += [f"\x1b[1m$ holdfast {' '.join(typed)}\x1b[0m", *wrapped(shown), ""]
    width, height = round(COLUMNS * CHARACTER + 32), len(lines) * LINE + 24
    rows = "\n".join(f'<text x="16" y="{24 + LINE * index}" xml:space="preserve">{spans(line)}</text>'
                     for index, line in enumerate(lines) if line)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n{rows}\n</svg>\n')


def bottom_of(shown, heading):
    """Where the part under a heading ends, in pixels from the page's top."""
    found = shown.run("(() => { const h = [...document.querySelectorAll('h2')].find(h => h.innerText === "
                      f"{json.dumps(heading)}); return h && h.parentElement.getBoundingClientRect().bottom + scrollY }})()")
    if not found:
        sys.exit(f"the page has no part {heading}:\n{shown.text()}")
    return found


def clip(shown, path, top, bottom):
    data = shown.call("Page.captureScreenshot", format="png", clip={
        "x": 0, "y": top, "width": 390, "height": bottom - top + 8, "scale": 1})["data"]
    path.write_bytes(base64.b64decode(data))


def page(paths):
    """The page of a plan that waits, of a service that changes a cloud (moto), 390 pixels wide: what is asked, and the
    decision."""
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), server.Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder, server.provider(folder) as issuer:
        s3 = estate.session(endpoint, remediate.PRODUCTION)("s3")
        s3.create_bucket(Bucket="payments-exports", CreateBucketConfiguration={"LocationConstraint": remediate.REGION})
        s3.put_public_access_block(Bucket="payments-exports", PublicAccessBlockConfiguration=remediate.CLOSED)
        setting = server.Setting(folder, endpoint, issuer, f"http://127.0.0.1:{hook.server_port}/")
        shown = browser.Browser()
        try:
            setting.service.wait("the first scan", lambda: setting.service.ask("resources", "--type", "AWS::S3::Bucket"))
            remediate.open_up(setting.service, s3, remediate.PRODUCTION, "payments-exports")
            plan = setting.service.wait("a plan that waits", lambda: setting.waiting("payments-exports"))
            shown.open(server.holdfast(folder, "approvals", "open", "--config", f"{folder}/holdfast.yaml").strip())
            shown.click("form button")
            shown.open(f"{setting.url}/plans/{plan['digest']}")
            shown.picture(f"{folder}/whole.png", 390)
            question = bottom_of(shown, "This call, and no other")
            clip(shown, paths[0], 0, question)
            clip(shown, paths[1], bottom_of(shown, "Before and after"), bottom_of(shown, "Your decision"))
        finally:
            shown.close()
            setting.service.stop()


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    terminal(folder / "terminal.svg")
    if browser.PROGRAM:
        page([folder / "approval-question.png", folder / "approval-decision.png"])
    else:
        print("SKIPPED: the page; there is no browser (Tests/servers/browser.sh)")
    for file in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if file.stat().st_size > 150_000:
            sys.exit(f"{file} has {file.stat().st_size} bytes; 150,000 are enough")


if __name__ == "__main__":
    main()
