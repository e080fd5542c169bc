// The drawing area. Strokes are kept as points between 0 and 1, so that they can be drawn at any
// size: on a screen of any density, and for the model.

const SIDE = 196; // pixels of the picture that is sent: seven times the 28 of the model's input

export class DrawingArea {
  // changed: called after every change of the strokes.
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.width = 0.08; // of the pen
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

  // End the stroke in progress, by pointer or keyboard.
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
    this.strokes.push({ width: this.width, points: [this.point(event)] });
    this.update();
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((one) => this.point(one));
    this.strokes.at(-1).points.push(...points);
    this.update();
  }

  end(event) {
    if (event.pointerId === this.pointer) this.pointer = undefined;
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  key(event) {
    const direction = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== " " && !direction) return;
    event.preventDefault();
    this.pen ??= { x: 0.5, y: 0.5, down: false };
    if (direction) this.movePen(direction, event.shiftKey ? 0.01 : 0.04);
    else this.togglePen();
    if (this.pen.down) this.update();
    else this.draw();
  }

  togglePen() {
    this.pen.down = !this.pen.down;
    if (!this.pen.down) return;
    this.strokes.push({ width: this.width, points: [[this.pen.x, this.pen.y]] });
  }

  movePen([x, y], step) {
    this.pen.x = Math.min(1, Math.max(0, this.pen.x + step * x));
    this.pen.y = Math.min(1, Math.max(0, this.pen.y + step * y));
    if (this.pen.down) this.strokes.at(-1).points.push([this.pen.x, this.pen.y]);
  }

  draw() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    this.paint(context, side);
    if (!this.pen) return;
    context.strokeStyle = "#1558b0";
    context.lineWidth = 2 * devicePixelRatio;
    context.beginPath();
    context.arc(this.pen.x * side, this.pen.y * side, this.width * side / 2, 0, 2 * Math.PI);
    if (this.pen.down) { context.fillStyle = context.strokeStyle; context.fill(); }
    context.stroke();
  }

  paint(context, side) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
    context.strokeStyle = "#000";
    context.lineCap = context.lineJoin = "round";
    for (const { width, points } of this.strokes) {
      context.lineWidth = width * side;
      context.beginPath();
      points.forEach(([x, y]) => context.lineTo(x * side, y * side));
      // A line without length is not drawn.
      if (points.length === 1) context.lineTo(points[0][0] * side, points[0][1] * side + 0.01);
      context.stroke();
    }
  }

  // The drawing as a PNG, black on white.
  blob() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    this.paint(canvas.getContext("2d"), SIDE);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
}
