/** Follows how deeply JSON text is nested while its bytes arrive, so that a bomb is refused before it is parsed. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export class JsonDepth {
  #depth = 0;
  #deepest = 0;
  #inString = false;
  #escaped = false;

  /** Deepest nesting seen so far; 1 for a flat object. */
  get deepest(): number {
    return this.#deepest;
  }

  /** Bytes of a multi-byte character are all above 0x7f, so chunks may be cut anywhere. */
  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#inString) this.#inText(byte);
      else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#depth += 1;
        if (this.#depth > this.#deepest) this.#deepest = this.#depth;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.#depth -= 1;
    }
  }

  #inText(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }
}
