// The page: events, and where pictures come from.

import { Collection } from "./collection.js";
import { DrawingArea } from "./drawing.js";
import { openFile, pngOf } from "./pictures.js";
import { Recognition } from "./recognition.js";
import * as server from "./server.js";
import { $, makeBars, makeLabels, makeModels, render, setDisabled } from "./view.js";

const recognition = new Recognition(
  () => render(recognition, (i) => recognition.select(i)),
  announce,
);
const collection = new Collection(recognition);
const drawing = new DrawingArea($("drawing"), drawingChanged);

// For screen readers: once a drawing is complete, not after each point of a stroke.
function announce() {
  $("live").textContent = recognition.input
    ? ["digit", "sentence", "truth"].map((id) => $(id).textContent).join(" ") : "";
}

// ---- the picture

let opening = 0; // counts what was chosen: a slow file must not replace what was chosen later

function setInput(input) {
  opening += 1;
  recognition.loading = false;
  recognition.problem = "";
  if (recognition.input?.image !== input?.image) recognition.input?.image?.close();
  const drawn = !input || Boolean(input.drawn);
  if (!drawn && document.activeElement === $("drawing")) $("clear").focus();
  $("drawing").hidden = !drawn;
  $("picture").hidden = drawn;
  $("about").textContent = input?.about ?? "";
  showPages(input?.file, input?.number, input?.pages);
  recognition.setInput(input);
}

function drawingChanged() {
  setDisabled($("undo"), drawing.empty);
  if (recognition.input?.drawn && !drawing.empty) {
    recognition.inputChanged();
  } else if (!drawing.empty) {
    setInput({ drawn: true, blob: () => drawing.blob(), name: "drawing.png", query: { ink: "dark" } });
  } else if (recognition.input?.drawn) {
    setInput(null);
  }
}

// Show the picture that `load` resolves to, unless another one is chosen meanwhile.
async function open(load) {
  opening += 1;
  const turn = opening;
  recognition.loading = true;
  recognition.problem = "";
  recognition.changed();
  try {
    const input = await load();
    if (turn !== opening) {
      input.image?.close();
      return;
    }
    setInput(input);
    drawing.clear();
  } catch (error) {
    if (turn !== opening) return;
    recognition.loading = false;
    recognition.problem = error.message;
    recognition.changed();
  }
}

// `number` is that of a page, from 1.
const openPicture = (file, number = 1) => file && open(async () => {
  const { blob, image, pages } = await openFile(file, number);
  const name = file.name || "picture.png";
  return { blob: async () => blob, name, query: {}, image, about: name, file, number, pages };
});

function showPages(file, number, pages = 1) {
  $("pages").hidden = pages < 2;
  $("page").textContent = `Page ${number} of ${pages}`;
  for (const [id, to] of [["previous", number - 1], ["next", number + 1]]) {
    $(id).onclick = () => openPicture(file, to);
    setDisabled($(id), to < 1 || to > pages);
  }
}

const openRandom = () => open(async () => {
  const { pixels, label, set, index } = await server.random();
  const blob = await pngOf(pixels);
  return {
    blob: async () => blob, name: "random.png", query: { ink: "light" },
    image: await createImageBitmap(blob), truth: label, about: `${set}, picture ${index}`,
  };
});

function clear() {
  setInput(null);
  drawing.clear();
}

// ---- events

function keyPressed(event) {
  if (event.target.matches("input[type=text], textarea, select") || event.altKey) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "z" && !drawing.empty) { event.preventDefault(); drawing.undo(); }
  } else if (event.repeat) {
    // The key is held down.
  } else if (event.key === "Escape") {
    clear();
  } else if ($("shortcuts").checked && /^\d$/.test(event.key)) {
    collection.save(Number(event.key));
  } else if ($("shortcuts").checked && event.key.toLowerCase() === "r") {
    openRandom();
  }
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText($("command").textContent);
    $("note").textContent = "Copied.";
  } catch { // there is no clipboard for pages that come unencrypted over a network
    getSelection().selectAllChildren($("command"));
    $("note").textContent = "Selected. Copy it with your keyboard.";
  }
}

function selectModel(name) {
  recognition.setModel(name);
  collection.refresh();
}

function listen() {
  $("undo").addEventListener("click", () => drawing.undo());
  $("clear").addEventListener("click", clear);
  $("pen").addEventListener("input", () => { drawing.width = $("pen").value / 100; });
  for (const id of ["file", "photo"]) {
    $(id).addEventListener("change", () => { openPicture($(id).files[0]); $(id).value = ""; });
  }
  $("random").addEventListener("click", openRandom);
  $("several").addEventListener("change", () => recognition.setSeveral($("several").checked));
  $("remove-last").addEventListener("click", () => collection.removeLast());
  $("copy").addEventListener("click", copyCommand);
  document.addEventListener("keydown", keyPressed);
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) { event.preventDefault(); openPicture(file); }
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    openPicture(event.dataTransfer.files[0]);
  });
}

async function start() {
  makeBars();
  makeLabels((digit) => collection.save(digit));
  listen();
  recognition.changed();
  try {
    recognition.setModels(await server.models());
    makeModels(recognition, selectModel);
    recognition.changed();
  } catch (error) {
    recognition.problem = error.message;
    recognition.changed();
  }
  await collection.refresh();
  document.body.dataset.ready = "true";
}

start();
