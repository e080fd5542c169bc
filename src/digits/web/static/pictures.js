// Pictures: the 28x28 input of a model, and files with boxes drawn over them.

import * as server from "./server.js";

const MAX_BYTES = 9_500_000; // the server takes 10 MB, the form around the picture included
const MAX_SIDE = 3000; // pixels, to which a larger file is reduced
const MIN_SHOWN_SIDE = 400;
const MAX_SHOWN_SIDE = 1200;

function newCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// Draw 28 rows of 28 values 0..255, or black without any.
export function drawPixels(canvas, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  (pixels?.flat() ?? Array(784).fill(0)).forEach((value, i) => {
    image.data.set([value, value, value, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

export function pngOf(pixels) {
  return new Promise((done) => drawPixels(newCanvas(28, 28), pixels).toBlob(done, "image/png"));
}

// A file as {blob, image, pages}; a large picture is reduced. What this browser cannot show (PDF,
// TIFF, HEIC) the server draws, one page at a time.
export async function openFile(file, number) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) {
    const { blob, pages } = await server.page(file, file.name, number);
    return { blob, image: await createImageBitmap(blob), pages };
  }
  if (file.size <= MAX_BYTES) return { blob: file, image, pages: 1 };
  const scale = Math.min(1, MAX_SIDE / Math.max(image.width, image.height));
  const canvas = newCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // under transparent pixels
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  return { blob, image: await createImageBitmap(blob), pages: 1 };
}

// Draw `image` with a labeled box around each of `digits`; the one at index `selected` has another
// color.
export function drawPicture(canvas, image, digits, selected) {
  const context = canvas.getContext("2d");
  const longer = Math.max(image.width, image.height);
  const scale = longer < MIN_SHOWN_SIDE
    ? Math.ceil(MIN_SHOWN_SIDE / longer)
    : Math.min(1, MAX_SHOWN_SIDE / longer);
  [canvas.width, canvas.height] = [image.width * scale, image.height * scale].map(Math.round);
  context.imageSmoothingEnabled = scale < 4;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  digits.forEach((digit, i) => {
    const box = digit.box.map((value) => value * scale);
    drawBox(context, box, String(digit.digit ?? "?"), i === selected ? "#c1440e" : "#1558b0");
  });
}

function drawBox(context, [left, top, right, bottom], label, color) {
  const size = Math.max(14, Math.min(0.4 * (bottom - top), context.canvas.width / 14)); // of text
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = Math.max(2, size / 10);
  context.strokeRect(left, top, right - left, bottom - top);
  context.font = `700 ${size}px sans-serif`;
  context.textBaseline = "bottom";
  const below = top < 1.2 * size; // no space above the box
  const width = context.measureText(label).width + 0.4 * size;
  context.fillRect(left, below ? bottom : top - 1.1 * size, width, 1.1 * size);
  context.fillStyle = "#fff";
  context.fillText(label, left + 0.2 * size, below ? bottom + 1.05 * size : top - 0.05 * size);
}
