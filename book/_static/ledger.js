// The ledger by DataTables: a page of rows at a time. Search, filters and order stand in the
// address. Without scripts the page is the plain table.
document.addEventListener("DOMContentLoaded", () => {
  const ROWS = 50;
  const form = document.querySelector("div.rederive-filter");
  const fields = Object.fromEntries([...form.querySelectorAll("[name]")].map((f) => [f.name, f]));
  const [find, ...filters] = Object.values(fields);
  const given = new URLSearchParams(location.search);

  // Figures: numbers before words, whichever the direction.
  const byFigure = (sign) => (a, b) =>
    typeof a !== typeof b
      ? typeof a === "number" ? -1 : 1
      : sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  DataTable.type("figure", "order", {
    pre: (markup) => {
      const words = String(markup).replace(/<[^>]*>/g, "").trim();
      const value = Number.parseFloat(words.replace(/^[^\d.-]*/, ""));
      return Number.isNaN(value) ? words : value;
    },
    asc: byFigure(1),
    desc: byFigure(-1),
  });
  const [, sign, column] = /^(-?)([0-6])$/.exec(given.get("sort")) ?? [];
  const table = new DataTable("table.ledger", {
    autoWidth: false,
    columnDefs: [{ targets: [1, 2, 3], type: "figure" }],
    language: {
      info: "Rows _START_ to _END_ of _TOTAL_",
      infoEmpty: "No row fits",
      infoFiltered: "(_MAX_ in all)",
      paginate: { previous: "‹ Previous", next: "Next ›" },
      zeroRecords: "No row fits",
    },
    layout: {
      topStart: "info",
      topEnd: null,
      bottomStart: null,
      bottomEnd: { paging: { firstLast: false } },
    },
    order: column ? [[Number(column), sign ? "desc" : "asc"]] : [],
    orderMulti: false,
    pageLength: ROWS,
  });

  const text = (row, css) => row.querySelector(css)?.textContent ?? "";
  const wordsOf = (row) => {
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode.data);
    return found.join(" ").toLowerCase();
  };
  const rows = table.rows({ order: "index" }).nodes().toArray();
  const facts = rows.map((row) => ({
    words: wordsOf(row),
    section: text(row, ".place").split(",")[0],
    group: row.querySelector(".place").dataset.group,
    evidence: text(row, "span.evidence"),
    verdict: text(row, "td > span.verdict, .change > span.verdict:last-child"),
  }));
  for (const name of ["section", "group"]) {
    for (const value of new Set(facts.map((each) => each[name]))) {
      if (value) fields[name].add(new Option(value));
    }
  }
  // A number is found as a whole: 0.05 is not in 0.055.
  const pattern = (word) => {
    const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const whole = /^[-\d.]+$/.test(word);
    return new RegExp(whole ? `(?<![\\d.])${escaped}(?![\\d]|\\.\\d)` : escaped);
  };
  const search = () => {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean).map(pattern);
    table.search.fixed(
      "form",
      (_text, _data, index) =>
        wanted.every((one) => one.test(facts[index].words)) &&
        filters.every(({ name, value }) => !value || value === facts[index][name]),
    );
    table.draw();
  };
  const keep = () => {
    const state = new URLSearchParams();
    for (const { name, value } of Object.values(fields)) if (value) state.set(name, value);
    for (const [place, way] of table.order()) {
      if (way) state.set("sort", `${way === "desc" ? "-" : ""}${place}`);
    }
    history.replaceState(null, "", (state.size ? `?${state}` : location.pathname) + location.hash);
  };
  const reveal = () => {
    const index = rows.findIndex(({ id }) => id === decodeURIComponent(location.hash.slice(1)));
    if (index < 0) return;
    const place = () =>
      table.rows({ order: "applied", search: "applied" }).indexes().toArray().indexOf(index);
    if (place() < 0) {
      for (const field of Object.values(fields)) field.value = "";
      search();
    }
    table.page(Math.floor(place() / ROWS)).draw("page");
    rows[index].querySelector("details").open = true;
    rows[index].scrollIntoView({ block: "center" });
  };

  for (const [name, field] of Object.entries(fields)) field.value = given.get(name) ?? "";
  form.hidden = false;
  form.addEventListener("input", search);
  table.on("draw", keep);
  search();
  reveal();
  window.addEventListener("hashchange", reveal);
  // On paper all rows that fit are there.
  window.addEventListener("beforeprint", () => table.page.len(-1).draw());
  window.addEventListener("afterprint", () => table.page.len(ROWS).draw());
});
