# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE's own tests, with and without optee-top attached."""

import re
import threading

from . import frames, vm
from .registry import Context, Findings, test

# Names are matched as substrings: these are regression_1000 to regression_1040.
TESTS = "_100 _101 _102 _103 _1040"
BARE = f"xtest -t regression {TESTS} >/tmp/xtest 2>&1; echo $? >/tmp/status\n"
WATCHED = "top_start -d 1\n" + BARE + "top_stop\n"
LINE = re.compile(r"^(regression_\d+) (OK|FAILED|SKIPPED)", re.M)
SUBTESTS = re.compile(r"^(\d+) subtests of which (\d+) failed", re.M)


def run(context: Context, script: str, tag: str, gets: tuple[str, ...]) -> vm.Run:
    return vm.run(context, script, tag=tag, gets=gets, seconds=900)


@test(slots=2)
def xtest_same(context: Context) -> None:
    """The same tests pass, and as many subtests are run."""
    found: dict[str, vm.Run] = {}
    errors: list[Exception] = []

    def one(tag: str, script: str, *gets: str) -> None:
        try:
            found[tag] = run(context, script, tag, ("xtest", "status", *gets))
        except Exception as error:
            errors.append(error)

    bare = threading.Thread(target=one, args=("bare", BARE))
    bare.start()
    one("watched", WATCHED, "top.jsonl")
    bare.join()
    if errors:
        raise errors[0]
    findings = Findings()
    texts = {tag: r.read("xtest").decode(errors="replace") for tag, r in found.items()}
    lines = {tag: LINE.findall(text) for tag, text in texts.items()}
    findings.equal("tests run with optee-top", sorted(lines["watched"]), sorted(lines["bare"]))
    findings.true(f"only {len(lines['bare'])} tests were run", len(lines["bare"]) >= 35)
    findings.equal("subtests run and failed with optee-top", SUBTESTS.findall(texts["watched"]),
                   SUBTESTS.findall(texts["bare"]))
    findings.equal("xtest's status with optee-top", found["watched"].read("status"),
                   found["bare"].read("status"))
    seen = frames.load(found["watched"].files["top.jsonl"])
    frames.check_sane(findings, seen)
    calls = seen[-1]["pools"][0]["class_sums"]["normal"]["calls"]
    findings.true(f"optee-top saw {calls} calls only", calls > 1000)
    findings.done()
