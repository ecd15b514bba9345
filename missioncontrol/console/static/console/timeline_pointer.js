// Pointers on the timeline: a press chooses, a drag moves the view or carries a booked pass.

const STILL_PX = 4;

// grab(event): what a drag from there carries, or null; view(): what pan(view, dx, dy) begins from.
export function listenToPointer(canvas, { press, view, pan, grab, carry, drop }) {
  canvas.addEventListener("pointerdown", (begin) => {
    canvas.setPointerCapture(begin.pointerId);
    const held = view();
    const carried = grab(begin);
    let moved = false;
    const move = (to) => {
      const [dx, dy] = [to.clientX - begin.clientX, to.clientY - begin.clientY];
      moved ||= Math.hypot(dx, dy) > STILL_PX;
      if (!moved) return;
      if (carried !== null) carry(carried, to);
      else pan(held, dx, dy);
    };
    const end = (to) => {
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", end);
      canvas.removeEventListener("pointercancel", end);
      if (!moved) press(to);
      else if (carried !== null) drop(to.type === "pointerup" ? to : null);
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  });
}
