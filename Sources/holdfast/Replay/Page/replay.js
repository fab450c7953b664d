"use strict";
// Everything that the page shows comes from events, which attackers write: it is put in as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rows = data.timeline;
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const severities = ["critical", "high", "medium", "low"];

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "class") element.className = value;
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }
  function draw(name, attributes, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }
  // Times are shown as they stand in the data, in UTC; a number serves for places on axes alone.
  const ms = (time) => Date.parse(time.replace(/(\.\d{3})\d+/, "$1"));
  const short = (time) => time.replace("T", " ").replace(/(\.\d{3})\d+Z/, "$1Z");
  const begin = data.window.from ? ms(data.window.from) : 0;
  const end = Math.max(data.window.to ? ms(data.window.to) : begin, begin + 1);
  const share = (time) => Math.min(1, Math.max(0, (ms(time) - begin) / (end - begin)));
  const tail = (text, length) => (text.length <= length ? text : "…" + text.slice(text.length - length + 1));
  const head = (text, length) => (text.length <= length ? text : text.slice(0, length - 1) + "…");
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  // ---- Summary
  byId("window").textContent = `${short(data.window.from || "")} to ${short(data.window.to || "")} (UTC)`;
  byId("start").textContent = data.start.text;
  const opened = rows.filter((row) => (row.resources || []).some((resource) => resource.opened)).length;
  for (const [value, name] of [
    [data.summary.events, "events read"], [data.summary.changes, "changes"], [data.summary["raw-writes"], "other writes"],
    [opened, "made something more reachable"], [data.summary.findings, "findings"], [data.summary["open-at-end"], "open at the end"],
  ]) byId("summary").append(make("div", { class: "tile" }, make("b", {}, String(value)), make("span", {}, name)));
  byId("versions").textContent = Object.entries(data.versions).map(([name, value]) => `${name} ${value}`).join(" · ");

  // ---- Coverage
  for (const state of ["complete", "partial", "missing"])
    byId("coverage-legend").append(make("span", {}, make("i", { class: state, "aria-hidden": "true" }), state));
  for (const strip of data.coverage.strip) {
    const bar = make("div", { class: "bar", role: "img" });
    const list = make("ul");
    const said = [];
    for (const stretch of strip.stretches) {
      const cell = make("i", { class: stretch.state, title: `${short(stretch.from)} to ${short(stretch.to)}: ${stretch.state}, ${stretch.events} events` });
      cell.style.flexGrow = String(Math.max(ms(stretch.to) - ms(stretch.from), 1));
      bar.append(cell);
      said.push(`${stretch.state} from ${stretch.from} to ${stretch.to}`);
      list.append(make("li", {}, make("b", {}, stretch.state), ` ${short(stretch.from)} to ${short(stretch.to)}, ${plural(stretch.events, "event")}. ${stretch.known}`));
    }
    const name = [strip.cloud, strip.account, strip.region || "no region"].join(" ");
    bar.setAttribute("aria-label", `${name}: ${said.join("; ")}`);
    const events = strip.stretches.reduce((sum, stretch) => sum + stretch.events, 0);
    byId("coverage").append(
      make("div", { class: "strip" }, make("div", { class: "name" }, name, make("br"), make("span", { class: "quiet" }, `${strip.source}, ${plural(events, "event")}`)), bar),
      make("details", { class: "known" }, make("summary", {}, "How that is known"), list));
  }
  for (const note of data.coverage.notes) byId("coverage").append(make("p", { class: "notice" }, note));
  if (data.coverage["unreadable-examples"].length)
    byId("coverage").append(make("details", { class: "known" }, make("summary", {}, `${plural(data.summary.unreadable, "record")} could not be read`),
      make("ul", {}, ...data.coverage["unreadable-examples"].map((text) => make("li", {}, text)))));

  // ---- Exposure: what is open and what is public after each row
  const states = [];
  {
    const open = new Map();
    const reachable = new Map();
    for (const finding of data.findings)
      if (finding.openings.some((opening) => opening["open-at-start"])) open.set(finding.id, finding);
    const now = (time) => ({
      time, findings: [...open.values()], reachable: [...reachable.entries()],
      counts: severities.map((severity) => [...open.values()].filter((finding) => finding.severity === severity).length),
    });
    if (data.window.from) states.push(now(data.window.from));
    for (const row of rows) {
      let changed = false;
      for (const finding of row.findings || []) {
        changed = true;
        if (["opened", "reopened", "changed"].includes(finding.change)) open.set(finding.id, finding);
        else if (["resolved", "deleted", "suppressed"].includes(finding.change)) open.delete(finding.id);
      }
      for (const resource of row.resources || []) {
        const key = resource.id;
        const was = reachable.has(key);
        if (resource.effect === "deletes") reachable.delete(key);
        else if (resource.public) reachable.set(key, resource.type);
        else if (resource.changes) reachable.delete(key);
        changed = changed || was !== reachable.has(key);
      }
      if (changed) states.push(now(row.time));
    }
    if (!states.length) states.push(now(rows.length ? rows[0].time : new Date(begin).toISOString()));
  }
  const width = 1000, height = 150, foot = 20;
  const most = Math.max(1, ...states.map((state) => state.counts.reduce((a, b) => a + b, 0)), ...states.map((state) => state.reachable.length));
  const y = (value) => height - foot - (value / most) * (height - foot - 14);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": "Open findings by severity, and public resources, over the window" });
  {
    // Stacked areas, the most severe at the bottom; steps, for nothing changes between two rows.
    const below = states.map(() => 0);
    severities.forEach((severity, index) => {
      const upper = states.map((state, at) => below[at] + state.counts[index]);
      let path = "";
      const line = (values, reverse) => {
        const points = [];
        values.forEach((value, at) => {
          const x = share(states[at].time) * width;
          const next = at + 1 < states.length ? share(states[at + 1].time) * width : width;
          points.push([x, y(value)], [next, y(value)]);
        });
        return reverse ? points.reverse() : points;
      };
      path = [...line(upper, false), ...line(below, true)].map(([x, at], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${at.toFixed(1)}`).join("") + "Z";
      svg.append(draw("path", { d: path, fill: `var(--${severity})`, "fill-opacity": ".75" }));
      upper.forEach((value, at) => { below[at] = value; });
    });
    let line = "";
    states.forEach((state, at) => {
      const x = share(state.time) * width;
      const next = at + 1 < states.length ? share(states[at + 1].time) * width : width;
      line += `${line ? "L" : "M"}${x.toFixed(1)} ${y(state.reachable.length)}L${next.toFixed(1)} ${y(state.reachable.length)}`;
    });
    svg.append(draw("path", { d: line, fill: "none", stroke: "var(--ink)", "stroke-width": "2", "stroke-dasharray": "5 4", "vector-effect": "non-scaling-stroke" }));
    svg.append(draw("line", { x1: 0, x2: width, y1: height - foot, y2: height - foot, stroke: "var(--line)", "vector-effect": "non-scaling-stroke" }));
  }
  const marker = draw("line", { y1: 4, y2: height - foot, stroke: "var(--accent)", "stroke-width": "2", "vector-effect": "non-scaling-stroke" });
  svg.append(marker);
  const legend = make("p", { class: "legend" });
  for (const severity of severities) {
    const swatch = make("i", {});
    swatch.style.background = `var(--${severity})`;
    legend.append(make("span", {}, swatch, severity));
  }
  const dash = make("i", {});
  dash.style.borderTop = "2px dashed var(--ink)";
  dash.style.height = "6px";
  dash.style.borderRadius = "0";
  legend.append(make("span", {}, dash, "resources that anyone can reach"));
  byId("chart").append(legend, svg);
  const slider = byId("moment");
  slider.max = String(states.length - 1);
  slider.value = slider.max;
  function showMoment() {
    const state = states[Number(slider.value)];
    const x = share(state.time) * width;
    marker.setAttribute("x1", x);
    marker.setAttribute("x2", x);
    slider.setAttribute("aria-valuetext", state.time);
    byId("moment-text").textContent = `${short(state.time)}: ${plural(state.findings.length, "finding")} open` +
      severities.map((severity, index) => (state.counts[index] ? `, ${state.counts[index]} ${severity}` : "")).join("") +
      `; ${plural(state.reachable.length, "resource")} anyone can reach`;
    const findings = make("ul", {}, ...state.findings.slice(0, 12).map((finding) =>
      make("li", {}, make("span", { class: finding.severity }, finding.severity), ` ${finding.rule} `, make("span", { class: "quiet" }, tail(finding.resource, 60)))));
    const reachable = make("ul", {}, ...state.reachable.slice(0, 12).map(([id]) => make("li", { class: "public" }, id)));
    const parts = [];
    if (state.findings.length) parts.push(make("div", {}, make("h3", {}, "Open then"), findings, state.findings.length > 12 ? make("p", { class: "quiet" }, `and ${state.findings.length - 12} more`) : null));
    if (state.reachable.length) parts.push(make("div", {}, make("h3", {}, "Reachable by anyone then"), reachable));
    byId("moment-state").replaceChildren(...parts);
  }
  slider.addEventListener("input", showMoment);
  showMoment();

  // ---- Findings
  byId("findings-count").textContent = data.findings.length ? `${data.findings.length}, ${data.summary["open-at-end"]} open at the end` : "none";
  const shownFindings = data.findings.slice(0, 200);
  for (const finding of shownFindings) {
    const life = make("div", { class: `life ${finding.severity}`, role: "img", "aria-label": finding.openings.map((opening) => `open from ${opening.from} ${opening.to ? "to " + opening.to : "on"}`).join("; ") });
    for (const opening of finding.openings) {
      const bar = make("i", {});
      bar.style.left = `${share(opening.from) * 100}%`;
      bar.style.right = `${(1 - (opening.to ? share(opening.to) : 1)) * 100}%`;
      life.append(bar);
    }
    const first = finding.openings[0] || {};
    const who = first.actor ? `${first.action} by ${(first.chain && first.chain.length ? first.chain[first.chain.length - 1] : first.actor)}` : "no event tells by whom";
    const plan = finding.plan ? (finding.plan.outcome === "plan" ? `; would run ${finding.plan.playbook}` : `; ${finding.plan.outcome}`) : "";
    byId("findings").append(make("div", { class: "finding" }, make("span", {}, make("span", { class: `badge ${finding.severity}` }, finding.severity)),
      make("div", { class: "what" }, finding.rule, make("small", {}, finding.resource), make("small", {}, `${first.from ? "from " + short(first.from) + ", " : ""}${who}${finding.openings.length > 1 ? `, ${finding.openings.length} times` : ""}; ${finding.state}, ${finding.evidence}, ${finding.environment}${plan}`)), life));
  }
  if (data.findings.length > 200) byId("findings").append(make("p", { class: "quiet" }, `and ${data.findings.length - 200} more in the JSON output`));

  // ---- Graph: actor, action, resource
  let chosen = null;
  {
    const writes = rows.filter((row) => ["change", "raw-write", "unseen-change"].includes(row.kind));
    const edges = new Map();
    const count = (map, key, extra) => {
      const known = map.get(key) || { count: 0, hot: false };
      known.count += 1;
      known.hot = known.hot || extra;
      map.set(key, known);
    };
    const actors = new Map(), actions = new Map(), resources = new Map();
    for (const row of writes) {
      const actor = row.origin || "nobody known";
      const hot = (row.resources || []).some((resource) => resource.opened) || (row.findings || []).some((finding) => ["opened", "reopened"].includes(finding.change));
      count(actors, actor, hot);
      count(actions, row.action, hot);
      count(edges, JSON.stringify(["a", actor, row.action]), hot);
      for (const resource of (row.resources || []).filter((resource) => resource.effect !== "relates")) {
        count(resources, resource.id, hot && Boolean(resource.opened));
        count(edges, JSON.stringify(["r", row.action, resource.id]), hot);
      }
    }
    const best = (map, limit) => [...map.entries()].sort((a, b) => Number(b[1].hot) - Number(a[1].hot) || b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1)).slice(0, limit);
    const columns = [
      { title: "actor", field: "actor", x: 10, width: 250, nodes: best(actors, 18) },
      { title: "action", field: "action", x: 330, width: 260, nodes: best(actions, 26) },
      { title: "resource", field: "resource", x: 660, width: 330, nodes: best(resources, 30) },
    ];
    const step = 34;
    const tall = 46 + step * Math.max(1, ...columns.map((column) => column.nodes.length));
    const graph = draw("svg", { viewBox: `0 0 1000 ${tall}`, "aria-hidden": "false" });
    const places = new Map();
    for (const column of columns) {
      const offset = (tall - 36 - step * column.nodes.length) / 2;
      column.nodes.forEach(([name], index) => places.set(`${column.field}\n${name}`, { x: column.x, width: column.width, y: 34 + Math.max(0, offset) + step * index + 12 }));
    }
    for (const [key, edge] of [...edges.entries()].sort((a, b) => Number(a[1].hot) - Number(b[1].hot))) {
      const [kind, from, to] = JSON.parse(key);
      const start = places.get(`${kind === "a" ? "actor" : "action"}\n${from}`);
      const finish = places.get(`${kind === "a" ? "action" : "resource"}\n${to}`);
      if (!start || !finish) continue;
      const x1 = start.x + start.width, middle = (x1 + finish.x) / 2;
      graph.append(draw("path", { d: `M${x1} ${start.y}C${middle} ${start.y} ${middle} ${finish.y} ${finish.x} ${finish.y}`, "stroke-width": Math.min(6, 1 + Math.log2(edge.count)).toFixed(1), class: edge.hot ? "hot" : "" }));
    }
    for (const column of columns) {
      const hidden = { actor: actors, action: actions, resource: resources }[column.field].size - column.nodes.length;
      graph.append(draw("text", { x: column.x, y: 18, class: "head" }, hidden > 0 ? `${column.title} (${hidden} more in the timeline)` : column.title));
      for (const [name, node] of column.nodes) {
        const place = places.get(`${column.field}\n${name}`);
        // Seven and a half units are a wide letter of the widest usual font at this size.
        const label = draw("text", { x: place.x + 8, y: place.y + 4 }, tail(name.replace(".amazonaws.com/", " "), Math.floor((column.width - 16) / 7.4)));
        const group = draw("g", { class: `node${node.hot && column.field === "resource" ? " public" : ""}`, tabindex: "0", role: "button", "aria-pressed": "false", "aria-label": `${column.title} ${name}, ${plural(node.count, "row")}` },
          draw("title", {}, `${name} (${node.count})`), draw("rect", { x: place.x, y: place.y - 13, width: column.width, height: 26, rx: 6 }), label);
        const choose = () => {
          const same = chosen && chosen.field === column.field && chosen.name === name;
          chosen = same ? null : { field: column.field, name };
          for (const other of graph.querySelectorAll(".node")) other.setAttribute("aria-pressed", "false");
          group.setAttribute("aria-pressed", String(!same));
          showRows();
        };
        group.addEventListener("click", choose);
        group.addEventListener("keydown", (event) => {
          if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); }
        });
        graph.append(group);
      }
    }
    if (writes.length) byId("graph").append(graph); else byId("graph").append(make("p", { class: "quiet" }, "No write is in the timeline."));
  }

  // ---- Timeline
  const kinds = [...new Set(rows.map((row) => row.kind))].sort();
  byId("kind").append(make("option", { value: "" }, "all"), ...kinds.map((kind) => make("option", { value: kind }, kind)));
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, JSON.stringify(row).toLowerCase());
    return texts.get(row);
  };
  function value(json) {
    if (json === null) return make("span", { class: "unknown" }, "not there");
    if (typeof json === "object" && !Array.isArray(json) && typeof json.unknown === "string" && Object.keys(json).length === 1)
      return make("span", { class: "unknown" }, `not known: ${json.unknown}`);
    return make("pre", {}, typeof json === "string" ? json : JSON.stringify(json, null, 1));
  }
  function bodyOf(row) {
    const body = make("div", { class: "body" });
    const list = make("dl");
    const add = (name, text) => { if (text) list.append(make("dt", {}, name), make("dd", {}, text)); };
    add("by", row.actor);
    if (row.chain && row.chain.length) add("who is", row.chain.join(", who is "));
    add("from", row["source-ip"]);
    add("through", [row.via, row["user-agent"]].filter(Boolean).join(": "));
    add("where", [row.cloud, row.account, row.region].filter(Boolean).join(" "));
    add("failed", row.error);
    if (row.count) add("how often", `${row.count} times up to ${short(row.last || row.time)}`);
    add("event", row.event);
    add("known by", row.evidence);
    for (const note of row.notes || []) add("note", note);
    body.append(list);
    for (const resource of row.resources || []) {
      body.append(make("p", { class: "resource" }, make("b", {}, resource.effect), ` ${resource.type} `, make("span", {}, resource.id), resource.public ? make("span", { class: "badge public" }, "anyone can reach it") : null));
      for (const way of resource.opened || []) body.append(make("p", { class: way.public ? "public" : "" }, "opened: ", way.way));
      if (resource.changes && resource.changes.length) {
        const lines = resource.changes.map((change) => change.path ? make("tr", {}, make("td", {}, change.path), make("td", { class: "before" }, value(change.before)), make("td", { class: "after" }, value(change.after)))
          : make("tr", {}, make("td", { colspan: "3" }, `and ${change.more} more differences`)));
        body.append(make("table", { class: "diff" }, make("thead", {}, make("tr", {}, make("th", {}, "path"), make("th", {}, "before"), make("th", {}, "after"))), make("tbody", {}, ...lines)));
      }
    }
    for (const finding of row.findings || [])
      body.append(make("p", {}, make("span", { class: `badge ${finding.severity}` }, finding.severity), ` ${finding.change}: ${finding.rule} on ${finding.resource}`, make("br"), make("span", { class: "quiet" }, finding.offending.map((one) => `${one.path}: expected ${one.expected}`).join("; "))));
    for (const plan of row.plans || []) {
      const calls = (plan.calls || []).map((call) => (typeof call === "string" ? call : JSON.stringify(call))).join(", then ");
      body.append(make("p", {}, plan.outcome === "plan" ? `Would run ${plan.playbook} (risk ${plan.risk})${calls ? ": " + calls : ""}.` : `No plan: ${plan.reason || plan.outcome}.`));
      if (plan.guards.length) body.append(make("ul", { class: "guards" }, ...plan.guards.map((guard) => make("li", {}, `${{ pass: "✓ passes", wait: "… waits", refuse: "✗ refuses" }[guard.says]}: ${guard.guard}. ${guard.reason}${guard.remedy ? `; what would let it go on: ${guard.remedy}` : ""}`))));
    }
    return body;
  }
  function rowOf(row) {
    const marks = make("span", { class: "marks" });
    for (const finding of row.findings || []) marks.append(make("span", { class: `badge ${finding.severity}`, title: finding.resource }, `${finding.change} ${finding.rule}`));
    const ways = (row.resources || []).flatMap((resource) => resource.opened || []);
    if (ways.length) marks.append(make("span", { class: "badge public" }, `more reachable: ${head(ways[0].way, 60)}${ways.length > 1 ? `, ${ways.length - 1} more` : ""}`));
    const details = make("details", { class: "row", "data-event": row.event },
      make("summary", {}, make("span", { class: "when" }, short(row.time)), make("span", { class: `kind ${row.kind}` }, row.kind + (row.count ? ` ×${row.count}` : "")),
        make("span", { class: "action" }, row.action || (row.notes || [""])[0]), make("span", { class: "who" }, row.origin || ""), marks));
    details.addEventListener("toggle", () => { if (details.open && !details.querySelector(".body")) details.append(bodyOf(row)); });
    return details;
  }
  let limit = 300;
  function wanted(row) {
    const find = byId("search").value.trim().toLowerCase();
    if (byId("kind").value && row.kind !== byId("kind").value) return false;
    if (byId("opened").checked && !(row.resources || []).some((resource) => resource.opened)) return false;
    if (byId("drifts").checked && !(row.findings || []).length) return false;
    if (find && !textOf(row).includes(find)) return false;
    if (!chosen) return true;
    if (chosen.field === "actor") return (row.origin || "nobody known") === chosen.name;
    if (chosen.field === "action") return row.action === chosen.name;
    return (row.resources || []).some((resource) => resource.id === chosen.name);
  }
  function showRows() {
    const found = rows.filter(wanted);
    const group = byId("group").value;
    const shown = found.slice(0, limit);
    byId("timeline-count").textContent = `${plural(found.length, "row")}${found.length < rows.length ? ` of ${rows.length}` : ""}`;
    byId("chosen").hidden = !chosen;
    if (chosen) byId("chosen").textContent = `Only ${chosen.field} ${chosen.name}`;
    const place = byId("rows");
    place.replaceChildren();
    if (group === "time") place.append(...shown.map(rowOf));
    else {
      const groups = new Map();
      for (const row of shown) {
        const names = group === "actor" ? [row.origin || "nobody known"] : (row.resources || []).filter((resource) => resource.effect !== "relates").map((resource) => resource.id);
        for (const name of names.length ? new Set(names) : ["no resource of the catalog"]) groups.set(name, [...(groups.get(name) || []), row]);
      }
      for (const [name, members] of [...groups.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1)))
        place.append(make("h3", {}, `${name} `, make("span", { class: "quiet" }, plural(members.length, "row"))), ...members.map(rowOf));
    }
    byId("more").hidden = found.length <= limit;
    byId("more").textContent = `Show ${Math.min(found.length - limit, 300)} more`;
    if (data.omitted) place.append(make("p", { class: "notice" }, `${data.omitted} rows are left out of this page, first those without a finding or an opening. All are in the JSON output.`));
  }
  byId("more").addEventListener("click", () => { limit += 300; showRows(); });
  for (const id of ["search", "group", "kind", "opened", "drifts"]) byId(id).addEventListener("input", showRows);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("reset", () => {
    chosen = null;
    for (const node of document.querySelectorAll("#graph .node")) node.setAttribute("aria-pressed", "false");
    setTimeout(showRows);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
    if (event.key !== "j" && event.key !== "k") return;
    const all = [...document.querySelectorAll(".row > summary")];
    const at = all.indexOf(document.activeElement);
    const next = event.key === "j" ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0);
    if (all[next]) all[next].focus();
  });
  showRows();
})();
