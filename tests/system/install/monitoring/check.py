#!/usr/bin/python3
"""Checks contrib/monitoring against what the programs export: check.py FOLDER EXPORTED [RULES]

FOLDER has alerts.yml and grafana.json; EXPORTED is text in the format of Prometheus, from mtqpd and mtrk-textfile.
Complaints go to standard output, and then the exit status is 1. RULES is written for promtool: the expressions of the
dashboard as rules. It needs nothing but Python's own library.
"""
import json
import pathlib
import re
import sys

NAME = re.compile(r"\b(?:mtqpd|mtrk)_[a-z_]+\b")
ELSEWHERE = re.compile(r"\b(?:up|node_systemd_unit_state)\b")  # Prometheus itself, and the node exporter
VARIABLES = {"$__rate_interval": "5m", "$instance": ".*", "$node": ".*"}
complaints = []


def exported(text):
    """The names of the samples, and the types by name."""
    names, types = set(), {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
        elif line and not line.startswith("#"):
            names.add(re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line).group())
    return names, types


def check_expression(where, expression, names):
    said = re.sub(r'"[^"]*"', "", expression)
    for name in NAME.findall(said):
        if name not in names:
            complaints.append(f"{where}: {name} is exported by nobody")
    if not NAME.search(said) and not ELSEWHERE.search(said):
        complaints.append(f"{where}: no metric in: {expression}")
    if re.search(r"\b(?:rate|increase|resets)\((?!\w+_total\b)", said):
        complaints.append(f"{where}: a rate of what is no counter: {expression}")


def check_alerts(text, names):
    alerts = re.split(r"(?m)^ {6}- alert: ", text)[1:]
    seen = [alert.split("\n", 1)[0] for alert in alerts]
    if len(seen) < 20 or len(set(seen)) != len(seen):
        complaints.append(f"alerts.yml: alerts are missing or doubled: {seen}")
    for name, alert in zip(seen, alerts):
        fields = dict(re.findall(r"(?m)^ {8,10}(expr|for|labels|summary|description): (.+)$", alert))
        for field in ("expr", "labels", "summary", "description"):
            if field not in fields:
                complaints.append(f"alerts.yml: {name} has no {field}")
        check_expression(f"alerts.yml: {name}", fields.get("expr", ""), names)
        for field in ("summary", "description"):
            if not re.fullmatch(r'"\S+( \S+){5,}\."', fields.get(field, "")):
                complaints.append(f"alerts.yml: {name}: the {field} is no sentence: {fields.get(field)}")
    return seen


def check_dashboard(board, names):
    """What Grafana needs to load it and to show it without panels on top of each other."""
    for field in ("uid", "title", "schemaVersion", "panels", "templating", "time"):
        if field not in board:
            complaints.append(f"grafana.json: no {field}")
    if board.get("id") is not None or board.get("__inputs"):
        complaints.append("grafana.json: it is bound to one Grafana (id or __inputs)")
    variables = {variable["name"] for variable in board["templating"]["list"]}
    cells, ids, expressions = {}, set(), []
    for panel in board["panels"]:
        where = f"grafana.json: {panel['title']}"
        if panel["id"] in ids:
            complaints.append(f"{where}: its id is another panel's, too")
        ids.add(panel["id"])
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            complaints.append(f"{where}: wider than the page")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in cells:
                    complaints.append(f"{where}: lies on {cells[x, y]}")
                cells[x, y] = panel["title"]
        if panel["type"] == "row":
            continue
        if not panel.get("description", "").endswith("."):
            complaints.append(f"{where}: no sentence describes it")
        if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
            complaints.append(f"{where}: a refId is there twice")
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${datasource}":
                complaints.append(f"{where}: its data source is fixed")
            expressions.append(target["expr"])
            check_expression(where, target["expr"], names)
            for variable in re.findall(r"\$([a-z]\w*)", target["expr"]):
                if variable not in variables:
                    complaints.append(f"{where}: there is no variable {variable}")
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            check_expression(f"grafana.json: variable {variable['name']}", variable["query"]["query"], names)
    shown = " ".join(expressions)
    for name in sorted(names):
        if name.startswith("mtqpd_") and not re.search(rf"\b{name}\b", shown):
            complaints.append(f"grafana.json: nothing shows {name}")
    return expressions


def main():
    folder = pathlib.Path(sys.argv[1])
    names, types = exported(pathlib.Path(sys.argv[2]).read_text())
    for name in names:
        if types.get(name.removesuffix("_total"), types.get(name)) not in ("counter", "gauge"):
            complaints.append(f"{name} has no type")
    alerts = check_alerts((folder / "alerts.yml").read_text(), names)
    board = json.loads((folder / "grafana.json").read_text())
    expressions = check_dashboard(board, names)
    if len(sys.argv) > 3:
        rules = []
        for i, expression in enumerate(expressions):
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            rules.append({"record": f"panel:{i}", "expr": expression})
        # JSON is YAML as well.
        pathlib.Path(sys.argv[3]).write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    print("\n".join(complaints), end="\n" if complaints else "")
    print(f"{len(names)} metrics, {len(alerts)} alerts, {len(board['panels'])} panels, {len(expressions)} expressions")
    return 1 if complaints else 0


sys.exit(main())
