# SPDX-License-Identifier: GPL-2.0-only
"""The static program needs no terminfo database on the device for its live view."""

from ..lib import target, vm
from ..lib.registry import Context, Findings, test
from ..lib.terminal import Terminal

# Each live view ends after two frames of the recording; what it says is on the screen.
RUN = r"""
rm -rf /usr/share/terminfo /lib/terminfo /etc/terminfo
for name in linux xterm-256color vt100 tmux; do
	TERM=$name optee-top replay /rec -n 1 --speed 100
	echo "with $name: status $?"
	read -r line
done
TERM=strange optee-top replay /rec
echo "with strange: status $?"
unset TERM
optee-top replay /rec -n 1 | head -n 1 | cut -c 1-20
TERM= optee-top replay /rec -n 1 >/tmp/empty && echo "empty: $(head -n 1 /tmp/empty | cut -c 1-11)"
read -r line
"""


@test()
def terminal_fallback(context: Context) -> None:
    context.dir.mkdir(parents=True, exist_ok=True)
    (context.dir / "guest.sh").write_text(RUN)
    argv = ["env", "OPTEE_TOP_NO_MAKE=1", vm.RUN, "--no-tee", "--kernel", target.KERNEL,
            "--put", f"{context.dir}/guest.sh:/check.sh", "--put", f"{vm.ROOT}/doc/stranded.rec:/rec"]
    if context.binary:
        argv += ["--put", f"{context.binary}:/usr/bin/optee-top"]
    findings = Findings()
    with Terminal([*argv, "--", "sh", "/check.sh"]) as terminal:
        for name in ("linux", "xterm-256color", "vt100", "tmux"):
            terminal.shows(f"with {name}: status ", 120)
            text = terminal.raw.decode(errors="replace")
            findings.true(f"{name}: it did not end well:\n{terminal.text()}",
                          f"with {name}: status 0" in text)
            findings.true(f"{name}: no view was drawn", "frame 2/21" in text
                          or "frame 1/21" in text)
            terminal.raw = b""
            terminal.press("\n")
        terminal.shows("empty: optee-top ", 60)
        text = terminal.raw.decode(errors="replace")
        findings.true(f"an unknown terminal: {text}",
                      "cannot use the terminal 'strange': it is not in the terminfo database; "
                      "use -b" in text or
                      "cannot use the terminal 'strange': there is no terminfo database; "
                      "use -b" in text)
        findings.true(f"the status of that: {text}", "with strange: status 1" in text)
        terminal.press("\n")
    findings.done()
