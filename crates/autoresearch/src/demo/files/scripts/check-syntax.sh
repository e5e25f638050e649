#!/bin/sh
# A small parser: every bracket in the sources is closed, in the right order.
set -eu
find src -name '*.ts' | while read -r file; do
  awk -v file="$file" '
    {
      for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "(" || c == "[" || c == "{") stack = stack c
        if (c == ")" || c == "]" || c == "}") {
          open = substr(stack, length(stack))
          want = c == ")" ? "(" : c == "]" ? "[" : "{"
          if (open != want) { print file ":" NR ": unexpected " c > "/dev/stderr"; bad = 1; exit 1 }
          stack = substr(stack, 1, length(stack) - 1)
        }
      }
    }
    END { if (!bad && stack != "") { print file ": never closed: " stack > "/dev/stderr"; exit 1 } exit bad }
  ' "$file"
done
