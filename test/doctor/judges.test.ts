import { readFileSync } from 'node:fs';

import { Command } from 'commander';
import { describe, expect, it } from 'vitest';

import { createContext } from '../../src/cli/context.ts';
import { addCommands } from '../../src/cli/program.ts';
import { CHECKS, CHECK_IDS } from '../../src/doctor/checks.ts';
import type { CheckId } from '../../src/doctor/checks.ts';
import { SEVERITIES } from '../../src/doctor/judge/finding.ts';
import type { Finding, Severity } from '../../src/doctor/judge/finding.ts';
import { judged, troubles } from '../support/doctor-evidence.ts';
import { CONNECT_CASES } from './connect-cases.ts';
import { KAFKA_CASES } from './kafka-cases.ts';
import { SOURCE_CASES } from './source-cases.ts';
import { STORE_CASES } from './store-cases.ts';

const CASES = [...SOURCE_CASES, ...CONNECT_CASES, ...KAFKA_CASES, ...STORE_CASES];

describe('an installation in which all is well', () => {
  it.each(CHECK_IDS)('%s finds nothing, and says by what', (check) => {
    const findings = judged(check);
    expect(troubles(findings)).toEqual([]);
    expect(findings.length).toBeGreaterThan(0);
    for (const { evidence, consequence, mend } of findings) {
      expect(evidence).not.toBe('');
      expect([consequence, mend]).toEqual([null, null]);
    }
  });
});

describe('what is ill', () => {
  it.each(CASES.map((one) => [one.check, one.what, one] as const))('%s: %s', (check, _what, one) => {
    const found = judged(check, one.changes);
    expect(troubles(found)).toEqual(one.finds.map((pattern) => expect.stringMatching(pattern)));
    const [first] = found.filter(({ severity }) => severity !== 'ok');
    if (one.mend !== undefined) expect(first?.mend).toMatch(one.mend);
    if (one.breaks !== undefined) expect(first?.consequence).toMatch(one.breaks);
  });
});

/** Commands that mean something by themselves although others begin with them. */
const WITHOUT_A_SECOND = new Set(['resnapshot']);

const all: readonly Finding[] = CASES.flatMap(({ check, changes }) => judged(check, changes));
const ill = all.filter(({ severity }) => severity !== 'ok');

describe('every finding', () => {
  it('says what breaks and what mends it', () => {
    for (const { consequence, mend, evidence } of ill) {
      expect(evidence.length).toBeGreaterThan(3);
      expect(consequence ?? '').toMatch(/[.:]$/);
      expect(mend ?? '').not.toBe('');
    }
  });

  it('names commands that there are', () => {
    const root = addCommands(
      new Command('anchorline'),
      createContext(
        () => ({}),
        () => undefined,
      ),
    );
    const named = ill.flatMap(({ mend }) => [
      ...(mend ?? '').matchAll(/anchorline ([a-z-]+)(?: ([a-z][a-z-]*))?/g),
    ]);
    expect(named.length).toBeGreaterThan(10);
    const strange = named.filter(([, first, second]) => {
      const command = root.commands.find((one) => one.name() === first);
      const inner = command?.commands.map((one) => one.name()) ?? [];
      if (command === undefined || inner.length === 0) return command === undefined;
      return second === undefined ? !WITHOUT_A_SECOND.has(command.name()) : !inner.includes(second);
    });
    expect(strange.map(([text]) => text)).toEqual([]);
  });
});

describe('a probe that failed', () => {
  it.each(CHECK_IDS.filter((check) => check !== 'reach'))('%s is unknown, and says why', (check) => {
    const needs = CHECKS[check].judge.needs;
    const findings = judged(check, { unseen: needs });
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.every(({ severity }) => severity === 'unknown')).toBe(true);
    // The queue has a witness of its own: the slot.
    if (check !== 'queue-fill') expect(findings[0]?.evidence).toMatch(/ failed$/);
  });
});

/** Check → severities, as the table in docs/doctor.md has them. */
function documented(): ReadonlyMap<string, readonly string[]> {
  const rows = readFileSync('docs/doctor.md', 'utf8').matchAll(/^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|/gm);
  return new Map(
    [...rows].map(([, check = '', severities = '']) => [
      check,
      SEVERITIES.filter((severity) => new RegExp(`\\b${severity}\\b`).test(severities)),
    ]),
  );
}

describe('docs/doctor.md', () => {
  it('has a row for every check, in the order of the listing, and for no other', () => {
    expect([...documented().keys()]).toEqual(CHECK_IDS);
  });

  it.each(CHECK_IDS)('%s: tells the severities that the cases provoke', (check: CheckId) => {
    const provoked = new Set<Severity>(
      CASES.filter((one) => one.check === check).flatMap(({ changes }) =>
        judged(check, changes)
          .map(({ severity }) => severity)
          // Unknown for want of a probe is every check's.
          .filter((severity) => severity !== 'unknown' || changes.unseen === undefined),
      ),
    );
    expect(documented().get(check)).toEqual(
      SEVERITIES.filter((severity) => severity !== 'ok' && provoked.has(severity)),
    );
  });

  it('names settings that there are', () => {
    const reference = readFileSync('docs/configuration.md', 'utf8');
    const named = [...readFileSync('docs/doctor.md', 'utf8').matchAll(/`(doctor\.\w+|connect\.\w+)`/g)];
    expect(named.length).toBeGreaterThan(5);
    for (const [, setting = ''] of named) expect(reference).toContain(`| \`${setting}\` |`);
  });
});
