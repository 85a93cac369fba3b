// Cuts this tab's connection, as a tunnel or a lift does: what is open breaks, what is tried fails.

const CUT_CODE = 4000; // ours to choose: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.2

export class Scissors {
  /** @type {Set<WebSocket>} */
  #open = new Set();
  #until = 0;

  /** The WebSocket for the client: the browser's, within reach of the scissors. */
  get WebSocket() {
    const scissors = this;
    return class extends WebSocket {
      /** @param {string | URL} url @param {string | string[]} [protocols] */
      constructor(url, protocols) {
        super(url, protocols);
        scissors.#open.add(this);
        this.addEventListener("close", () => scissors.#open.delete(this));
        if (scissors.#isCut()) this.close(CUT_CODE);
      }
    };
  }

  /** The fetch for the client. @type {typeof fetch} */
  fetch = (input, init) => (this.#isCut() ? Promise.reject(new TypeError("cut")) : fetch(input, init));

  /** @param {number} ms */
  cut(ms) {
    this.#until = performance.now() + ms;
    for (const socket of this.#open) socket.close(CUT_CODE);
  }

  #isCut() {
    return performance.now() < this.#until;
  }
}
