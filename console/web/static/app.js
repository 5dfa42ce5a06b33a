// Behavior of the page: detects the columns of a file, uploads it, and refreshes outcomes and the overview.
"use strict";

const byId = (id) => document.getElementById(id);
const element = (name, text, className) => {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
const formatNumber = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en-US"));
const kindOf = (type) => (type.startsWith("email") ? "email" : type.startsWith("phone") ? "phone" : "device id");

let chosenFile = null;
let columns = []; // the detected columns

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return { error: "The server sent an invalid response. Reload the page." };
  }
}

async function detectColumns(file) {
  chosenFile = null;
  byId("choices").hidden = true;
  byId("outcome").replaceChildren();
  byId("found").textContent = "Detecting the columns …";
  const head = file.slice(0, Number(byId("upload").dataset.headBytes));
  const response = await fetch("/detect", { method: "POST", body: head });
  const result = await readJson(response);
  if (!response.ok) {
    byId("found").textContent = result.error;
    return;
  }
  chosenFile = file;
  columns = result.columns;
  const header = result.header ? "with a header row" : "without a header row";
  byId("found").textContent =
    `${file.name}: ${result.encoding}, ${columns.length} column${columns.length > 1 ? "s" : ""} ${header}, ` +
    `${formatNumber(result.rows_seen)} rows examined.`;
  byId("type").value = result.type;
  showColumns(result.rows_seen);
  byId("choices").hidden = false;
  byId("type").focus();
}

function showColumns(rows) {
  byId("columns").replaceChildren(
    ...columns.map((column) => {
      const label = element("label");
      const box = element("input");
      box.type = "checkbox";
      box.value = column.number;
      label.append(box);
      const kinds = column.kinds.length ? `, looks like ${column.kinds.join(" or ")}` : "";
      label.append(element("span", `${column.name} (${formatNumber(column.filled)} of ${formatNumber(rows)} filled${kinds})`));
      return label;
    }),
  );
  suggestColumns();
}

function suggestColumns() {
  const type = byId("type").value;
  const several = type === "multiple_types";
  const taken = new Set();
  for (const box of byId("columns").querySelectorAll("input")) {
    const column = columns[Number(box.value) - 1];
    const kind = several ? column.kinds[0] : kindOf(type);
    const fits = column.kinds.includes(kind) && !taken.has(kind);
    box.checked = fits || columns.length === 1;
    if (fits) taken.add(kind);
  }
  byId("country-field").hidden = !several && kindOf(type) !== "phone";
}

function send(event) {
  event.preventDefault();
  if (!chosenFile) return;
  const boxes = [...byId("columns").querySelectorAll("input:checked")];
  const uploadOptions = {
    type: byId("type").value,
    columns: boxes.map((box) => box.value),
    audience: byId("audience").value,
    action: byId("action").value,
    country: byId("country").value,
    file: chosenFile.name,
  };
  const advertiser = encodeURIComponent(byId("advertiser").value);
  const request = new XMLHttpRequest(); // fetch does not report upload progress
  request.open("POST", `/advertisers/${advertiser}/uploads`);
  request.setRequestHeader("X-Upload", encodeURIComponent(JSON.stringify(uploadOptions)));
  request.upload.onprogress = (progress) => (byId("progress").value = progress.loaded / (progress.total || 1));
  request.onloadend = () => showResult(advertiser, request);
  byId("send").disabled = true;
  byId("progress").hidden = false;
  byId("outcome").replaceChildren(element("p", "Hashing, checking and uploading …"));
  request.send(chosenFile);
}

function showResult(advertiser, request) {
  byId("send").disabled = false;
  byId("progress").hidden = true;
  let result;
  try {
    result = JSON.parse(request.responseText);
  } catch {
    result = { error: "The upload was interrupted. Try again." };
  }
  const outcome = byId("outcome");
  if (result.error) {
    outcome.replaceChildren(element("p", result.error, "bad"));
    return;
  }
  const rows = result.hashed.rows;
  const parts = [
    element(
      "p",
      `${formatNumber(rows.total)} rows: ${formatNumber(rows.written)} hashed, ` +
        `${formatNumber(rows.empty)} without a value, ${formatNumber(rows.rejected)} cannot be hashed.`,
    ),
  ];
  if (result.hashed.rejections.length) parts.push(faultList(result.hashed.rejections));
  if (!result.key) {
    parts.push(element("p", `Nothing was uploaded. ${result.verdict.reason}`, "bad"));
    outcome.replaceChildren(...parts);
    return;
  }
  const status = element("p", "Uploaded. Waiting for the connector …");
  status.id = "status";
  const link = element("a", "Details of this file");
  link.href = `/advertisers/${advertiser}/files/${result.id}`;
  const more = element("p");
  more.append(link);
  outcome.replaceChildren(...parts, status, more);
  follow(`/advertisers/${advertiser}/outcomes/${result.id}/${encodeURIComponent(result.version_id)}`, status);
}

function faultList(rejections) {
  const details = element("details");
  details.append(element("summary", "Lines with values that cannot be hashed"));
  const list = element("ul");
  for (const each of rejections.slice(0, 100)) {
    list.append(element("li", `line ${each.line}, ${each.column}: ${each.reason}`));
  }
  details.append(list);
  return details;
}

async function follow(url, statusNode) {
  let pause = 1000;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.2, 20000);
    if (!statusNode.isConnected) return;
    let state;
    try {
      state = await (await fetch(url)).json();
    } catch {
      continue;
    }
    if (!state.status) continue;
    const text = `${state.status}: ${state.reason}`;
    if (statusNode.textContent !== text) {
      statusNode.textContent = text;
      statusNode.className = `status ${state.status}`;
      pause = 1000;
      refresh();
    }
    if (state.ended) return;
  }
}

async function refresh() {
  const state = byId("state");
  if (!state || document.hidden || state.contains(document.activeElement)) return;
  try {
    const response = await fetch(location.pathname);
    if (!response.ok) return;
    // The response is this page again. The server has escaped all values in it.
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("state");
    if (fresh && fresh.innerHTML !== state.innerHTML) state.innerHTML = fresh.innerHTML;
  } catch {
    // The server may have stopped. The next refresh tries again.
  }
}

if (byId("upload")) {
  const drop = byId("drop");
  byId("file").addEventListener("change", (event) => event.target.files[0] && detectColumns(event.target.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) detectColumns(event.dataTransfer.files[0]);
    });
  }
  byId("type").addEventListener("change", suggestColumns);
  byId("upload").addEventListener("submit", send);
}
if (byId("state")) setInterval(refresh, 5000);
