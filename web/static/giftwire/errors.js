// The errors of giftwire.js. They are documented in ../giftwire.d.ts.

/** @import * as api from "../giftwire.js" */

/** @implements {api.GiftwireError} */
export class GiftwireError extends Error {
  /**
   * @param {api.ErrorCode} code
   * @param {string} message
   * @param {{ id?: string, cause?: unknown }} [more]
   */
  constructor(code, message, more = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "GiftwireError";
    this.code = code;
    /** @type {string | undefined} */
    this.id = more.id;
  }
}

/** @implements {api.GiftError} */
export class GiftError extends GiftwireError {
  /**
   * @param {api.ErrorCode} code
   * @param {string} message
   * @param {api.Gift} gift
   */
  constructor(code, message, gift) {
    super(code, message, { id: gift.id });
    this.name = "GiftError";
    this.gift = gift;
  }
}
