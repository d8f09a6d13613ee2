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

  const placeIn = (own, at) => {
    const [, tolerances, rules] = ["baseline_window", "followup_tolerance", "visit_rule"].map(
      (each) => data.levels[each].length,
    );
    const windows =
      (at.baseline_window * tolerances + at.followup_tolerance) * rules + at.visit_rule;
    const block = (own ? at[own] : 0) * data.distinct + data.places[windows];
    return block * data.levels.prior.length + at.prior;
  };

  const lookUp = (name, at) => {
    const row = data.results[name];
    const width = 3 + row.p + row.marked;
    const start = width * placeIn(row.own, at);
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
    for (const cell of root.querySelectorAll("td[data-margin]")) {
      const place = 2 * placeIn("two_sample_test", at);
      const ends = data.margins[cell.dataset.margin].slice(place, place + 2);
      for (const [part, name] of ["alike", "no-worse"].entries()) {
        const [words, span] = [name.replace("-", " "), cell.querySelector(`.${name}`)];
        const shown = ends[part] !== null && ends[part] / 100 <= field("margin").value;
        span.classList.toggle("shown", shown);
        const from = ends[part] < 0 ? "at any margin" : `from ${(ends[part] / 100).toFixed(1)}`;
        span.textContent = ends[part] === null ? `${words}: no test` :
          `${words}: ${shown ? "shown" : "not shown"} (${from})`;
      }
    }
    for (const input of form.querySelectorAll("input[type=range]")) {
      input.closest("label").querySelector("b").textContent = input.value;
    }
    draw(at);
    const changed = names.filter((name) => field(name).value !== String(data.article[name]));
    for (const name of names) {
      const label = field(name).closest("label");
      label.classList.toggle("changed", changed.includes(name));
      label.title = changed.includes(name) ? `the article: ${data.article[name]}` : "";
    }
    const n = lookUp("n_m12", at).median;
    const responders = lookUp("responders_m12", at).median;
    summary.textContent =
      (changed.length ? "Not the article’s setting. " : "The article’s setting. ") +
      `Month 12 in the median cohort: ${n} patients, ${responders} responders. ` +
      `Of ${marks.reduce((sum, each) => sum + each)} published figures the cohorts were made to ` +
      `print ${marks[4]}. Of the others, as published: ${marks[0]}; in the range of the cohorts: ` +
      `${marks[1]}; within rounding: ${marks[2]}; outside: ${marks[3]}.`;
    return changed;
  };

  // The picture: what the tables say of means and of differences, beside marks that do not move.
  const picture = root.querySelector(".explorer-picture");
  const numberOf = (text) => Number.parseFloat(text.replace("−", "-"));
  const points = (prefix, at) =>
    [...root.querySelectorAll(`td[data-result^="${prefix}_"]`)].map((cell) => {
      const found = lookUp(cell.dataset.result, at);
      const ends = (found.span || `${found.median} to ${found.median}`).split(" to ");
      return {
        name: cell.parentElement.cells[0].textContent,
        value: numberOf(found.median),
        ends: ends.map(numberOf),
      };
    });
  const fixed = Object.fromEntries(
    ["mean", "difference"].map((prefix) => [
      prefix,
      points(prefix, Object.fromEntries(
        names.map((name) => [name, data.levels[name].indexOf(data.article[name])]),
      )),
    ]),
  );
  const panel = (prefix, title, low, high, at) => {
    const shown = points(prefix, at);
    const [left, width, step] = [146, 312, 30];
    const x = (value) => left + ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * width;
    const foot = 34 + step * shown.length;
    const margin = prefix === "difference" ? Number(field("margin").value) : 0;
    const ticks = Array.from({ length: 5 }, (_, place) => low + ((high - low) * place) / 4);
    const words = shown.map((one) => `${one.name} ${one.value} (${one.ends.join(" to ")})`);
    return (
      `<svg viewBox="0 0 480 ${foot + 24}" role="img"><title>${title}: ${words.join("; ")}</title>` +
      `<text x="4" y="16" class="title">${title}</text>` +
      `<rect class="margin" x="${x(-margin)}" y="26" width="${x(margin) - x(-margin)}" ` +
      `height="${foot - 26}"/>` +
      ticks.map((tick) =>
        `<line class="grid${tick === 0 ? " zero" : ""}" x1="${x(tick)}" x2="${x(tick)}" y1="26" ` +
        `y2="${foot}"/><text text-anchor="middle" x="${x(tick)}" y="${foot + 16}">${tick}</text>`,
      ).join("") +
      shown.map((one, place) => {
        const y = 42 + step * place;
        const still = x(fixed[prefix][place].value);
        return (
          `<text x="4" y="${y + 4}">${one.name}</text>` +
          (Number.isNaN(one.value) ? "" :
            `<line class="range" x1="${x(one.ends[0])}" x2="${x(one.ends[1])}" y1="${y}" y2="${y}"/>` +
            `<circle cx="${x(one.value)}" cy="${y}" r="5"/>`) +
          `<path class="still" d="M${still} ${y - 9}l9 9l-9 9l-9-9z"/>`
        );
      }).join("") +
      "</svg>"
    );
  };
  const draw = (at) => {
    picture.innerHTML =
      panel("mean", "Mean skin score", 0, 40, at) +
      panel("difference", "Change on IVIG less change on the control (under 0: better)", -12, 4, at);
    picture.hidden = false;
  };

  const address = (changed) => {
    const query = new URLSearchParams(changed.map((name) => [name, field(name).value]));
    const margin = field("margin");
    if (margin.value !== margin.defaultValue) query.set("margin", margin.value);
    return query.size ? `#${query}` : "";
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
    field("margin").value = query.get("margin") ?? field("margin").defaultValue;
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
