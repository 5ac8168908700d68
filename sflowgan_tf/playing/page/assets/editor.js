// The scene that is painted on: keeps its planes, draws them, and sends them when they changed.
const find = (selector) => element.querySelector(selector);
const map = find(".map"), over = find(".over");
const KEPT = 0, DRAWN = 1, RUBBED_OUT = 2, STEPS = 30;
let scene = null; // id, width, height, classes, stamps
let labels, frame, strokes; // as `playing.canvas` describes them
let edges = null; // an image: the edge map that the picture was painted from
let first = null, past = [], future = [];
let tool = { kind: "class", index: 0 };
let place = null, held = false; // of the brush, pixels
let changed = false, sending = false, due = 0;

const inflated = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
const deflated = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let start = 0; start < packed.length; start += 32768)
    text += String.fromCharCode(...packed.subarray(start, start + 32768));
  return btoa(text);
};
const hex = (color) => "#" + [...color].map((level) => level.toString(16).padStart(2, "0")).join("");
const rgb = (text) => [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
const say = (sentence) => { find(".said").textContent = sentence; };
const picture = (pixels, width, height) => {
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
};

async function load() {
  const value = props.value;
  if (!value || !value.classes) return; // what was sent from here
  const planes = await inflated(value.data);
  const stamps = await Promise.all(value.stamps.map(async (stamp) => {
    const bytes = await inflated(stamp.data), pixels = stamp.width * stamp.height;
    return { ...stamp, labels: bytes.subarray(0, pixels), frame: bytes.subarray(pixels, 4 * pixels),
             inside: bytes.subarray(4 * pixels) };
  }));
  const known = scene && JSON.stringify(scene.classes) === JSON.stringify(value.classes);
  scene = { ...value, stamps };
  const pixels = scene.width * scene.height;
  labels = planes.slice(0, pixels); frame = planes.slice(pixels, 4 * pixels); strokes = planes.slice(4 * pixels);
  map.width = scene.width; map.height = scene.height;
  first = copy(); past = []; future = [];
  place = place || [scene.width / 2, scene.height * 0.7];
  if (!known) {
    chips();
    find(".radius").value = find(".size output").value = Math.max(Math.round(scene.width / 36), 1);
  }
  choose(known ? tool : { kind: "class", index: Math.max(scene.classes.findIndex((c) => c.name === "car"), 0) });
  draw();
}
const copy = () => [labels.slice(), frame.slice(), strokes.slice()];

function chips() {
  const chip = (box, kind, index, name, mark) => {
    const label = document.createElement("label"), input = document.createElement("input"), span = document.createElement("span");
    input.type = "radio"; input.name = `tool-${scene.id}`; input.value = `${kind}:${index}`;
    input.addEventListener("change", () => choose({ kind, index }));
    span.append(mark, name); label.append(input, span); box.append(label);
  };
  const dot = (color) => { const mark = document.createElement("i"); mark.style.background = color; return mark; };
  const boxes = ["classes", "stamps", "edges"].map((name) => find(`.chips.${name}`));
  boxes.forEach((box) => box.replaceChildren());
  scene.classes.forEach((one, index) => chip(boxes[0], "class", index, one.name, dot(hex(one.color))));
  scene.stamps.forEach((stamp, index) => {
    const pixels = new Uint8ClampedArray(4 * stamp.width * stamp.height);
    for (let i = 0; i < stamp.inside.length; i++) {
      pixels.set(stamp.frame.subarray(3 * i, 3 * i + 3), 4 * i);
      pixels[4 * i + 3] = 255 * stamp.inside[i];
    }
    stamp.picture = picture(pixels, stamp.width, stamp.height);
    const mark = document.createElement("canvas");
    mark.width = stamp.width; mark.height = stamp.height; mark.getContext("2d").drawImage(stamp.picture, 0, 0);
    chip(boxes[1], "stamp", index, stamp.name, mark);
  });
  boxes[1].parentElement.hidden = !scene.stamps.length;
  if (scene.draws_edges) {
    chip(boxes[2], "edge", DRAWN, "draw", dot("#3fd0ff"));
    chip(boxes[2], "edge", RUBBED_OUT, "rub out", dot("#ff5a4f"));
    chip(boxes[2], "edge", KEPT, "as it was", dot("transparent"));
  }
  boxes[2].parentElement.hidden = !scene.draws_edges;
  find(".switch input[value=edges]").parentElement.hidden = !scene.draws_edges;
}

function choose(chosen) {
  tool = chosen;
  const input = find(`.chips input[value="${tool.kind}:${tool.index}"]`);
  if (input) input.checked = true;
  if (tool.kind === "class") find(".color").value = hex(shade(tool.index));
  find(".shade").hidden = tool.kind !== "class";
  find(".size").hidden = tool.kind === "stamp";
  if (tool.kind === "edge") show("edges");
  else if (shown() === "edges") show("labels");
  hint();
}
// The colour that a class has in the scene, or else had in the model's training.
function shade(index) {
  const sums = [0, 0, 0];
  let count = 0;
  labels.forEach((label, i) => {
    if (label === index) { count++; for (let c = 0; c < 3; c++) sums[c] += frame[3 * i + c]; }
  });
  return count ? sums.map((sum) => Math.round(sum / count)) : scene.classes[index].brush;
}

const shown = () => find(".switch input:checked").value;
function show(what) { find(`.switch input[value=${what}]`).checked = true; draw(); }
function draw() {
  const context = map.getContext("2d"), what = shown();
  const image = context.createImageData(scene.width, scene.height), pixels = image.data;
  const colors = scene.classes.map((one) => one.color), black = [0, 0, 0];
  for (let i = 0, at = 0; i < labels.length; i++, at += 4) {
    const from = what === "frame" ? 3 * i : 0;
    const color = what === "frame" ? frame : (what === "labels" && colors[labels[i]]) || black;
    pixels[at] = color[from]; pixels[at + 1] = color[from + 1]; pixels[at + 2] = color[from + 2]; pixels[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  if (what === "edges") {
    if (edges) context.drawImage(edges, 0, 0, scene.width, scene.height);
    for (let i = 0; i < strokes.length; i++) if (strokes[i] !== KEPT) {
      context.fillStyle = strokes[i] === DRAWN ? "#3fd0ff" : "rgba(255, 90, 79, .55)";
      context.fillRect(i % scene.width, Math.floor(i / scene.width), 1, 1);
    }
  }
  find(".undo").disabled = !past.length; find(".redo").disabled = !future.length;
}
const radius = () => (tool.kind === "edge" && tool.index === DRAWN ? 0.5 : +find(".radius").value);
function hint() { // where the brush is
  if (!scene) return;
  const box = over.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
  over.width = Math.max(box.width * ratio, 1); over.height = Math.max(box.height * ratio, 1);
  if (!place) return;
  const context = over.getContext("2d"), scale = over.width / scene.width;
  if (tool.kind === "stamp") {
    const stamp = scene.stamps[tool.index], [left, top] = corner(stamp);
    context.globalAlpha = 0.75; context.imageSmoothingEnabled = false;
    context.drawImage(stamp.picture, left * scale, top * scale, stamp.width * scale, stamp.height * scale);
    return;
  }
  for (const [color, width] of [["#000", 4], ["#fff", 2]]) {
    context.beginPath(); context.strokeStyle = color; context.lineWidth = width * ratio / 1.5;
    context.arc(place[0] * scale, place[1] * scale, Math.max(radius() * scale, 3 * ratio), 0, 7); context.stroke();
  }
}
const corner = (stamp) => [Math.round(place[0] - stamp.width / 2), Math.round(place[1] - stamp.height / 2)];

function dab(x, y) {
  if (tool.kind === "edge" && tool.index === DRAWN) { // a line of single pixels
    const row = Math.floor(y), column = Math.floor(x);
    if (row >= 0 && column >= 0 && row < scene.height && column < scene.width) strokes[row * scene.width + column] = DRAWN;
    return;
  }
  const size = radius();
  const color = rgb(find(".color").value);
  for (let row = Math.max(Math.ceil(y - size - 0.5), 0); row <= Math.min(y + size - 0.5, scene.height - 1); row++)
    for (let column = Math.max(Math.ceil(x - size - 0.5), 0); column <= Math.min(x + size - 0.5, scene.width - 1); column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > size) continue;
      const i = row * scene.width + column;
      if (tool.kind === "edge") strokes[i] = tool.index;
      else { labels[i] = tool.index; frame.set(color, 3 * i); strokes[i] = KEPT; }
    }
}
function line(from, to) {
  const length = Math.max(Math.hypot(to[0] - from[0], to[1] - from[1]), 1);
  for (let step = 0; step <= length; step++)
    dab(from[0] + (to[0] - from[0]) * step / length, from[1] + (to[1] - from[1]) * step / length);
}
function stamp() {
  const one = scene.stamps[tool.index], [left, top] = corner(one);
  for (let row = 0; row < one.height; row++)
    for (let column = 0; column < one.width; column++) {
      const from = row * one.width + column, x = left + column, y = top + row;
      if (!one.inside[from] || x < 0 || y < 0 || x >= scene.width || y >= scene.height) continue;
      const i = y * scene.width + x;
      labels[i] = one.labels[from]; strokes[i] = KEPT;
      frame.set(one.frame.subarray(3 * from, 3 * from + 3), 3 * i);
    }
}
let before = null; // the planes before a stamp was put, while it is dragged
function begin() {
  past.push(copy()); if (past.length > STEPS) past.shift();
  future = []; held = true; before = past[past.length - 1];
  apply(place);
}
function apply(to) {
  if (tool.kind === "stamp") {
    [labels, frame, strokes] = before.map((plane) => plane.slice());
    place = to; stamp();
  } else { line(place, to); place = to; }
  draw(); hint(); send();
}
function end() {
  if (!held) return;
  held = false; send();
  const name = find(".chips input:checked")?.parentElement.textContent.trim();
  say(`${name} at ${Math.round(place[0])}, ${Math.round(place[1])}`);
}
function back(from, to, word) {
  if (!from.length) return;
  to.push(copy()); [labels, frame, strokes] = from.pop();
  draw(); send(); say(word);
}
function send() {
  changed = true;
  if (!sending && !due) due = setTimeout(flush, 40);
}
async function flush() {
  due = 0; sending = true;
  while (changed) {
    changed = false;
    const planes = new Uint8Array(5 * labels.length);
    planes.set(labels); planes.set(frame, labels.length); planes.set(strokes, 4 * labels.length);
    const id = scene.id, data = await deflated(planes);
    if (scene.id !== id) break; // another scene came meanwhile
    props.value = { id, source: scene.source, width: scene.width, height: scene.height, data };
    trigger("input");
  }
  sending = false;
}

const at = (event) => {
  const box = over.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * scene.width, (event.clientY - box.top) / box.height * scene.height];
};
over.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  over.setPointerCapture(event.pointerId); over.focus({ preventScroll: true });
  place = at(event); begin(); event.preventDefault();
});
over.addEventListener("pointermove", (event) => {
  if (!scene) return;
  if (held) apply(at(event)); else { place = at(event); hint(); }
});
over.addEventListener("pointerup", end);
over.addEventListener("pointercancel", end);
over.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 1 : 4;
  const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (way) {
    const to = [0, 1].map((axis) => Math.min(Math.max(place[axis] + way[axis], 0), [scene.width, scene.height][axis] - 1));
    if (held) apply(to); else { place = to; hint(); say(`${Math.round(to[0])}, ${Math.round(to[1])}`); }
  } else if (event.key === " " || event.key === "Enter") { if (!event.repeat) begin(); }
  else if (event.key === "+" || event.key === "-") {
    find(".radius").value = +find(".radius").value + (event.key === "+" ? 1 : -1);
    find(".radius").dispatchEvent(new Event("input"));
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z")
    event.shiftKey ? back(future, past, "redone") : back(past, future, "undone");
  else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "y") back(future, past, "redone");
  else return;
  event.preventDefault();
});
over.addEventListener("keyup", (event) => { if (event.key === " " || event.key === "Enter") end(); });
over.addEventListener("blur", end);
find(".undo").addEventListener("click", () => back(past, future, "undone"));
find(".redo").addEventListener("click", () => back(future, past, "redone"));
find(".restart").addEventListener("click", () => {
  past.push(copy()); [labels, frame, strokes] = first.map((plane) => plane.slice());
  draw(); send(); say("as it was at first");
});
find(".radius").addEventListener("input", () => { find(".size output").value = find(".radius").value; hint(); });
element.querySelectorAll(".switch input").forEach((input) => {
  input.name = "shown";
  input.addEventListener("change", draw);
});
document.addEventListener("sflowgan-painted", (event) => {
  if (!event.detail.edges || !scene) return;
  const image = new Image();
  image.onload = () => { edges = image; if (shown() === "edges") draw(); };
  image.src = event.detail.edges;
});
new ResizeObserver(hint).observe(over);
watch("value", load);
load();
