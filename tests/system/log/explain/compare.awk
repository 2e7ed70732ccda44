# Compares what mtrkctl explain --batch answered with the rows of a log. Files: expected.tsv, the answers.
function field(name,   value) {
  if (!match($0, "\"" name "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
  value = substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
  gsub(/\\"/, "\"", value); gsub(/\\\\/, "\\", value)
  return value
}
NR == FNR { if ($1 == log_name) want[$2 "\t" $3] = $4 "\t" $5 "\t" $6; next }
{
  row = field("queue_id") "\t" field("recipient")
  if (!(row in want)) { print "not asked for: " $0; bad = 1; next }
  split(want[row], w, "\t")
  action = field("action"); status = field("status"); remote = field("remote_mta")
  ok = action == w[1]
  if (w[2] != "*" && action != "opaque" && action != "expanded") {
    n = split(w[2], choice, "|"); hit = 0
    for (i = 1; i <= n; i++) if (status == choice[i]) hit = 1
    ok = ok && hit
  }
  if (w[3] == "none") ok = ok && remote == ""
  else if (w[3] ~ /^\?/) ok = ok && (remote == "" || remote == substr(w[3], 2))
  else if (w[3] != "-" && w[3] != "*") ok = ok && remote == w[3]
  if (!ok) { print row ": want " want[row] ", got " action "\t" status "\t" remote; bad = 1 }
  seen[row] = 1
}
END {
  for (row in want) { rows++; if (!(row in seen)) { print "no answer: " row; bad = 1 } }
  if (!bad) print log_name ": " rows " rows agree"
  exit bad
}
