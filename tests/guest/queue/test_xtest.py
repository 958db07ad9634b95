# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE's own tests, with and without optee-top attached."""

from concurrent.futures import ThreadPoolExecutor

from ..lib import frames, vm, xtest
from ..lib.registry import Context, Findings, test

# Names are matched as substrings: regression_1000 to _1040, but for 1013, which takes as long as
# all others.
ALL = "_100 _1010 _1011 _1012 _1014 _1015 _1016 _1017 _1018 _1019 _102 _103 _1040"
SOME = "_1001 _1002 _1005 _1007 _1008 _1009 _1012 _102"


def same(context: Context, tests: str, passed: int, calls: int) -> None:
    """The same tests pass, at least so many, with so many calls, and as many subtests are run."""
    with ThreadPoolExecutor() as pool:
        bare = pool.submit(vm.run, context, f"{xtest.SCRIPT} xtest_run bare {tests}\n", tag="bare",
                           gets=["bare.xtest"], seconds=900)
        watched = vm.run(context, f"{xtest.SCRIPT} top_start -d 1; xtest_run watched {tests}\n"
                         "top_stop\n", tag="watched", gets=["watched.xtest", "top.jsonl"],
                         seconds=900)
    want = xtest.parse(bare.result().read("bare.xtest"))
    have = xtest.parse(watched.read("watched.xtest"))
    findings = Findings()
    findings.equal("beside a run without optee-top", xtest.difference(have, want), "")
    findings.true(f"only {want.passed} tests passed", want.passed >= passed)
    seen = frames.load(watched.files["top.jsonl"])
    frames.check_sane(findings, seen)
    saw = seen[-1]["pools"][0]["class_sums"]["normal"]["calls"]
    findings.true(f"optee-top saw {saw} calls only", saw > calls)
    findings.done()


@test(slots=2)
def xtest_same(context: Context) -> None:
    same(context, SOME, 15, 200)


@test(slots=2, check_all=True)
def xtest_same_all(context: Context) -> None:
    """More of the tests of which xtest_same runs some."""
    same(context, ALL, 35, 1000)
