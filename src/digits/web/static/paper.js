// The drawing area. Strokes are kept as points between 0 and 1, so that they can be drawn at any
// size: on a screen of any density, and for the model.

const SIDE = 196; // pixels of the picture that is sent: seven times what the model sees

export class Paper {
  // changed: called after every change of the strokes.
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.width = 0.08;
    this.pen = null; // of the keyboard: {x, y, down}
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.end(event));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.pen = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  get empty() { return !this.strokes.length; }

  undo() { this.strokes.pop(); this.lift(); this.update(); }

  clear() { this.strokes = []; this.lift(); this.update(); }

  // End the stroke that is being drawn, by whatever hand.
  lift() {
    this.pointer = undefined;
    if (this.pen) this.pen.down = false;
  }

  update() { this.draw(); this.changed(); }

  begin(event) {
    if (event.button || this.pointer !== undefined) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = null;
    this.strokes.push({ width: this.width, points: [this.place(event)] });
    this.update();
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((one) => this.place(one));
    this.strokes.at(-1).points.push(...points);
    this.update();
  }

  end(event) {
    if (event.pointerId === this.pointer) this.pointer = undefined;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = event.shiftKey ? 0.01 : 0.04;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      this.pen ??= { x: 0.5, y: 0.5, down: false };
      this.pen.down = !this.pen.down;
      if (this.pen.down) {
        this.strokes.push({ width: this.width, points: [[this.pen.x, this.pen.y]] });
      }
    } else if (way[event.key]) {
      this.pen ??= { x: 0.5, y: 0.5, down: false };
      this.pen.x = Math.min(1, Math.max(0, this.pen.x + step * way[event.key][0]));
      this.pen.y = Math.min(1, Math.max(0, this.pen.y + step * way[event.key][1]));
      if (this.pen.down) this.strokes.at(-1).points.push([this.pen.x, this.pen.y]);
    } else {
      return;
    }
    event.preventDefault();
    if (this.pen.down) this.update();
    else this.draw();
  }

  draw() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const pen = this.canvas.getContext("2d");
    this.paint(pen, side);
    if (this.pen) {
      pen.strokeStyle = "#1558b0";
      pen.lineWidth = 2 * devicePixelRatio;
      pen.beginPath();
      pen.arc(this.pen.x * side, this.pen.y * side, this.width * side / 2, 0, 2 * Math.PI);
      if (this.pen.down) { pen.fillStyle = pen.strokeStyle; pen.fill(); }
      pen.stroke();
    }
  }

  paint(pen, side) {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, side, side);
    pen.strokeStyle = "#000";
    pen.lineCap = pen.lineJoin = "round";
    for (const { width, points } of this.strokes) {
      pen.lineWidth = width * side;
      pen.beginPath();
      points.forEach(([x, y]) => pen.lineTo(x * side, y * side));
      if (points.length === 1) pen.lineTo(points[0][0] * side, points[0][1] * side + 0.01);
      pen.stroke();
    }
  }

  // The drawing as a PNG, black on white.
  blob() {
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = SIDE;
    this.paint(sheet.getContext("2d"), SIDE);
    return new Promise((done) => sheet.toBlob(done, "image/png"));
  }
}
