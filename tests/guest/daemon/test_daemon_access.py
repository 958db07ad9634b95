# SPDX-License-Identifier: GPL-2.0-only
"""Who may use the daemon, what it has given up, what is in its way, and its file of options."""

import re
from typing import Mapping

from ..lib import daemon, frames, vm
from ..lib.registry import Context, Findings, test
from ..lib.cases import FAILURE, PRIVILEGE, RUN, USAGE, Case, Result, check_case, results


def by(user: str, words: str) -> str:
    return f'su {user} -s /bin/sh -c "{words}"'


BEFORE = (
    Case("none_member", by("member", "optee-top -b -n 1"), PRIVILEGE, r"root|CAP_"),
    Case("none_root", "optee-top --json -n 1", 0, r"^$"),
)
# The daemon has run for more than 5 s by then: frames of own probes begin at 2.
WITH = (
    Case("member", by("member", "optee-top --json -n 1"), 0, r"^$"),
    Case("root", "optee-top --json -n 1", 0, r"^$"),
    Case("nobody", by("nobody", "optee-top --json -n 1"), PRIVILEGE,
         rf"cannot use the daemon at '{daemon.SOCKET}': Permission denied; be a member"),
    Case("nobody_events", by("nobody", "optee-top events"), PRIVILEGE, r"Permission denied"),
    Case("nobody_check", by("nobody", "optee-top check --live 1"), PRIVILEGE, r"Permission den"),
    Case("member_half", by("member", "optee-top --json -d 0.5 -n 1"), PRIVILEGE,
         r"cannot have a delay below 1 s from the daemon at .*: only root can"),
    Case("member_reserved", by("member", "optee-top --json -n 1 --reserved 1"), PRIVILEGE,
         r"cannot have --reserved from the daemon"),
    Case("member_kprobes", by("member", "optee-top --json -n 1 --kprobes"), PRIVILEGE,
         r"cannot have --kprobes from the daemon"),
    Case("member_shadow", by("member", "optee-top --json -n 1 --shadow x.o"), PRIVILEGE,
         r"cannot have --shadow from the daemon"),
    Case("member_direct", by("member", "optee-top --json -n 1 --direct"), PRIVILEGE, r"root|CAP_"),
    Case("root_half", "optee-top --json -d 0.5 -n 1", 0, r"^$"),
    Case("root_reserved", "optee-top --json -n 1 --reserved 1", 0, r"^$"),
    Case("root_kprobes", "optee-top --json -n 1 --kprobes", 0, r"^$"),
    Case("root_direct", "optee-top --json -n 1 --direct", 0, r"^$"),
    Case("again", "optee-top daemon", FAILURE,
         rf"cannot listen on '{daemon.SOCKET}': another daemon"),
    Case("again_http", "optee-top daemon --socket /tmp/other.sock --listen 9470", FAILURE,
         r"cannot listen on '9470': Address already in use"),
    Case("daemon_member", by("member", "optee-top daemon --socket /tmp/out/m.sock"), PRIVILEGE,
         r"root|CAP_"),
)
HTTP = "--socket /tmp/http.sock"
# All the places that one user may have, by clients that never read.
CROWD = r"""
client crowd "crowd /tmp/http.sock 128 /tmp/out/crowded stuck"
wait_for 60 test -e /tmp/out/crowded
"""
FULL = (
    Case("full_member", by("member", f"optee-top --json -n 1 {HTTP}"), FAILURE,
         r"cannot use the daemon at '/tmp/http.sock': it is full: you have all the clients"),
    Case("full_check", by("member", f"optee-top check --live 1 {HTTP}"), FAILURE, r"it is full"),
    Case("full_root", f"optee-top --json -n 1 {HTTP}", 0, r"^$"),
)
CROWD_ENDS = r"""
metric optee_top_clients_refused_total >/tmp/refused
kill -TERM $(cat /tmp/out/crowd.pid)
wait $(cat /tmp/out/crowd.pid) || die "crowd ended with $?: $(cat /tmp/out/crowd.err)"
"""
WAY = r"""
mkdir -p -m 755 /tmp/way/directory /tmp/way/ro
echo kept >/tmp/way/file
echo kept >/tmp/way/directory/file
ln -s /tmp/way/file /tmp/way/link
mount -t tmpfs -o ro none /tmp/way/ro
# A socket that somebody listens on, who has no lock.
rm /tmp/way/alive.lock
"""
IN_THE_WAY = (
    Case("way_file", "optee-top daemon --socket /tmp/way/file", FAILURE,
         r"cannot listen on '/tmp/way/file': it exists and is not a socket"),
    Case("way_link", "optee-top daemon --socket /tmp/way/link", FAILURE, r"'/tmp/way/link'"),
    Case("way_directory", "optee-top daemon --socket /tmp/way/directory", FAILURE,
         r"cannot listen on '/tmp/way/directory'"),
    Case("way_alive", "optee-top daemon --socket /tmp/way/alive", FAILURE,
         r"cannot listen on '/tmp/way/alive'.*listens"),
    Case("way_ro", "optee-top daemon --socket /tmp/way/ro/socket", FAILURE,
         r"cannot listen on '/tmp/way/ro/socket': Read-only file system"),
    Case("way_nowhere", "optee-top daemon --socket /tmp/no/where/socket", FAILURE,
         r"cannot listen on '/tmp/no/where/socket': No such file"),
    Case("way_long", f"optee-top daemon --socket /tmp/{'x' * 200}", FAILURE, r"File name too long"),
    Case("listen_name", "optee-top daemon --socket /tmp/o --listen localhost:1", USAGE,
         r"cannot listen on 'localhost:1'"),
    Case("user", "optee-top daemon --user nosuch", USAGE, r"cannot run as 'nosuch'"),
    Case("group", "optee-top daemon --group nosuch", USAGE, r"cannot use the group 'nosuch'"),
)
CONFIGS = {"unknown": "group watchers\nno-such 1\n", "value": "# a comment\n\nlog\n",
           "flag": "log-csv yes\n", "number": "log-interval 0\n", "not_here": "json\n",
           "binary": "\\000\\377\\001"}
CONFIG = "".join("printf '%s' >/tmp/way/%s.conf\n" % (text.replace("\n", "\\n"), name)
                 for name, text in CONFIGS.items())
BAD_CONFIGS = tuple(
    Case(f"config_{name}", f"optee-top daemon --config /tmp/way/{name}.conf", status, says)
    for name, status, says in (
        ("unknown", USAGE, r"'no-such' is not an option that this file may set\n.*'/tmp/way/unknown.conf': see line 2"),
        ("value", USAGE, r"'log' needs a value.*\n.*see line 3"),
        ("flag", USAGE, r"'log-csv' takes no value.*\n.*see line 1"),
        ("number", USAGE, r"'log-interval 0'.*\n.*see line 1"),
        ("not_here", USAGE, r"'json'.*\n.*see line 1"),
        ("missing", FAILURE, r"cannot read '/tmp/way/missing.conf': No such file"),
        ("binary", USAGE, r"cannot use '/tmp/way/binary.conf': it has a NUL byte.*see line 1"),
    ))
GOOD_CONFIG = r"""
daemon_stop
printf '# ours\n  group watchers # who may\nlisten\t/tmp/way/metrics\nstarved 0.5\n' >/tmp/way/good.conf
daemon_start --config /tmp/way/good.conf --group member
stat -c '%u %g %a' $SOCKET /tmp/way/metrics >/tmp/good
daemon_stop
[ ! -e /tmp/way/metrics ] || die "a socket is left"
daemon_start --config /tmp/way/good.conf
stat -c '%u %g %a' $SOCKET >>/tmp/good
daemon_stop
"""
# What an ordinary user has put in root's way: a link on the path of the log, which root would
# follow and give the daemon a directory in /etc, and one where root exports to. And the end:
# SIGTERM while no worker runs.
TRAPS = r"""
echo 1 >/proc/sys/fs/protected_symlinks
mkdir -m 1777 /tmp/sticky
mkdir -m 755 /tmp/own /roots
ln -s /etc /tmp/own/etc
chown -h member /tmp/own /tmp/own/etc
echo kept >/etc/victim
as member 'ln -s /etc/victim /tmp/sticky/out'
daemon_start --log /tmp/own/etc/log
wait_for 60 said 1 "cannot write '/tmp/own/etc/log': Permission denied"
[ ! -e /etc/log ] || die "root has made a directory where a user's link led it"
daemon_stop
: >/tmp/way/empty.conf
daemon_start --log /roots/log --group watchers --config /tmp/way/empty.conf
wait_for 60 test -s /roots/log/optee-top.jsonl
stat -c '%u %g %a' /roots/log /roots/log/.lock >/tmp/given
kill -KILL "$(worker)"
wait_for 60 said 1 "killed by signal 9"
daemon_stop
[ ! -e $SOCKET ] || die "the socket is left"
"""
TRAPPED = (
    Case("link", "optee-top export --format jsonl --output /tmp/sticky/out /roots/log", FAILURE,
         r"cannot write '/tmp/sticky/out': Permission denied"),
)


def script() -> str:
    def runs(cases: tuple[Case, ...]) -> str:
        return "".join(f"run {c.name} {c.command}\n" for c in cases)

    return (daemon.SCRIPT + RUN + "exec 9<>/dev/tee0\nmkdir -p /tmp/way\n" + runs(BEFORE)
            + "mkdir -p -m 755 /tmp/out/log\n"
            + "daemon_start --group watchers --listen /tmp/way/alive\n"
            + "daemon_one=$DAEMON\n"
            + f"optee-top daemon {HTTP} --listen 9470 --group watchers 2>/tmp/http.err &\n"
            + "HTTP=$!\nold() { [ -n \"$(metric optee_top_snapshots_total)\" ] && "
            + "[ \"$(metric optee_top_snapshots_total)\" -ge 6 ]; }\nwait_for 60 old\n"
            + "stat -c '%u %g %a' $SOCKET >/tmp/socket\n"
            + "cp /proc/$(worker)/status /tmp/status\n"
            + "ls -l /proc/$(worker)/fd >/tmp/fds\n"
            + runs(WITH) + CROWD + runs(FULL) + CROWD_ENDS + WAY + runs(IN_THE_WAY) + CONFIG + runs(BAD_CONFIGS)
            + "kill -TERM $HTTP; wait $HTTP || die 'http'\n"
            + "ls -R /tmp/way >/tmp/ways; cat /tmp/way/file /tmp/way/directory/file >>/tmp/ways\n"
            + "kill -0 $DAEMON || die 'the first daemon has ended'\n"
            + "run still " + by("member", "optee-top --json -n 1") + "\n"
            + GOOD_CONFIG + TRAPS + runs(TRAPPED)
            + "grep -q kept /etc/victim || die 'root has followed a link of a user'\n" + "finish\n")


def check_worker(findings: Findings, text: str) -> None:
    have = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    for key, want in (("Uid", "65534\t" * 3 + "65534"), ("Gid", "900\t" * 3 + "900"),
                      ("Groups", "900 "), ("NoNewPrivs", "1")):
        findings.equal(f"the worker's {key}", have[key], want)
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        findings.equal(f"the worker's {key}", int(have[key], 16), 0)


def check_served(findings: Findings, found: Mapping[str, Result]) -> None:
    """Who is served by the daemon, and who by own probes: theirs begin to count at 1."""
    for name in ("member", "root", "full_root", "still"):
        seq = frames.parse(found[name].out)[0]["seq"]
        findings.true(f"{name}: frame {seq} is not the daemon's", seq > 4)
    for name in ("root_half", "root_reserved", "root_kprobes", "root_direct"):
        seq = frames.parse(found[name].out)[0]["seq"]
        findings.equal(f"{name}: the frame's number", seq, 2)
    half = frames.parse(found["root_half"].out)[0]["interval_ns"] / 1e9
    findings.true(f"-d 0.5 has an interval of {half}", 0.45 < half < 0.6)


@test(long=True)
def daemon_access(context: Context) -> None:
    guest = vm.run(context, script(), "--icount", gets=("results.tar", "socket", "status",
                                                        "ways", "good", "fds", "given",
                                                        "refused"),
                   seconds=400)
    found = results(guest, context.dir / "results")
    findings = Findings()
    for case in (*BEFORE, *WITH, *FULL, *IN_THE_WAY, *TRAPPED):
        check_case(findings, case, found[case.name])
    for case in BAD_CONFIGS:
        findings.equal(f"{case.name}: status", found[case.name].status, case.status)
        findings.true(f"{case.name}: says {found[case.name].err!r}",
                      re.search(case.says, found[case.name].err) is not None)
    findings.equal("owner, group and mode of the socket", guest.read("socket"), b"0 900 660\n")
    findings.equal("of the sockets by a file of options", guest.read("good"),
                   b"0 901 660\n0 901 660\n0 900 660\n")
    findings.equal("clients turned away", guest.read("refused"), b"2\n")
    findings.equal("of the log's directory and its lock", guest.read("given"),
                   b"65534 900 750\n65534 900 600\n")
    check_worker(findings, guest.read("status").decode())
    check_served(findings, found)
    ways = guest.read("ways").decode()
    findings.true(f"in the way were {ways}", ways.endswith("kept\nkept\n")
                  and "\nalive\n" in ways and "\nlink\n" in ways)
    findings.done()
