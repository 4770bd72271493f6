// Checks of the page that this script is part of; sends its findings, one sentence each, to the frame around the page.
"use strict";
const findings = [];
const shown = element => element.outerHTML.replace(/\s+/g, " ").slice(0, 100);

const scrolls = element => element && (getComputedStyle(element).overflowX === "auto" || scrolls(element.parentElement));

function overflow() {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return;
  const wide = [...document.body.querySelectorAll("*")].filter(element =>
    element.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(element.parentElement));
  findings.push(`scrolls sideways, ${root.scrollWidth} px wide: ${wide.slice(0, 3).map(shown).join(" ")}`);
}

function anchors() {
  for (const link of document.querySelectorAll("a[href^='#']")) {
    const target = decodeURIComponent(link.getAttribute("href").slice(1));
    if (!document.getElementById(target)) findings.push(`leads nowhere: ${shown(link)}`);
  }
}

function requests() {
  for (const entry of performance.getEntriesByType("resource")) {
    if (!entry.name.startsWith("data:")) findings.push(`fetches ${entry.name}`);
  }
}

function pictures() {
  for (const image of document.images) {
    if (!image.naturalWidth) findings.push(`shows no picture: ${shown(image)}`);
  }
}

const number = text => Number((text.replaceAll("\u2212", "-").replaceAll(",", "").match(/-?[\d.]+/) ?? [NaN])[0]);

function sorts(table, at) {
  const column = () => [...table.tBodies[0].rows].map(row => row.cells[at].textContent.trim());
  const head = table.tHead.rows[0].cells[at];
  const before = column();
  const numeric = [...table.tBodies[0].rows].every(row => "value" in row.cells[at].dataset);
  for (const [direction, sign] of [["ascending", 1], ["descending", -1]]) {
    head.querySelector("button").click();
    const after = column();
    const kept = JSON.stringify(before.toSorted()) === JSON.stringify(after.toSorted());
    const ordered = !numeric || after.every((text, n) => !n || sign * (number(text) - number(after[n - 1])) >= 0);
    const announced = head.getAttribute("aria-sort") === direction;
    if (!kept || !ordered || !announced) findings.push(`does not sort ${direction}: ${shown(head)}`);
  }
}

function sorting() {
  for (const table of document.querySelectorAll("table")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      if (!head.textContent.trim()) return;
      if (head.querySelector("button")) sorts(table, at);
      else findings.push(`cannot be sorted by ${shown(head)}`);
    });
  }
}

async function accessible() {
  if (typeof axe === "undefined") return;
  const { violations } = await axe.run();
  for (const { id, help, nodes } of violations) {
    findings.push(`${id}: ${help}, ${nodes.length} times, such as ${nodes[0].html.replace(/\s+/g, " ").slice(0, 100)}`);
  }
}

window.addEventListener("load", async () => {
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });
  try {
    overflow();
    anchors();
    requests();
    pictures();
    await accessible();
    sorting();
  } catch (error) {
    findings.push(`the check itself failed: ${error.stack}`);
  }
  parent.document.body.textContent = JSON.stringify(findings);
});
