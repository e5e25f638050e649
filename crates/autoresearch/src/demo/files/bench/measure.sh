# Stands for a benchmark: the cost that src/bench/cost.txt names, with a noise of one per cent that nobody can foresee.
set -eu
noise=$(od -An -N24 -tu2 /dev/urandom | tr -s ' \n' ' ')
cost=$(sed -n 's/^cost //p' src/bench/cost.txt)
# The sum of twelve even numbers is close to a normal one.
awk -v cost="$cost" -v noise="$noise" 'BEGIN {
  count = split(noise, even, " ")
  for (i = 1; i <= count; i++) sum += even[i] / 65536
  printf "%.2f\n", cost * (1 + 0.01 * (sum - count / 2))
}'
