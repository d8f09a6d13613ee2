// Search, filters and order of the ledger. They stand in the address; rows that are not shown are
// hidden, and so out of the tab order. Without this script the page is the plain table.
document.addEventListener("DOMContentLoaded", () => {
  const STEP = 50;
  const box = document.querySelector("div.rederive-filter");
  const table = document.querySelector("table.ledger");
  const body = table.tBodies[0];
  const text = (row, css) => row.querySelector(css)?.textContent ?? "";
  const wordsOf = (row) => {
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode.data);
    return found.join(" ").toLowerCase();
  };
  const rows = [...body.rows].map((row, place) => ({
    row,
    place,
    words: wordsOf(row),
    section: text(row, ".place").split(",")[0],
    group: row.querySelector(".place").dataset.group,
    evidence: text(row, "span.evidence"),
    verdict: text(row, "td > span.verdict, .change > span.verdict:last-child"),
  }));
  const fields = Object.fromEntries([...box.querySelectorAll("[name]")].map((f) => [f.name, f]));
  const [count, more] = [box.querySelector("output"), document.createElement("button")];
  let [column, sign, limit] = [-1, 1, STEP];

  for (const name of ["section", "group"]) {
    for (const value of new Set(rows.map((each) => each[name]))) {
      if (value) fields[name].add(new Option(value));
    }
  }

  const number = (words) => Number.parseFloat(words.replace(/^[^\d.-]*/, ""));
  const key = (each) => {
    const words = each.row.cells[column].textContent.trim();
    return Number.isNaN(number(words)) ? words : number(words);
  };
  const compare = (a, b) => {
    const mixed = typeof a.key !== typeof b.key; // numbers before words
    if (mixed) return typeof a.key === "number" ? -1 : 1;
    const order = typeof a.key === "number" ? a.key - b.key : a.key.localeCompare(b.key);
    return sign * order || a.place - b.place;
  };
  const escaped = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // A number is found as a whole: 0.05 is not in 0.055.
  const test = (word) =>
    /^[-\d.]+$/.test(word)
      ? new RegExp(`(?<![\\d.])${escaped(word)}(?![\\d]|\\.\\d)`)
      : new RegExp(escaped(word));

  const show = () => {
    const wanted = fields.text.value.toLowerCase().split(/\s+/).filter(Boolean).map(test);
    const kept = rows.filter(
      (each) =>
        wanted.every((one) => one.test(each.words)) &&
        ["section", "group", "evidence", "verdict"].every(
          (name) => !fields[name].value || fields[name].value === each[name],
        ),
    );
    if (column >= 0) for (const each of kept) each.key = key(each);
    kept.sort(column >= 0 ? compare : (a, b) => a.place - b.place);
    for (const { row } of rows) row.hidden = true;
    for (const { row } of kept.slice(0, limit)) {
      row.hidden = false;
      body.append(row);
    }
    const shown = Math.min(limit, kept.length);
    count.textContent = `${shown} of ${kept.length} rows`;
    more.hidden = shown === kept.length;
    more.textContent = `Show ${Math.min(STEP, kept.length - shown)} more`;
  };
  const keep = () => {
    const state = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) {
      if (field.value) state.set(name, field.value);
    }
    if (column >= 0) state.set("sort", `${sign < 0 ? "-" : ""}${column}`);
    const query = state.size ? `?${state}` : location.pathname;
    history.replaceState(null, "", query + location.hash);
  };
  const mark = () => {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const order = sign < 0 ? "descending" : "ascending";
      head.ariaSort = place === column ? order : "none";
    });
  };
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.parentElement !== body) return;
    if (target.hidden) {
      for (const field of Object.values(fields)) field.value = "";
      [column, limit] = [-1, STEP * Math.ceil((rows.findIndex((r) => r.row === target) + 1) / STEP)];
      mark();
      show();
    }
    target.querySelector("details").open = true;
    target.scrollIntoView({ block: "center" });
  };

  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Upwards, downwards, as printed.
      if (column !== place) [column, sign] = [place, 1];
      else if (sign > 0) sign = -1;
      else [column, sign] = [-1, 1];
      mark();
      keep();
      show();
    });
  });
  more.className = "rederive-more";
  more.addEventListener("click", () => {
    limit += STEP;
    show();
  });
  table.parentElement.after(more);
  box.addEventListener("input", () => {
    limit = STEP;
    keep();
    show();
  });
  const given = new URLSearchParams(location.search);
  for (const [name, field] of Object.entries(fields)) field.value = given.get(name) ?? "";
  if (given.has("sort")) {
    column = Math.abs(Number.parseInt(given.get("sort"), 10));
    sign = given.get("sort").startsWith("-") ? -1 : 1;
    if (!(column < table.tHead.rows[0].cells.length)) column = -1;
  }
  window.addEventListener("hashchange", reveal);
  // On paper every row is there.
  window.addEventListener("beforeprint", () => rows.forEach(({ row }) => (row.hidden = false)));
  window.addEventListener("afterprint", show);
  box.hidden = false;
  mark();
  show();
  reveal();
});
