# SPDX-License-Identifier: GPL-2.0-only
"""Reads what `optee-top check` prints, strictly: JSON, TAP and JUnit become the same.

As a program, `reports.py FORMAT FILE` prints it in one form, for the unit tests."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from typing import Callable, Mapping, NamedTuple, Sequence


class Verdict(NamedTuple):
    rule: str  # with its argument
    verdict: str  # pass, fail, unknown
    found: str
    evidence: Sequence[str]


class Malformed(Exception):
    """This is not what the format wants."""


TOP = ("schema", "source", "seconds", "calls", "command_status", "verdict", "rules")
RULE = ("rule", "argument", "verdict", "found", "evidence")
ELEMENTS = {"system-out": "pass", "failure": "fail", "error": "unknown"}


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Malformed(what)


def read_json(text: str) -> list[Verdict]:
    top = json.loads(text)
    need(tuple(top) == TOP and top["schema"] == "optee-top/1", f"the keys are {list(top)}")
    rules = []
    for rule in top["rules"]:
        need(tuple(rule) == RULE, f"the keys of a rule are {list(rule)}")
        name = " ".join(word for word in (rule["rule"], rule["argument"]) if word is not None)
        rules.append(Verdict(name, rule["verdict"], rule["found"], rule["evidence"]))
    need(top["verdict"] == ("pass" if all(r.verdict == "pass" for r in rules) else "fail"),
         f"the verdict is {top['verdict']}")
    return rules


def read_tap(text: str) -> list[Verdict]:
    """TAP 13, as far as it is used: a plan, and a YAML block behind each test."""
    lines = text.split("\n")
    need(lines[0] == "TAP version 13" and lines[-1] == "", "no TAP 13")
    plan = re.fullmatch(r"1\.\.(\d+)", lines[1])
    if plan is None:
        raise Malformed(f"no plan: {lines[1]}")
    rules: list[Verdict] = []
    at = 2
    while at < len(lines) - 1:
        test = re.fullmatch(r"(not )?ok (\d+) - ([^#\\]+)", lines[at])
        if test is None or int(test[2]) != len(rules) + 1 or lines[at + 1] != "  ---":
            raise Malformed(f"no test: {lines[at]!r}")
        end = lines.index("  ...", at)
        yaml, evidence = {}, []
        for line in lines[at + 2:end]:
            item = re.fullmatch(r'    - (".*")', line)
            pair = re.fullmatch(r"  (\w+):(?: (.+))?", line)
            need(item is not None or pair is not None, f"no YAML: {line!r}")
            if item:
                evidence.append(json.loads(item[1]))  # a double-quoted scalar is JSON's string
            elif pair:
                yaml[pair[1]] = pair[2]
        need(list(yaml) == ["verdict", "found", "evidence"], f"the keys are {list(yaml)}")
        need((yaml["evidence"] is None) == bool(evidence), f"evidence: {yaml['evidence']}")
        need((test[1] is None) == (yaml["verdict"] == "pass"), f"{lines[at]}: {yaml['verdict']}")
        rules.append(Verdict(test[3], yaml["verdict"], json.loads(yaml["found"]), evidence))
        at = end + 1
    need(int(plan[1]) == len(rules), f"{len(rules)} tests, {plan[1]} planned")
    return rules


def read_junit(text: str) -> list[Verdict]:
    root = ElementTree.fromstring(text.encode())
    need(root.tag == "testsuites" and [s.tag for s in root] == ["testsuite"], "no one suite")
    rules = []
    for case in root[0]:
        need(case.tag == "testcase" and len(case) == 1, f"no test case: {case.tag}")
        found, *evidence = (case[0].text or "").split("\n")[:-1]
        need(case[0].get("message", found) == found, f"another message: {case[0].attrib}")
        rules.append(Verdict(case.get("name", ""), ELEMENTS[case[0].tag], found, evidence))
    for of in root, root[0]:
        have = [sum(r.verdict == v for r in rules) for v in ("fail", "unknown")]
        need([int(of.get(k, "")) for k in ("tests", "failures", "errors")] == [len(rules), *have],
             f"the figures of {of.tag} are {of.attrib}")
    return rules


def read_table(text: str) -> list[Verdict]:
    rules: list[Verdict] = []
    *lines, last = text.splitlines()
    for line in lines:
        rule = re.fullmatch(r"(PASS|FAIL|UNKNOWN) +(\S.*?)  +(\S.*)", line)
        if rule:
            rules.append(Verdict(rule[2], rule[1].lower(), rule[3], []))
        else:
            need(line.startswith(" " * 13) and bool(rules), f"no evidence: {line!r}")
            rules[-1] = rules[-1]._replace(evidence=[*rules[-1].evidence, line[13:]])
    good = sum(r.verdict == "pass" for r in rules)
    need(last.startswith(f"{'pass' if good == len(rules) else 'fail'}: {good} of {len(rules)} "),
         f"the last line is {last!r}")
    return rules


READERS: Mapping[str, Callable[[str], list[Verdict]]] = {
    "json": read_json, "tap": read_tap, "junit": read_junit, "table": read_table}


def main() -> None:
    with open(sys.argv[2], encoding="utf-8", newline="") as f:
        for rule in READERS[sys.argv[1]](f.read()):
            print(f"{rule.verdict}|{rule.rule}|{rule.found}")
            for line in rule.evidence:
                print(f"+{line}")


if __name__ == "__main__":
    main()
