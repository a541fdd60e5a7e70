import { describe, expect, it } from 'vitest';
import pg from 'pg';

import { StalePositionError } from '../../src/domain/errors.ts';
import { StoreUnavailableError, fromDriver, isInfrastructure, isOverload } from '../../src/store/errors.ts';
import { AbortedTransactionError } from '../../src/store/transaction.ts';

function failure(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('connection terminated', 0, 'error');
  error.code = code;
  return error;
}

describe('isInfrastructure', () => {
  it.each([
    '08006',
    '57P01',
    '57014',
    '40P01',
    '40001',
    '53100',
    '53200',
    '53300',
    '55P03',
    '25006',
    '58030',
    '28P01',
    '3D000',
    '42P01',
    '42501',
    'XX000',
    'XX001',
    'XX002',
    '0A000',
    '25P02',
    '40002',
    '40003',
    '55000',
    '55006',
    'P0001',
  ])('takes SQLSTATE %s as one that may heal', (code) => {
    expect(isInfrastructure(failure(code))).toBe(true);
    expect(fromDriver(failure(code))).toBeInstanceOf(StoreUnavailableError);
  });

  it.each(['21000', '22003', '22021', '23502', '23505', '54000'])('blames %s on the content', (code) => {
    expect(isInfrastructure(failure(code))).toBe(false);
    expect(fromDriver(failure(code))).toMatchObject({ code });
  });

  it('judges system calls by their code, whatever their text', () => {
    expect(isInfrastructure(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe(true);
    expect(isInfrastructure(Object.assign(new Error('connection reset'), { code: 'ENOENT' }))).toBe(false);
    expect(isInfrastructure(new Error('Connection terminated unexpectedly'))).toBe(false);
    expect(isInfrastructure('ECONNRESET')).toBe(false);
  });

  it('knows an outage that less work at a time may not meet', () => {
    expect(isOverload(fromDriver(failure('57014')))).toBe(true);
    expect(isOverload(failure('53200'))).toBe(true);
    expect(isOverload(fromDriver(failure('57P01')))).toBe(false);
    expect(isOverload(new Error('57014'))).toBe(false);
  });

  it('takes a commit that was answered by a rollback as an outage', () => {
    expect(isInfrastructure(new AbortedTransactionError())).toBe(true);
  });

  it('leaves our own errors as they are', () => {
    const stale = new StalePositionError('t', 0, 1n);
    expect(fromDriver(stale)).toBe(stale);
    expect(isInfrastructure(stale)).toBe(false);
  });

  it('takes a bare Error of the driver as a lost connection, but no mistake of programming', () => {
    expect(fromDriver(new Error('Connection terminated'))).toBeInstanceOf(StoreUnavailableError);
    const mistake = new TypeError('not a function');
    expect(fromDriver(mistake)).toBe(mistake);
  });
});
