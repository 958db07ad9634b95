# SPDX-License-Identifier: GPL-2.0-only
"""Many devices' logs through scripts/optee-top-push and a real vmagent into a real
VictoriaMetrics, with everything killed on the way: all samples arrive, and what the
queries of doc/fleet.md say of the fleet is what the logs say. Needs no guest."""

import contextlib
import gzip
import http.server
import math
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Sequence

from ..lib import fleet, native, service, vm
from ..lib.fleet import Device, Maker, Samples
from ..lib.registry import Context, Findings, test

MAKERS = 2
AT_ONCE = 4
KILLED = 0.2  # of the pushes
SETTLE = 10   # seconds; a round takes longer
DOC = vm.ROOT / "doc/fleet.md"


class Services(NamedTuple):
    storage: service.Service
    agent: service.Service


@contextlib.contextmanager
def services(work: Path) -> Iterator[Services]:
    storage = service.victoria(work, "-dedup.minScrapeInterval=1ms")
    with service.running(storage):
        agent = service.vmagent(work, storage.url)
        with service.running(agent):
            yield Services(storage, agent)


class Round:
    """Every device pushes; on the way one thing after the other is done to the services."""

    def __init__(self, url: str, seed: int, killed: float) -> None:
        self.url = url
        self.seed = seed
        self.killed = killed
        self.statuses: Counter[int] = Counter()
        self.failed: list[Device] = []
        self._done = threading.Condition()

    def _push(self, device: Device) -> None:
        draw = random.Random(self.seed * 1_000_000 + device.number)
        kill: Optional[random.Random] = draw if draw.random() < self.killed else None
        status = device.push(self.url, "--settle", str(SETTLE), kill=kill)
        with self._done:
            self.statuses[status] += 1
            if status:
                self.failed.append(device)
            self._done.notify_all()

    def after(self, pushes: int) -> None:
        with self._done:
            self._done.wait_for(lambda: self.statuses.total() >= pushes)

    @contextlib.contextmanager
    def running(self, devices: Sequence[Device]) -> Iterator[None]:
        order = list(devices)
        random.Random(self.seed).shuffle(order)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            pushes = pool.map(self._push, order)
            yield
            list(pushes)


def push_all(url: str, devices: Sequence[Device], seed: int) -> int:
    """Nobody is killed: until all is acknowledged. How many times somebody had to try again."""
    again = 0
    for n in range(10):
        last = Round(url, seed + n, 0)
        with last.running(devices):
            pass
        devices = last.failed
        if not devices:
            return again
        again += len(devices)
        time.sleep(1)
    raise AssertionError(f"{len(devices)} devices cannot push, such as {devices[0].name}")


def check_samples(findings: Findings, storage: service.Service, devices: Sequence[Device]) -> int:
    """What each log has is there, as often, with its time and value, and no more."""
    seen: dict[str, fleet.Series] = {}
    wrong = checked = 0
    for at in range(0, len(devices), 50):
        some = devices[at:at + 50]
        have, twice = fleet.stored(storage, f'{{device=~"{"|".join(d.name for d in some)}"}}')
        findings.equal(f"samples twice from {some[0].name} on", twice, 0)
        for device in some:
            done = native.run("export", device.log, "--format", "prometheus", "--strict")
            findings.equal(f"export of {device.name}", (done.status, done.err), (0, ""))
            want = fleet.parse(done.out.decode(), seen)
            checked += sum(map(len, want.values()))
            if have.get(device.name) != want:
                wrong += 1
                if wrong < 10:
                    findings.add(f"{device.name}: " + difference(have.get(device.name, {}), want))
    findings.equal("devices with other samples than in their logs", wrong, 0)
    return checked


def difference(have: Samples, want: Samples) -> str:
    mine = {(s, t, v) for s, ts in have.items() for t, v in ts.items()}
    theirs = {(s, t, v) for s, ts in want.items() for t, v in ts.items()}
    lost, more = theirs - mine, mine - theirs
    return (f"{len(lost)} samples lost, {len(more)} that are not in the log, such as "
            f"{next(iter(lost or more))}, at {sorted({t for _, t, _ in lost or more})}")


class Truth:
    """What the logs say, read without optee-top: counters begin at 0 with each attach."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.waits: dict[tuple[str, str], Counter[int]] = {}  # by TA and firmware
        self.calls: Counter[str] = Counter()
        self.stranded: Counter[str] = Counter()  # ns by device
        self.deadlocks: Counter[str] = Counter()
        for device in devices:
            last = {(x["epoch"], x["type"], str(x.get("ta"))): x
                    for x in fleet.log_lines(device)}
            for (_, kind, ta), line in last.items():
                if kind == "ta":
                    waits = self.waits.setdefault((ta, device.firmware), Counter())
                    waits.update(dict(line["wait_histogram"]))
                    self.calls[ta] += line["calls"]
                if kind == "pool":
                    conditions = line["conditions"]
                    self.stranded[device.name] += conditions["stranded"]["time_ns"]
                    self.deadlocks[device.name] += conditions["deadlock"]["count"]

    def p99(self, ta: str, firmware: str = "") -> float:
        both: Counter[int] = Counter()
        for (name, of), waits in self.waits.items():
            if name == ta and firmware in ("", of):
                both.update(waits)
        return fleet.quantile(0.99, both)


def queries() -> list[str]:
    """Those of the manual, in its order."""
    return re.findall(r"^    (\S.*\(optee_\w+.*)$", DOC.read_text(), re.M)


def check_values(findings: Findings, what: str, have: dict[str, float],
                 want: dict[str, float]) -> None:
    findings.equal(f"{what}: of what", sorted(have), sorted(want))
    for key in have.keys() & want.keys():
        findings.true(f"{what}: {key} is {have[key]}, not {want[key]}",
                      math.isclose(have[key], want[key], rel_tol=1e-9))


def check_queries(findings: Findings, storage: service.Service, truth: Truth,
                  devices: int) -> None:
    p99, p99_firmware, stranded, deadlocks, calls = queries()

    def ask(expr: str, *labels: str) -> dict[str, float]:
        return {" ".join(row["metric"][label] for label in labels): float(row["value"][1])
                for row in storage.query(expr)}

    check_values(findings, p99, ask(p99, "ta"), {ta: truth.p99(ta) for ta in fleet.TAS})
    check_values(findings, p99_firmware, ask(p99_firmware, "ta", "firmware"),
                 {f"{ta} {fw}": truth.p99(ta, fw) for ta, fw in truth.waits})
    check_values(findings, stranded, ask(stranded, "device"),
                 {device: ns / 1e9 for device, ns in truth.stranded.most_common(10)})
    check_values(findings, deadlocks, ask(deadlocks, "device"),
                 {device: n for device, n in truth.deadlocks.items() if n})
    check_values(findings, calls, ask(calls, "ta"),
                 {ta: float(n) for ta, n in truth.calls.items()})
    findings.true(f"{len(truth.waits)} rows are no test", len(truth.waits) == 4)
    findings.true(f"deadlocks {+truth.deadlocks} are no test",
                  len(+truth.deadlocks) >= devices // 200)


def with_faults(services: Services, devices: Sequence[Device], makers: Sequence[Maker],
                findings: Findings) -> tuple[int, list[Counter[int]], float]:
    """Ten minutes of the devices. How many calls there were; how pushes ended; and what of
    them the agent that is still there has received."""
    storage, agent = services
    share = len(devices) // 10

    def all_do(command: str) -> int:
        return sum(maker.do(command) for maker in makers)

    all_do("take 3")
    first = Round(agent.url, 1, KILLED)
    with first.running(devices):
        first.after(3 * share)
        agent.kill()
        first.after(4 * share)
        agent.start()
    all_do("attach")
    all_do("take 3")
    second = Round(agent.url, 2, KILLED)
    # The others are off the net for a while.
    with second.running(random.Random(2).sample(devices, 6 * share)):
        second.after(share)
        storage.stop()
        second.after(3 * share)
        agent.kill()
        agent.start()
        second.after(4 * share)
        storage.start()
    calls = all_do("take 4")
    push_all(agent.url, devices, 3)
    for name, round_, ends in (("first", first, (0, 1, -9)), ("second", second, (0, -9))):
        findings.true(f"the {name} round ended {round_.statuses}: this is no test",
                      all(round_.statuses[status] > share // 4 for status in ends))
    return calls, [first.statuses, second.statuses], fleet.metric(
        agent, '^vmagent_rows_inserted_total{type="prometheus"}')


def bytes_a_minute(device: Device) -> float:
    """Of a push, deflated; the ten minutes have an attach more."""
    done = native.run("export", device.log, "--format", "prometheus")
    return len(gzip.compress(done.out, 1)) / 12


def faults(context: Context, count: int) -> None:
    """Nothing is lost and nothing is there twice, whoever was killed; and queries are right."""
    work, findings = context.dir, Findings()
    (work / "logs").mkdir(parents=True)
    native.top()
    devices = [Device(n, work) for n in range(count)]
    start = int(time.time()) - 900
    share = count // MAKERS
    makers = [Maker(work / "logs", n * share, share, start) for n in range(MAKERS)]
    began = time.monotonic()
    with services(work) as both:
        calls, statuses, rows = with_faults(both, devices, makers, findings)
        pushed = time.monotonic()
        findings.equal("ends of fleet-made", [maker.end() for maker in makers], [0] * MAKERS)
        fleet.wait_until_passed_on(both.agent)
        # A queue on the disk that was broken by the kill is found when it is read.
        push_all(both.agent.url, devices, 20)
        fleet.wait_until_passed_on(both.agent)
        both.storage.get("/internal/force_flush")
        samples = check_samples(findings, both.storage, devices)
        truth = Truth(devices)
        findings.equal("calls in the logs", truth.calls.total(), calls)
        check_queries(findings, both.storage, truth, count)
        size = fleet.metric(both.storage, "^vm_data_size_bytes")
    rate = sum(map(bytes_a_minute, devices[:100])) / 100
    (work / "figures").write_text(
        f"{count} devices, {samples} samples, {calls} calls; pushes ended "
        f"{', then '.join(str(dict(s)) for s in statuses)}, all done after "
        f"{pushed - began:.0f} s; {rows:.0f} rows to the last agent; storage {size / 1e6:.1f} MB, "
        f"{rate:.0f} bytes a device and minute; compared after {time.monotonic() - began:.0f} s\n")
    findings.done()


@test(slots=2, check_all=True)
def fleet_faults(context: Context) -> None:
    faults(context, 200)


@test(slots=2, check_all=True)
def fleet_faults_1000(context: Context) -> None:
    """More devices than in fleet_faults, and the same faults."""
    faults(context, 1000)


def rows_of(agent: service.Service) -> int:
    """Samples it was given. Its figures are up to a second old."""
    time.sleep(1.5)
    return int(fleet.metric(agent, '^vmagent_rows_inserted_total{type="prometheus"}'))


def wait_for_retry(agent: service.Service) -> None:
    """It tries again to pass on, and knows that it did. The pause doubles, up to a minute."""
    retries = "^vmagent_remotewrite_retries_count_total"
    before, end = fleet.metric(agent, retries), time.monotonic() + 120
    while fleet.metric(agent, retries) == before:
        if time.monotonic() > end:
            raise AssertionError("vmagent does not try again")
        time.sleep(0.2)


def lines_since(device: Device, minute: int) -> int:
    """Samples of the log behind that line of figures, by their times."""
    out = native.run("export", device.log, "--format", "prometheus").out.splitlines()
    times = sorted({int(line.rsplit(b" ", 1)[1]) for line in out})
    return sum(int(line.rsplit(b" ", 1)[1]) >= times[minute] for line in out)


@test()
def fleet_settles(context: Context) -> None:
    """An agent that was killed is given again what it may have lost, and no more than that."""
    work, findings = context.dir, Findings()
    (work / "logs").mkdir(parents=True)
    native.top()
    device = Device(7, work)
    maker = Maker(work / "logs", 7, 1, int(time.time()) - 3600)
    with services(work) as both:
        agent = both.agent

        def pushes(what: str, want: int, *options: str, rows: int) -> None:
            before = rows_of(agent)
            findings.equal(f"{what}: status", device.push(agent.url, *options), want)
            findings.equal(f"{what}: samples given", rows_of(agent) - before, rows)

        keeps, settles = ("--settle", "1000"), ("--settle", "1")
        maker.do("take 3")
        pushes("all there is", 0, *keeps, rows=lines_since(device, 0))
        pushes("nothing new", 0, *keeps, rows=0)
        maker.do("take 2")
        pushes("what is new", 0, *keeps, rows=lines_since(device, 4))
        pushes("what was there in time settles", 0, *settles, rows=0)
        maker.do("take 2")
        pushes("more", 0, *keeps, rows=lines_since(device, 6))
        agent.kill()
        findings.equal("status without an agent", device.push(agent.url, *keeps), 1)
        agent.start()
        pushes("behind what is settled", 0, *keeps, rows=lines_since(device, 4))
        both.storage.stop()
        maker.do("take 1")
        pushes("an agent without a storage", 0, *keeps, rows=lines_since(device, 8))
        wait_for_retry(agent)
        pushes("nothing settles then", 0, *settles, rows=0)
        maker.do("take 1")
        wait_for_retry(agent)
        pushes("nor later", 0, *settles, rows=lines_since(device, 9))
        agent.kill()
        both.storage.start()
        agent.start()
        pushes("all that did not", 0, *keeps, rows=lines_since(device, 4))
        pushes("once more on demand", 0, "--since", "365d", rows=lines_since(device, 0))
        pushes("which moves nothing", 0, *keeps, rows=0)
        agent.kill()
        agent.start()
        pushes("without a check", 0, "--no-agent-check", rows=0)
        check_refusals(findings, both, device)
        check_cut_off(findings, agent, device)
        maker.do("take 1")
        findings.equal("end of fleet-made", maker.end(), 0)
        pushes("the rest", 0, "--no-agent-check", rows=lines_since(device, 10))
        fleet.wait_until_passed_on(agent)
        both.storage.get("/internal/force_flush")
        check_samples(findings, both.storage, [device])
    findings.done()


class Pretended(http.server.BaseHTTPRequestHandler):
    """An agent that acknowledges everything; its queue is as broken as the test wants it."""

    broken = 0
    bodies: list[bytes] = []

    def do_GET(self) -> None:
        self.answer(200, f"""vm_app_start_timestamp 1790000000
vm_log_messages_total{{app_version="", level="error", location="VictoriaMetrics/lib/httpserver/x.go:1"}} 7
vm_log_messages_total{{app_version="", level="warn", location="VictoriaMetrics/lib/persistentqueue/x.go:1"}} 3
vm_log_messages_total{{app_version="", level="error", location="VictoriaMetrics/lib/persistentqueue/x.go:1"}} {self.broken}
vmagent_remotewrite_retries_count_total 0
vmagent_remotewrite_pending_data_bytes 0
""")

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.bodies.append(gzip.decompress(self.rfile.read(length)))
        self.answer(204, "")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@test()
def fleet_broken_queue(context: Context) -> None:
    """An agent whose queue is broken has lost what it took since it was started."""
    findings, device = Findings(), Device(8, context.dir)
    (context.dir / "logs").mkdir(parents=True)
    maker = Maker(context.dir / "logs", 8, 1, int(time.time()) - 3600)
    with http.server.ThreadingHTTPServer((service.HOST, 0), Pretended) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://{service.HOST}:{server.server_port}"

        def pushes(what: str, rows: int) -> None:
            Pretended.bodies.clear()
            findings.equal(f"{what}: status", device.push(url), 0)
            findings.equal(f"{what}: samples given",
                           sum(len(b.splitlines()) for b in Pretended.bodies), rows)

        maker.do("take 3")
        pushes("all there is", lines_since(device, 0))
        maker.do("take 1")
        pushes("what is new", lines_since(device, 4))
        Pretended.broken = 1
        pushes("all once more", lines_since(device, 0))
        pushes("nothing new", 0)
        server.shutdown()
    findings.equal("end of fleet-made", maker.end(), 0)
    findings.done()


def check_cut_off(findings: Findings, agent: service.Service, device: Device) -> None:
    """An export that dies in the middle of a line gives nothing at all."""
    dies = device.work / "dies"
    dies.write_text(f"#!/bin/sh\n'{native.TOP}' \"$@\" | head -c 10007\nkill -9 $$\n")
    dies.chmod(0o755)
    before = rows_of(agent)
    for options in (["--no-agent-check"], ["--since", "365d"]):
        findings.equal(f"status of an export that dies, {options}",
                       device.push(agent.url, *options, top=dies), 1)
    findings.equal("samples of an export that dies", rows_of(agent) - before, 0)


def check_refusals(findings: Findings, both: Services, device: Device) -> None:
    """Each is said in a line or more, and leaves the position as it is."""
    sent = (device.state / "sent").read_bytes()
    said = device.work / "refused.log"
    for options in (["--label", "site=a b"], ["--label", "site"], ["--label", "si-te=1"],
                    ["--every", "soon"], ["--settle", ""], ["--unheard"], ["http://other:1"]):
        said.unlink(missing_ok=True)
        findings.equal(f"status of {options}",
                       device.push(both.agent.url, *options, log=said.name), 2)
        findings.equal(f"{options}: lines said", len(said.read_text().splitlines()), 1)
    refusals: Sequence[tuple[str, str, list[str]]] = (
        ("no such place", both.agent.url + "/none", ["--no-agent-check"]),
        ("no vmagent's metrics", both.agent.url + "/none", []),
        ("no log", both.agent.url, ["--no-agent-check", "--log", str(device.work / "none")]),
        ("nobody there", f"http://{service.HOST}:{service.free_port()}", ["--no-agent-check"]))
    for what, url, options in refusals:
        said.unlink(missing_ok=True)
        # With something new it has a reason to.
        (device.state / "sent").unlink()
        findings.equal(f"status: {what}", device.push(url, *options, log=said.name), 1)
        findings.true(f"{what}: nothing said", "optee-top-push: " in said.read_text())
        findings.true(f"{what}: the position moves", not (device.state / "sent").exists())
        (device.state / "sent").write_bytes(sent)
