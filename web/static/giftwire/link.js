// One WebSocket connection, from the attempt to its end.

/** @typedef {typeof WebSocket} Implementation */

const OPEN = 1; // WebSocket.OPEN, which not every implementation has as a static

// Bytes that may wait for a network that takes none. A dead connection is noticed within 40 s, in
// which gifts (20 a second of 400 bytes), likes and pings make less; an app that talks without end
// does not.
const UNSENT_MAX = 512 * 1024;

export class Link {
  #socket;
  #events;
  #over = false;

  /**
   * @param {{ WebSocket: Implementation, url: string, protocols: string[] }} target
   * @param {{ text: (data: unknown) => void, end: () => void }} events end is called once, unless
   *   the link was dropped; text not after it
   * @throws what the implementation throws where it does not even try, as browsers do when a page
   *   with TLS asks for a hub without
   */
  constructor({ WebSocket, url, protocols }, events) {
    this.#events = events;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.addEventListener("message", this.#message);
    this.#socket.addEventListener("close", this.#close);
    // An error is told only when the connection has failed. Browsers tell close after it, Node 20
    // does not. The listener stays: npm's ws throws an error that nobody listens to.
    this.#socket.addEventListener("error", this.#close);
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
    if (this.#over || this.#socket.readyState !== OPEN || this.#socket.bufferedAmount > UNSENT_MAX) return false;
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
