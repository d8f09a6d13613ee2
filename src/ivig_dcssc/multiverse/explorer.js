(() => {
  "use strict";
  const root = document.currentScript.closest(".rederive-explorer");
  const data = JSON.parse(root.querySelector(".explorer-data").textContent);
  const form = root.querySelector("form");
  const summary = root.querySelector(".explorer-summary");
  const link = root.querySelector(".explorer-link");
  const names = Object.keys(data.levels);
  const field = (name) => form.elements.namedItem(name);

  const placeOf = (name) =>
    data.levels[name].findIndex((level) => String(level) === field(name).value);

  const text = (number, row) => {
    if (number === null) return "none";
    if (row.p && number === 0) return "<" + (1 / 10 ** row.decimals).toFixed(row.decimals);
    const value = number / 10 ** row.decimals;
    return row.count ? String(value) : value.toFixed(row.decimals);
  };

  const shareText = (code) =>
    code < 0 ? "under 1 %" : code > 100 ? "over 99 %" : `${code} %`;

  const lookUp = (name, at) => {
    const row = data.results[name];
    const width = 3 + row.p + row.marked;
    const [, tolerances, rules] = ["baseline_window", "followup_tolerance", "visit_rule"].map(
      (each) => data.levels[each].length,
    );
    const windows =
      (at.baseline_window * tolerances + at.followup_tolerance) * rules + at.visit_rule;
    const own = row.own ? at[row.own] : 0;
    const block = own * data.distinct + data.places[windows];
    const start = width * (block * data.levels.prior.length + at.prior);
    const numbers = row.values.slice(start, start + width);
    const [median, low, high] = numbers.slice(0, 3).map((number) => text(number, row));
    return {
      median,
      span: low === high && low === median ? "" : `${low} to ${high}`,
      share: row.p ? shareText(numbers[3]) : "",
      mark: row.marked ? numbers[width - 1] : null,
    };
  };

  const show = () => {
    const at = Object.fromEntries(names.map((name) => [name, placeOf(name)]));
    const marks = data.marks.map(() => 0);
    for (const cell of root.querySelectorAll("td[data-result]")) {
      const found = lookUp(cell.dataset.result, at);
      cell.querySelector(".now").textContent = found.median;
      cell.querySelector(".span").textContent = found.span;
      const part = cell.querySelector(".part");
      if (part) part.textContent = found.share;
      const mark = cell.querySelector(".mark");
      if (mark) {
        mark.textContent = data.marks[found.mark];
        mark.className = `mark mark-${found.mark}`;
        marks[found.mark] += 1;
      }
    }
    for (const input of form.querySelectorAll("input[type=range]")) {
      input.closest("label").querySelector("output").textContent = input.value;
    }
    const changed = names.filter((name) => field(name).value !== String(data.article[name]));
    const n = lookUp("n_m12", at).median;
    const responders = lookUp("responders_m12", at).median;
    summary.textContent =
      (changed.length ? "Not the article’s setting. " : "The article’s setting. ") +
      `Month 12 in the median cohort: ${n} patients, ${responders} responders. ` +
      `Of ${marks.reduce((sum, each) => sum + each)} published figures the cohorts were made to ` +
      `print ${marks[4]}; of the others ${marks[0]} come out as published, ` +
      `${marks[1]} lie in the range of the cohorts, ${marks[2]} within rounding, ` +
      `${marks[3]} outside.`;
    return changed;
  };

  const address = (changed) => {
    const query = new URLSearchParams(changed.map((name) => [name, field(name).value]));
    return changed.length ? `#${query}` : "";
  };

  const update = () => {
    const changed = show();
    const hash = address(changed);
    link.setAttribute("href", hash || "#");
    history.replaceState(null, "", hash || location.pathname + location.search);
  };

  const restore = () => {
    if (!location.hash.includes("=")) return;
    const query = new URLSearchParams(location.hash.slice(1));
    for (const name of names) {
      const wanted = query.get(name) ?? String(data.article[name]);
      if (data.levels[name].some((level) => String(level) === wanted)) field(name).value = wanted;
    }
  };

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A reset takes effect after its event.
  form.addEventListener("reset", () => setTimeout(update));
  window.addEventListener("hashchange", () => {
    restore();
    show();
  });
  form.hidden = false;
  form.reset();
  restore();
  link.setAttribute("href", address(show()) || "#");
})();
