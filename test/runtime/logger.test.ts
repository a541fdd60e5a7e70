import { describe, expect, it } from 'vitest';

import { AnchorlineError } from '../../src/domain/errors.ts';
import { describeError } from '../../src/runtime/describe-error.ts';
import { keepLog } from '../support/log-lines.ts';

describe('logger', () => {
  it('keeps context that was bound once', () => {
    const { log, lines } = keepLog();
    log.child({ topic: 't' }).child({ partition: 3 }).info('read');
    expect(lines[0]).toMatchObject({ level: 'info', topic: 't', partition: 3, msg: 'read' });
  });

  it('never writes a secret: by name, in a url, in an error', () => {
    const { log, text } = keepLog();
    const url = 'postgres://app:hunter2@db:5432/x';
    log.info(
      { password: 'hunter2', store: { password: 'hunter2' }, a: { b: { token: 'hunter2' } } },
      'hello',
    );
    log.warn(`connecting to ${url}`);
    log.error({ err: new Error(`cannot reach ${url}`) }, 'failed');
    expect(text()).not.toContain('hunter2');
    expect(text()).toContain('postgres://app:***@db:5432/x');
  });
});

describe('describeError', () => {
  it('says the code and the message in one line', () => {
    expect(describeError(new AnchorlineError('POS001', 'moved'))).toBe('POS001: moved');
    expect(describeError(Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' }))).toBe(
      'EHOSTUNREACH: no route',
    );
    expect(describeError(new AggregateError([new Error('a'), new Error('b')]))).toBe('a; b');
    expect(describeError('plain')).toBe('plain');
  });
});
