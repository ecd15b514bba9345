// How an item of the timeline looks: by colour, and for who sees none by shape.

export const STYLES = {
  opportunity: { fill: "#2a3a49", line: "#5c7388" },
  booked: { fill: "rgb(45 204 255 / 0.3)", line: "#2dccff" },
  live: { fill: "#56f000", line: "#56f000" },
  done: { fill: "rgb(86 240 0 / 0.25)", line: "#4d8d3a" },
  failed: { fill: "rgb(255 56 56 / 0.25)", line: "#ff3838", shape: cross },
  drifted: { fill: "rgb(252 232 58 / 0.2)", line: "#fce83a", dash: [4, 3] },
  added: { fill: "rgb(185 167 255 / 0.35)", line: "#b9a7ff", wide: 2, shape: plus },
  freed: { fill: "rgb(45 204 255 / 0.08)", line: "#2dccff", dash: [3, 3], shape: slash },
};

export const OF_A_PLAN = ["added", "freed"];

export function drawMark(pen, state, { left, at, wide, tall }, isChosen) {
  const style = STYLES[state];
  pen.fillStyle = style.fill;
  pen.fillRect(left, at, wide, tall);
  pen.strokeStyle = isChosen ? "#ffffff" : style.line;
  pen.lineWidth = isChosen ? 2 : style.wide ?? 1;
  pen.setLineDash(style.dash ?? []);
  pen.strokeRect(left + 0.5, at + 0.5, Math.max(1, wide - 1), tall - 1);
  pen.setLineDash([]);
  pen.strokeStyle = style.line;
  pen.lineWidth = 1.5;
  pen.beginPath();
  style.shape?.(pen, left, at, wide, tall);
  pen.stroke();
}

function cross(pen, left, at, wide, tall) {
  const side = Math.min(wide, tall);
  pen.moveTo(left, at);
  pen.lineTo(left + side, at + tall);
  pen.moveTo(left, at + tall);
  pen.lineTo(left + side, at);
}

function slash(pen, left, at, wide, tall) {
  pen.moveTo(left, at + tall);
  pen.lineTo(left + wide, at);
}

function plus(pen, left, at, wide, tall) {
  if (wide < 12) return;
  const [x, y] = [left + wide / 2, at + tall / 2];
  pen.moveTo(x - 4, y);
  pen.lineTo(x + 4, y);
  pen.moveTo(x, y - 4);
  pen.lineTo(x, y + 4);
}
