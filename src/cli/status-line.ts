/** What is going on at the moment: one line that is replaced, or one every few seconds where nothing can be replaced. */

/** What is needed of a stream. */
export interface LineStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const EVERY_MS = 5_000;
const TO_LINE_START_AND_CLEAR = '\r\u001b[K';

export class StatusLine {
  readonly #stream: LineStream;
  readonly #nowMs: () => number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(stream: LineStream, nowMs: () => number) {
    this.#stream = stream;
    this.#nowMs = nowMs;
  }

  show(line: string): void {
    if (this.#stream.isTTY === true) {
      this.#stream.write(`${TO_LINE_START_AND_CLEAR}  ${line}`);
      return;
    }
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + EVERY_MS;
    this.#stream.write(`  ${line}\n`);
  }

  /** Before a line that stays. */
  clear(): void {
    if (this.#stream.isTTY === true) this.#stream.write(TO_LINE_START_AND_CLEAR);
  }
}
