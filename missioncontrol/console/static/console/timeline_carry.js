// A booked pass that is dragged to another window: it asks for a plan in which it is there.

import { mayMove, mayTake, moveTo } from "./timeline_wish.js";

// itemAt(event) and asWished(item) are the timeline's.
export function makeCarrier(canvas, { itemAt, asWished, redraw }) {
  let carried = null; // {pass, x, y, target}; target: an item's number, or -1
  let givenUp = false;

  function end() {
    carried = null;
    canvas.toggleAttribute("data-carrying", false);
    redraw();
  }

  return {
    current: () => carried,
    grab(event) {
      givenUp = false;
      const item = itemAt(event);
      const pass = item >= 0 ? asWished(item) : null;
      return pass && mayMove(pass.state) ? pass : null;
    },
    carry(pass, event) {
      if (givenUp) return;
      const box = canvas.getBoundingClientRect();
      const over = itemAt(event);
      const target = over >= 0 && mayTake(asWished(over).state) ? over : -1;
      carried = { pass, x: event.clientX - box.left, y: event.clientY - box.top, target };
      canvas.toggleAttribute("data-carrying", true);
      redraw();
    },
    drop(event) {
      if (event && carried?.target >= 0) moveTo(carried.pass, asWished(carried.target));
      end();
    },
    giveUp() {
      givenUp = true;
      end();
    },
  };
}
