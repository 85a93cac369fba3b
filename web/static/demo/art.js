// Pictures of the gifts that the page knows; of others, the catalogue's icon.

import { el } from "./dom.js";

/** @import * as api from "../giftwire.js" */

/** @type {Record<string, string>} */
const KNOWN = { rocket: "rocket.svg", rose: "rose.svg" };

/**
 * @param {api.MenuGift | undefined} gift
 * @param {number} size CSS pixels
 */
export function picture(gift, size) {
  const file = KNOWN[gift?.name.toLowerCase() ?? ""];
  if (gift !== undefined && file === undefined && gift.icon !== "") {
    const icon = el("span", { class: "menu-icon", text: gift.icon });
    icon.setAttribute("aria-hidden", "true");
    return icon;
  }
  const image = el("img");
  image.src = new URL(`art/${file ?? "gift.svg"}`, import.meta.url).href;
  image.alt = "";
  image.width = image.height = size;
  return image;
}
