// Draws limits into a plot: a dashed line each, in the colour of the state beyond it, with its name. plot.js calls it.
//
//   drawPlotLimits(plot, [{name, scale, value, side: "above" | "below", status}, …], style of the page)

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
  for (const { y, colour } of limits) {
    ctx.strokeStyle = colour;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
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
  for (const { name, value, side, status, y, colour } of limits) {
    const text = `${name} ${status} ${side === "above" ? ">" : "<"} ${value}`;
    // On the side where the alarm is, where there is room for it.
    const isAbove = side === "above" ? y - LABEL_ROOM * ratio > bbox.top : y + LABEL_ROOM * ratio > bbox.top + bbox.height;
    const place = labelPlace(taken, y + (isAbove ? LABEL_ABOVE : LABEL_BELOW) * ratio, ctx.measureText(text).width, bbox.left + bbox.width - EDGE * ratio, LABEL_BELOW * ratio);
    ctx.fillStyle = colour;
    ctx.strokeText(text, place.right, place.y);
    ctx.fillText(text, place.right, place.y);
  }
}

globalThis.drawPlotLimits = (plot, limits, style) => {
  const { ctx, bbox } = plot;
  const ratio = globalThis.uPlot.pxRatio ?? devicePixelRatio;
  const placed = limits
    .map((limit) => ({ ...limit, y: Math.round(plot.valToPos(limit.value, limit.scale, true)), colour: style.getPropertyValue(`--${limit.status}`) }))
    .filter(({ y }) => y >= bbox.top && y <= bbox.top + bbox.height);
  ctx.save();
  drawLines(ctx, bbox, placed, ratio);
  drawNames(ctx, bbox, placed, ratio, style.getPropertyValue("--surface"));
  ctx.restore();
};
