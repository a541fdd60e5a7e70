import { describe, expect, it } from 'vitest';

import { StatusLine } from '../../src/cli/status-line.ts';

function on(isTTY: boolean): { line: StatusLine; written: string[]; at: (ms: number) => void } {
  const written: string[] = [];
  let nowMs = 1_000;
  const line = new StatusLine({ isTTY, write: (text) => written.push(text) }, () => nowMs);
  return { line, written, at: (ms) => void (nowMs = ms) };
}

describe('the status line', () => {
  it('is replaced on a terminal, and gone before a line that stays', () => {
    const { line, written } = on(true);
    line.show('a');
    line.show('b');
    line.clear();
    expect(written).toEqual(['\r\u001b[K  a', '\r\u001b[K  b', '\r\u001b[K']);
  });

  it('is a line of its own every five seconds elsewhere, without control characters', () => {
    const { line, written, at } = on(false);
    line.show('a');
    line.show('b');
    line.clear();
    at(5_999);
    line.show('c');
    at(6_000);
    line.show('d');
    expect(written).toEqual(['  a\n', '  d\n']);
  });
});
