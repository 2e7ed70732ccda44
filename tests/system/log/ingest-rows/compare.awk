# Compares what TRACK answered with the rows of a log. Files: the rows of expected.tsv, the ids refused after all,
# the answers (envid, final recipient, action, status, remote MTA, in the order of the rows).
FILENAME == ARGV[1] {
  id = $2 "@rows.example"
  want[id, ++rows[id]] = $0
  next
}
FILENAME == ARGV[2] { refused[$1 "@rows.example"] = 1; next }
$1 in refused { if ($2 !~ /^-ERR\/noinfo/) complain("refused after all, but: " $0); ++hidden; next }
{
  n = ++answers[$1]
  if (!(($1, n) in want)) { complain("not asked for: " $0); next }
  split(want[$1, n], row, "\t")
  if (!agrees()) complain("want " want[$1, n] "\n got " $0)
  ++seen
}
END {
  for (id in rows) {
    all += rows[id]
    if (rows[id] != answers[id]) complain(id ": " rows[id] " recipients, " answers[id] + 0 " answers")
  }
  for (id in refused) ++ids
  if (hidden != ids) complain(hidden + 0 " of " ids + 0 " refused messages are unknown")
  if (!bad) print log_name ": " seen + 0 " rows agree" (ids ? ", " ids " refused are unknown" : "")
  exit bad
}

function complain(text) { print text; bad = 1 }

# A line has at most 998 octets; a fold within a word costs a blank.
function unfolded(address) {
  if (length(address) > 900) gsub(/ /, "", address)
  return address
}

# A value has at most 1024 octets (report_field.h); a path in SMTP has 256 (RFC 5321 section 4.5.3.1.3).
function shown(address,   room) {
  room = 1024 - length("rfc822; ")
  return length(address) <= room ? address : substr(address, 1, room - length("[truncated]")) "[truncated]"
}

function agrees(   status, alternatives, n, i) {
  # Other characters than ASCII are written as RFC 6533 asks.
  if (row[3] ~ /^[!-~]+$/ && unfolded($2) != shown(row[3])) return 0
  # What no record of the log names may be left open, but not be made up (sendmail/README.md).
  if (row[7] ~ /^(elimination|duplicate|loop):/ && $3 == "delayed") return 1
  if ($3 != row[4]) return 0
  n = split(row[5], alternatives, "|")
  for (i = 1; i <= n; i++) if (alternatives[i] == $4 || alternatives[i] == "*") status = 1
  if (!status && $3 != "opaque") return 0
  if (row[6] == "none") return $5 == "-"
  if (row[6] == "-" || row[6] == "*") return 1
  if (substr(row[6], 1, 1) == "?") return $5 == "-" || $5 == substr(row[6], 2)
  return $5 == row[6]
}
