// Figures answer where they stand: hovered, focused or touched, a link to the ledger shows what the
// page's own row says of it. Without this script the link remains.
document.addEventListener("DOMContentLoaded", () => {
  const SHOWN = ["Published", "Reproduced", "Interval", "Evidence", "Verdict"];
  const rowOf = (link) => {
    const row = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    return row?.matches("table.comparison tr") && !row.contains(link) ? row : null;
  };
  const tip = document.createElement("div");
  tip.id = "rederive-answer";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let asked = null;
  let timer = 0;

  const hide = () => {
    asked?.removeAttribute("aria-describedby");
    asked = null;
    tip.hidden = true;
  };
  const show = (link) => {
    clearTimeout(timer);
    if (asked === link) return;
    hide();
    const row = rowOf(link);
    const title = document.createElement("strong");
    title.textContent = row.cells[0].querySelector("a").textContent;
    const list = document.createElement("dl");
    for (const cell of row.cells) {
      if (!SHOWN.includes(cell.dataset.label) || !cell.textContent) continue;
      const [term, value] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = cell.dataset.label;
      value.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
      list.append(term, value);
    }
    tip.replaceChildren(title, list);
    tip.hidden = false;
    asked = link;
    link.setAttribute("aria-describedby", tip.id);
    const [at, own] = [link.getBoundingClientRect(), tip.getBoundingClientRect()];
    const below = at.bottom + own.height + 8 < innerHeight;
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - own.width - 8));
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(below ? at.bottom + 4 : at.top - own.height - 4) + scrollY}px`;
  };
  const later = () => {
    timer = setTimeout(hide, 200);
  };

  for (const link of document.querySelectorAll('a[href*="ledger.html#"]')) {
    if (!rowOf(link)) continue;
    link.addEventListener("pointerenter", () => show(link));
    link.addEventListener("pointerleave", later);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", later);
    link.addEventListener("click", (event) => {
      // The first touch asks, the second follows the link.
      if (event.pointerType === "touch" && link.dataset.asked !== "yes") event.preventDefault();
      link.dataset.asked = "yes";
      show(link);
    });
  }
  tip.addEventListener("pointerenter", () => clearTimeout(timer));
  tip.addEventListener("pointerleave", later);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  // The search splits a number into its digits; the ledger finds it whole.
  const words = new URLSearchParams(location.search).get("q") ?? "";
  const results = document.getElementById("search-results");
  if (results && /\d/.test(words)) {
    const [line, link] = [document.createElement("p"), document.createElement("a")];
    link.href = `book/ledger.html?text=${encodeURIComponent(words)}`;
    link.textContent = `All printed numbers with “${words}”`;
    line.append(link);
    results.before(line);
  }

  // What scrolls sideways is reached by keyboard, and has a name.
  const named = (box) => {
    const caption = box.querySelector("caption, figcaption")?.textContent;
    const kind = box.matches(".math") ? "Formula" : box.querySelector("table") ? "Table" : "Code";
    return caption || box.querySelector("img")?.alt || kind;
  };
  const reach = () => {
    const boxes =
      "article pre, article .output, article figure, article .math, .pst-scrollable-table-container";
    for (const [place, box] of document.querySelectorAll(boxes).entries()) {
      if (box.scrollWidth <= box.clientWidth || box.querySelector("[tabindex='0']")) continue;
      box.tabIndex = 0;
      if (!box.matches("figure")) box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${named(box)} (${place + 1})`);
    }
  };
  reach();
  window.addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);

  // What is folded is printed, too.
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
});
