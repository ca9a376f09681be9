#!/bin/sh
# Profiles one table of tab-separated values with a heading line: rows, columns, and min, max and mean of every column
# that holds numbers only. Writes report/<name>.md and shows it.
set -eu
table=$1
name=$(basename "$table" .tsv)

# One line for each execution, before anything else is done: whoever counts the lines knows how often this was run.
printf '%s\n' "$table" >> ledger.txt

# The tables are small. A second for each lets a person watch the relay, and gives a kill something to interrupt.
sleep 1

mkdir -p report
awk -F '\t' -v table="$table" '
  NR == 1 { columns = NF; for (i = 1; i <= NF; i++) { heading[i] = $i; numeric[i] = 1 } next }
  {
    rows++
    for (i = 1; i <= columns; i++) {
      if ($i !~ /^[+-]?[0-9]+([.][0-9]+)?$/) { if ($i != "") numeric[i] = 0; continue }
      value = $i + 0
      if (!(i in count) || value < min[i]) min[i] = value
      if (!(i in count) || value > max[i]) max[i] = value
      count[i]++
      sum[i] += value
    }
  }
  END {
    printf "# %s\n\n%d rows, %d columns\n\n", table, rows, columns
    print "| column | values | min | max | mean |"
    print "| --- | --- | --- | --- | --- |"
    for (i = 1; i <= columns; i++) {
      if (numeric[i] && count[i] > 0)
        printf "| %s | %d | %.10g | %.10g | %.10g |\n", heading[i], count[i], min[i], max[i], sum[i] / count[i]
      else
        printf "| %s | text | | | |\n", heading[i]
    }
  }
' "$table" > "report/$name.md.new"
mv "report/$name.md.new" "report/$name.md"
cat "report/$name.md"
