# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE's own tests, with and without optee-top attached."""

from concurrent.futures import ThreadPoolExecutor

from . import frames, vm, xtest
from .registry import Context, Findings, test

# Names are matched as substrings: regression_1000 to _1040, but for 1013, which takes as long as
# all others.
TESTS = "_100 _1010 _1011 _1012 _1014 _1015 _1016 _1017 _1018 _1019 _102 _103 _1040"
BARE = f"{xtest.SCRIPT} xtest_run bare {TESTS}\n"
WATCHED = f"{xtest.SCRIPT} top_start -d 1; xtest_run watched {TESTS}; top_stop\n"


@test(slots=2)
def xtest_same(context: Context) -> None:
    """The same tests pass, and as many subtests are run."""
    with ThreadPoolExecutor() as pool:
        bare = pool.submit(vm.run, context, BARE, tag="bare", gets=["bare.xtest"], seconds=900)
        watched = vm.run(context, WATCHED, tag="watched", gets=["watched.xtest", "top.jsonl"],
                         seconds=900)
    want = xtest.parse(bare.result().read("bare.xtest"))
    have = xtest.parse(watched.read("watched.xtest"))
    findings = Findings()
    findings.equal("beside a run without optee-top", xtest.difference(have, want), "")
    findings.true(f"only {want.passed} tests passed", want.passed >= 35)
    seen = frames.load(watched.files["top.jsonl"])
    frames.check_sane(findings, seen)
    calls = seen[-1]["pools"][0]["class_sums"]["normal"]["calls"]
    findings.true(f"optee-top saw {calls} calls only", calls > 1000)
    findings.done()
