"""Runs the functions test_* of the files test_*.py: 0 all passed, 1 some failed, 2 one did not load, 5 none there."""

import importlib
import os
import pathlib
import sys
import time
import traceback
import xml.etree.ElementTree as tree

words, paths, plugins, report = sys.argv[1:], [], [], None
only_collect = stop_at_first = False
while words:
    word = words.pop(0)
    if word == "-p":
        name = words.pop(0)
        plugins += [] if name.startswith("no:") else [importlib.import_module(name)]
    elif word.startswith("--junitxml="):
        report = word.split("=", 1)[1]
    elif word == "--collect-only":
        only_collect = True
    elif word == "-x":
        stop_at_first = True
    elif word == "-q":
        pass
    elif word.startswith("-"):
        sys.exit("pytest (stand-in): unknown option " + word)
    else:
        paths.append(pathlib.Path(word))

sys.path.insert(0, os.getcwd())
if hasattr(time, "tzset"):
    time.tzset()
items = []
for file in sorted(file for path in paths for file in path.rglob("test_*.py")):
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        module = importlib.import_module(file.stem)
    except Exception:
        traceback.print_exc()
        sys.exit(2)
    items += [(name, call) for name, call in vars(module).items() if name.startswith("test")]
for plugin in plugins:
    plugin.pytest_collection_modifyitems(items)
if not items:
    print("no tests ran")
    sys.exit(5)
if only_collect:
    print(len(items), "tests collected")
    sys.exit(0)
failed = 0
for name, call in items:
    try:
        call()
    except Exception:
        failed += 1
        print("FAILED", name)
        traceback.print_exc()
        if stop_at_first:
            break
if report:
    suites = tree.Element("testsuites")
    tree.SubElement(suites, "testsuite", tests=str(len(items)), failures=str(failed), errors="0", skipped="0")
    tree.ElementTree(suites).write(report)
print(f"{failed} failed, {len(items) - failed} passed")
sys.exit(1 if failed else 0)
