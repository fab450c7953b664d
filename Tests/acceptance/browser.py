"""A browser without a screen, driven over Chrome's own protocol by pipes: chromium-headless-shell, and nothing else."""
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp()
        to_read, self.to = os.pipe()
        self.back, from_write = os.pipe()
        # Chrome reads what it is asked on descriptor 3 and answers on 4.
        command = 'exec "$0" "$@" 3<&%d 4>&%d' % (to_read, from_write)
        self.process = subprocess.Popen(
            ["bash", "-c", command, PROGRAM, "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.numbers, self.buffer, self.events, self.session = itertools.count(1), b"", [], None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for name in ("Page.enable", "Network.enable", "Log.enable", "Runtime.enable"):
            self.call(name)

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise SystemExit(f"the browser cannot {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def read(self):
        while b"\0" not in self.buffer:
            part = os.read(self.back, 1 << 20)
            if not part:
                raise SystemExit("the browser is gone")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.settle()

    def settle(self):
        """Until the page is there, also after forms and pages that go on by themselves."""
        still, last = 0, None
        for _ in range(600):
            now = (self.run("document.readyState"), self.run("location.href"))
            still = still + 1 if now == last and now[0] == "complete" else 0
            if still >= 3:
                return
            last = now
            time.sleep(0.1)
        raise SystemExit(f"the page does not settle: {last}")

    def click(self, selector):
        if not self.run(f"!!document.querySelector({json.dumps(selector)})"):
            raise SystemExit(f"there is no {selector} on {self.run('location.href')}:\n{self.text()[:800]}")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self.settle()

    def fill(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def text(self):
        return self.run("document.body.innerText")

    def picture(self, path, width, dark=False):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        wide = self.run("document.documentElement.scrollWidth")
        if wide > width:
            raise SystemExit(f"{self.run('location.href')} is {wide} pixels wide at {width}")
        height = self.run("document.documentElement.scrollHeight")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def problems(self):
        """What the browser complained of: things that a policy blocked, or that are not there."""
        found = [e["params"]["entry"]["text"] for e in self.events if e.get("method") == "Log.entryAdded"]
        return [text for text in found if "favicon" not in text]

    def requests(self):
        return {e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"}

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)
