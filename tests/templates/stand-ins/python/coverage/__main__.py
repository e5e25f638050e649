"""`coverage run --source=FOLDER -m MODULE ...` and `coverage json -q -o FILE`, with the lines that have code as statements."""

import atexit
import json
import os
import pathlib
import runpy
import sys

data = pathlib.Path(os.environ.get("COVERAGE_FILE", ".coverage"))


def list_statements(file):
    lines, waiting = set(), [compile(file.read_text(), str(file), "exec")]
    while waiting:
        code = waiting.pop()
        lines |= {line for _, _, line in code.co_lines() if line}
        waiting += [inner for inner in code.co_consts if hasattr(inner, "co_code")]
    return lines


if sys.argv[1] == "json":
    source, seen = json.loads(data.read_text())
    covered = statements = 0
    for file in sorted(pathlib.Path(source).rglob("*.py")):
        here = list_statements(file)
        statements += len(here)
        covered += len(here & set(seen.get(str(file.resolve()), [])))
    share = 100 * covered / statements if statements else 0
    totals = {"num_statements": statements, "covered_lines": covered, "percent_covered": share}
    pathlib.Path(sys.argv[sys.argv.index("-o") + 1]).write_text(json.dumps({"totals": totals}))
else:
    source = next(word.split("=")[1] for word in sys.argv if word.startswith("--source="))
    root, seen = str(pathlib.Path(source).resolve()) + "/", {}

    def trace(frame, event, _):
        name = os.path.abspath(frame.f_code.co_filename)
        if not name.startswith(root):
            return None
        seen.setdefault(name, set()).add(frame.f_lineno)
        return trace

    def keep():
        sys.settrace(None)
        data.write_text(json.dumps([source, {name: sorted(lines) for name, lines in seen.items()}]))

    atexit.register(keep)
    at = sys.argv.index("-m")
    sys.argv = sys.argv[at + 1 :]
    sys.path.insert(0, os.getcwd())
    sys.settrace(trace)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
