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

  // The search splits a number into its digits; the rows of the ledger have it whole.
  const words = (new URLSearchParams(location.search).get("q") ?? "").trim();
  const results = document.getElementById("search-results");
  const rowsWith = (text) => {
    const ledger = new DOMParser().parseFromString(text, "text/html");
    const digits = words.replace(/[^\d.]/g, "").replace(/\./g, "\\.");
    const whole = new RegExp(`(?<![\\d.])${digits}(?!\\d|\\.\\d)`);
    return [...ledger.querySelectorAll("table.ledger tbody tr")].filter((row) =>
      whole.test(row.cells[1].textContent),
    );
  };
  const listed = (row) => {
    const [item, link, line] = ["li", "a", "p"].map((name) => document.createElement(name));
    const [label, place] = ["a", ".place"].map((each) => row.querySelector(each).textContent);
    link.href = `book/ledger.html#${row.id}`;
    link.textContent = label;
    line.className = "context";
    line.textContent = `${row.cells[1].textContent} (${place}): ${row.cells[5].textContent}`;
    item.append(link, line);
    return item;
  };
  if (results && /^[<>=≥≤−-]*\s*\d[\d.]*\s*%?$/.test(words)) {
    const [line, link, list] = ["p", "a", "ul"].map((name) => document.createElement(name));
    link.href = `book/ledger.html?text=${encodeURIComponent(words)}`;
    link.textContent = `All printed numbers with “${words}”`;
    list.className = "search";
    line.append(link);
    results.before(list, line);
    const most = 10;
    fetch("book/ledger.html").then((answer) => answer.text()).then((text) => {
      const found = rowsWith(text);
      list.replaceChildren(...found.slice(0, most).map(listed));
      link.textContent += `: ${found.length} in the ledger`;
      results.hidden = found.length > 0;
    }).catch(() => {});
  }
  if (results && typeof Search !== "undefined") {
    // Excerpts are of prose: no code, no list of contents, and cells of a table stay apart.
    Search.htmlToText = (text, anchor) => {
      const page = new DOMParser().parseFromString(text, "text/html");
      for (const each of page.querySelectorAll(".headerlink, script, style, pre, #jb-print-toc")) {
        each.remove();
      }
      for (const cell of page.querySelectorAll("td, th, li, p, dt, summary, caption, div")) {
        cell.append(" ");
      }
      const main = page.querySelector("article");
      const place = anchor ? main?.querySelector(anchor) : null;
      const shown = place?.matches("dt") ? place.parentElement : (place ?? main);
      const from = place?.matches("dt") ? place.textContent.trim() : "";
      const words = shown?.textContent.replace(/\s+/g, " ") ?? "";
      return words.slice(Math.max(0, words.indexOf(from)));
    };
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
      const fits = box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight + 1;
      if (fits || box.querySelector("[tabindex='0']")) continue;
      box.tabIndex = 0;
      if (!box.matches("figure")) box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${named(box)} (${place + 1})`);
    }
  };
  reach();
  window.addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);

  // What is folded is printed, too, and always on white.
  const { dataset } = document.documentElement;
  let theme = "";
  window.addEventListener("beforeprint", () => {
    [theme, dataset.theme] = [dataset.theme, "light"];
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  window.addEventListener("afterprint", () => (dataset.theme = theme));
});
