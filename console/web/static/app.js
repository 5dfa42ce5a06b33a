// The page's behavior: a file is looked at, described and sent; outcomes and the overview are kept fresh.
"use strict";

const byId = (id) => document.getElementById(id);
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const count = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en-US"));
const kindOf = (type) => (type.startsWith("email") ? "email" : type.startsWith("phone") ? "phone" : "device id");

let chosen = null; // the file
let columns = []; // as detected

async function answerOf(response) {
  try {
    return await response.json();
  } catch {
    return { error: "The page gave no readable answer. Reload it." };
  }
}

async function look(file) {
  chosen = null;
  byId("choices").hidden = true;
  byId("outcome").replaceChildren();
  byId("found").textContent = "Looking at the beginning of the file …";
  const head = file.slice(0, Number(byId("upload").dataset.headBytes));
  const response = await fetch("/detect", { method: "POST", body: head });
  const answer = await answerOf(response);
  if (!response.ok) {
    byId("found").textContent = answer.error;
    return;
  }
  chosen = file;
  columns = answer.columns;
  const named = answer.header ? "with a header row" : "without a header row";
  byId("found").textContent =
    `${file.name}: ${answer.encoding}, ${columns.length} column${columns.length > 1 ? "s" : ""} ${named}, ` +
    `${count(answer.rows_seen)} rows looked at.`;
  byId("type").value = answer.type;
  showColumns(answer.rows_seen);
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
      label.append(element("span", `${column.name} (${count(column.filled)} of ${count(rows)} filled${kinds})`));
      return label;
    }),
  );
  suggest();
}

function suggest() {
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
  if (!chosen) return;
  const boxes = [...byId("columns").querySelectorAll("input:checked")];
  const wanted = {
    type: byId("type").value,
    columns: boxes.map((box) => box.value),
    audience: byId("audience").value,
    action: byId("action").value,
    country: byId("country").value,
    file: chosen.name,
  };
  const advertiser = encodeURIComponent(byId("advertiser").value);
  const request = new XMLHttpRequest(); // fetch tells no progress of what is sent
  request.open("POST", `/advertisers/${advertiser}/uploads`);
  request.setRequestHeader("X-Upload", encodeURIComponent(JSON.stringify(wanted)));
  request.upload.onprogress = (progress) => (byId("progress").value = progress.loaded / (progress.total || 1));
  request.onloadend = () => sent(advertiser, request);
  byId("send").disabled = true;
  byId("progress").hidden = false;
  byId("outcome").replaceChildren(element("p", "Hashing, checking and uploading …"));
  request.send(chosen);
}

function sent(advertiser, request) {
  byId("send").disabled = false;
  byId("progress").hidden = true;
  let answer;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    answer = { error: "The upload broke off. Try again." };
  }
  const outcome = byId("outcome");
  if (answer.error) {
    outcome.replaceChildren(element("p", answer.error, "bad"));
    return;
  }
  const rows = answer.hashed.rows;
  const parts = [
    element(
      "p",
      `${count(rows.total)} rows: ${count(rows.written)} hashed, ${count(rows.empty)} without a value, ` +
        `${count(rows.rejected)} that cannot be hashed.`,
    ),
  ];
  if (answer.hashed.rejections.length) parts.push(linesOf(answer.hashed.rejections));
  if (!answer.key) {
    parts.push(element("p", `Nothing was uploaded. ${answer.verdict.reason}`, "bad"));
    outcome.replaceChildren(...parts);
    return;
  }
  const status = element("p", "Uploaded. Waiting for the connector …");
  status.id = "status";
  const link = element("a", "Everything about this file");
  link.href = `/advertisers/${advertiser}/files/${answer.id}`;
  const more = element("p");
  more.append(link);
  outcome.replaceChildren(...parts, status, more);
  follow(`/advertisers/${advertiser}/outcomes/${answer.id}/${encodeURIComponent(answer.version_id)}`, status);
}

function linesOf(rejections) {
  const details = element("details");
  details.append(element("summary", "Lines that cannot be hashed"));
  const list = element("ul");
  for (const each of rejections.slice(0, 100)) {
    list.append(element("li", `line ${each.line}, ${each.column}: ${each.reason}`));
  }
  details.append(list);
  return details;
}

async function follow(url, place) {
  let pause = 1000;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.2, 20000);
    if (!place.isConnected) return;
    let state;
    try {
      state = await (await fetch(url)).json();
    } catch {
      continue;
    }
    if (!state.status) continue;
    const text = `${state.status}: ${state.reason}`;
    if (place.textContent !== text) {
      place.textContent = text;
      place.className = `status ${state.status}`;
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
    // The answer is this page again; what it shows was escaped there.
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("state");
    if (fresh && fresh.innerHTML !== state.innerHTML) state.innerHTML = fresh.innerHTML;
  } catch {
    // The server has stopped; the next round tells.
  }
}

if (byId("upload")) {
  const drop = byId("drop");
  byId("file").addEventListener("change", (event) => event.target.files[0] && look(event.target.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) look(event.dataTransfer.files[0]);
    });
  }
  byId("type").addEventListener("change", suggest);
  byId("upload").addEventListener("submit", send);
}
if (byId("state")) setInterval(refresh, 5000);
