// Draws limits into a plot: a dashed line each, in the colour of the state beyond it, with its name. plot.js calls it.
//
//   drawPlotLimits(plot, [{name, scale, value, side: "above" | "below", status, from_s, to_s}, …], style of the page)
//
// A limit that changes with its context has a line for each time that it held; from_s and to_s are null at the edges.

const DASH = 4;
const LETTERS = 11;
const HALO = 4;
const EDGE = 6;
const LABEL_ABOVE = -4;
const LABEL_BELOW = 12;
const LABEL_ROOM = 14;

// Names of limits that lie close together stand beside each other, not upon each other.
function labelPlace(taken, y, width, right, leastGap) {
  const beside = taken.filter((other) => Math.abs(other.y - y) < leastGap).map((other) => other.left - leastGap);
  const place = { y, right: Math.min(right, ...beside) };
  taken.push({ y, left: place.right - width });
  return place;
}

function drawLines(ctx, bbox, limits, ratio) {
  ctx.lineWidth = ratio;
  ctx.setLineDash([DASH * ratio, DASH * ratio]);
  for (const { y, left, right, colour } of limits) {
    ctx.strokeStyle = colour;
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    ctx.stroke();
  }
}

function drawNames(ctx, bbox, limits, ratio, ground) {
  const taken = [];
  ctx.font = `${LETTERS * ratio}px sans-serif`;
  ctx.textAlign = "right";
  ctx.lineWidth = HALO * ratio;
  ctx.setLineDash([]);
  ctx.strokeStyle = ground;
  // One name for all lines of a limit, at the last of them.
  const named = new Map(limits.map((limit) => [`${limit.name} ${limit.status} ${limit.side} ${limit.value}`, limit]));
  for (const { name, value, side, status, y, right, colour } of named.values()) {
    const text = `${name} ${status} ${side === "above" ? ">" : "<"} ${value}`;
    // On the side where the alarm is, where there is room for it.
    const isAbove = side === "above" ? y - LABEL_ROOM * ratio > bbox.top : y + LABEL_ROOM * ratio > bbox.top + bbox.height;
    const place = labelPlace(taken, y + (isAbove ? LABEL_ABOVE : LABEL_BELOW) * ratio, ctx.measureText(text).width, right - EDGE * ratio, LABEL_BELOW * ratio);
    ctx.fillStyle = colour;
    ctx.strokeText(text, place.right, place.y);
    ctx.fillText(text, place.right, place.y);
  }
}

globalThis.drawPlotLimits = (plot, limits, style) => {
  const { ctx, bbox } = plot;
  const ratio = globalThis.uPlot.pxRatio ?? devicePixelRatio;
  const edges = [bbox.left, bbox.left + bbox.width];
  const across = (at, edge) => (at === null ? edge : Math.min(edges[1], Math.max(edges[0], plot.valToPos(at, "x", true))));
  const placed = limits
    .map((limit) => ({
      ...limit, y: Math.round(plot.valToPos(limit.value, limit.scale, true)),
      left: across(limit.from_s, edges[0]), right: across(limit.to_s, edges[1]), colour: style.getPropertyValue(`--${limit.status}`),
    }))
    .filter(({ y, left, right }) => y >= bbox.top && y <= bbox.top + bbox.height && left < right);
  ctx.save();
  drawLines(ctx, bbox, placed, ratio);
  drawNames(ctx, bbox, placed, ratio, style.getPropertyValue("--surface"));
  ctx.restore();
};
