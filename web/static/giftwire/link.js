// One WebSocket connection, from the attempt to its end.

/** @typedef {typeof WebSocket} Implementation */

const OPEN = 1; // WebSocket.OPEN, which not every implementation has as a static

export class Link {
  #socket;
  #events;
  #over = false;

  /**
   * @param {{ WebSocket: Implementation, url: string, protocols: string[] }} target
   * @param {{ text: (data: unknown) => void, end: () => void }} events end is called once, unless
   *   the link was dropped; text not after it
   */
  constructor({ WebSocket, url, protocols }, events) {
    this.#events = events;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.addEventListener("message", this.#message);
    this.#socket.addEventListener("close", this.#close);
    // What an error was is not told here; close follows it. Without a listener npm's ws throws.
    this.#socket.addEventListener("error", ignore);
  }

  /** @param {MessageEvent} event */
  #message = (event) => {
    if (!this.#over) this.#events.text(event.data);
  };

  #close = () => {
    if (this.#over) return;
    this.#detach();
    this.#events.end();
  };

  /**
   * Hands a frame to the network; false: it was surely not sent. True says only that it may arrive.
   * @param {string} text
   */
  send(text) {
    if (this.#over || this.#socket.readyState !== OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /** Ends the connection. Nothing is heard of it any more. */
  drop() {
    if (this.#over) return;
    this.#detach();
    // A handshake with a peer that has gone may take minutes; it is the browser's business.
    this.#socket.close(1000);
  }

  #detach() {
    this.#over = true;
    this.#socket.removeEventListener("message", this.#message);
    this.#socket.removeEventListener("close", this.#close);
  }
}

function ignore() {}
