import { describe, expect, it } from 'vitest';

import { maskedLine, maskedUrl, withoutSecrets } from '../../src/runtime/mask.ts';

describe('what leaves the process', () => {
  it.each([
    ['cannot reach postgres://app:hunter2@db:5432/x', 'cannot reach postgres://app:***@db:5432/x'],
    ['postgres://app:hun@ter2@db/x', 'postgres://app:***@db/x'],
    ['https://:hunter2@registry/', 'https://:***@registry/'],
    [
      'postgres://app@db/x?password=hunter2&sslmode=require',
      'postgres://app@db/x?password=***&sslmode=require',
    ],
    ['PlainLoginModule required password="hunter2";', 'PlainLoginModule required password="***";'],
    [
      'grant_type=client_credentials&client_secret=hunter2',
      'grant_type=client_credentials&client_secret=***',
    ],
    ["ALTER ROLE a LOGIN PASSWORD 'hun''ter2' VALID", "ALTER ROLE a LOGIN PASSWORD '***' VALID"],
    ['authorization: Basic b3BlcmF0b3I6aHVudGVyMg==', 'authorization: Basic ***'],
    ['Bearer eyJhbGciOiJub25lIn0.e30.x', 'Bearer ***'],
  ])('%s', (text, masked) => {
    expect(withoutSecrets(text)).toBe(masked);
  });

  it.each([
    'Basic authentication is wanted',
    'check connect.username and connect.password, or connect.token',
    'password authentication failed for user "anchorline"',
    'http://127.0.0.1:18083/connectors',
    'user@example.test',
  ])('keeps what is none: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('masks fields of a line by name, however deep', () => {
    const line = JSON.stringify({ a: { b: { c: { oauthClientSecret: 'hun"ter2' } } }, tokens: 3, msg: 'x' });
    expect(maskedLine(line)).toBe('{"a":{"b":{"c":{"oauthClientSecret":"***"}}},"tokens":3,"msg":"x"}');
  });

  it.each([
    ['postgres://u:hunter2@h/d', 'postgres://u:***@h/d'],
    ['postgres://u@h/d?password=hunter2', 'postgres://u@h/d?password=***'],
    ['postgres://u:hun%20ter%2F2@h/d', 'postgres://u:***@h/d'],
    ['http://h:1', 'http://h:1'],
    ['hunter2', '***'],
  ])('shows of the url %s only %s', (url, shown) => {
    expect(maskedUrl(url)).toBe(shown);
  });
});
