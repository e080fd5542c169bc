// Pictures: the 28x28 of a model, and files with boxes drawn over them.

const MOST_BYTES = 9_500_000; // the server takes 10 MB with all that is around
const MOST_SIDE = 3000; // to which a larger picture is reduced
const SHOWN_SIDE = 1200;

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// Rows of 0..255, white ink on black, into a canvas of their size; black without any.
export function pixelsOnto(canvas, pixels) {
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(28, 28);
  (pixels?.flat() ?? Array(784).fill(0)).forEach((value, i) => {
    image.data.set([value, value, value, 255], 4 * i);
  });
  pen.putImageData(image, 0, 0);
  return canvas;
}

export function pngOf(pixels) {
  return new Promise((done) => pixelsOnto(canvasOf(28, 28), pixels).toBlob(done, "image/png"));
}

// A file as {blob, image}: itself, or where it is too large a smaller picture of it; image is null
// where this browser cannot show it.
export async function opened(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (file.size <= MOST_BYTES || !image) return { blob: file, image };
  const scale = Math.min(1, MOST_SIDE / Math.max(image.width, image.height));
  const canvas = canvasOf(Math.round(image.width * scale), Math.round(image.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // under what is transparent
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  return { blob, image: await createImageBitmap(blob) };
}

// `image` with a box around each of `digits`, and what it was read as beside it.
export function drawPicture(canvas, image, digits, chosen) {
  const pen = canvas.getContext("2d");
  if (!image) {
    [canvas.width, canvas.height] = [280, 60];
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    return;
  }
  const longer = Math.max(image.width, image.height);
  const scale = longer < 400 ? Math.ceil(400 / longer) : Math.min(1, SHOWN_SIDE / longer);
  [canvas.width, canvas.height] = [image.width * scale, image.height * scale].map(Math.round);
  pen.imageSmoothingEnabled = scale < 4;
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  digits.forEach((digit, i) => {
    const [left, top, right, bottom] = digit.box.map((value) => value * scale);
    const height = Math.max(14, Math.min(0.4 * (bottom - top), canvas.width / 14));
    pen.strokeStyle = pen.fillStyle = i === chosen ? "#c1440e" : "#1558b0";
    pen.lineWidth = Math.max(2, height / 10);
    pen.strokeRect(left, top, right - left, bottom - top);
    pen.font = `700 ${height}px sans-serif`;
    pen.textBaseline = "bottom";
    const below = top < 1.2 * height;
    const label = String(digit.digit ?? "?");
    const wide = pen.measureText(label).width + 0.4 * height;
    pen.fillRect(left, below ? bottom : top - 1.1 * height, wide, 1.1 * height);
    pen.fillStyle = "#fff";
    pen.fillText(label, left + 0.2 * height, below ? bottom + 1.05 * height : top - 0.05 * height);
  });
}
